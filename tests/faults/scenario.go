package faults

import (
	"slices"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
)

// scenario is a kind of fault. Its zero value loads one file of 30,000 records
// in batches of 100 with one consumer and does nothing to it.
type scenario struct {
	// name is short, and stands for it on the command line.
	name string
	// what says what is done, for the table in docs/reliability.md.
	what      string
	records   int // of all files
	batch     int // records of a batch
	consumers int
	count     int // of files
	// ownNATS and ownPostgres give the run servers that it may break.
	ownNATS  bool
	natsDisk int64 // bytes of a disk of its own, 0 for none
	cluster  bool  // of three servers
	// network puts the servers and the programs on hosts of their own.
	network bool
	// clocks says whose wall clock can be shifted, beside PostgreSQL's.
	clocks      clocks
	ownPostgres func(*world) postgres.Config
	// dead is how many messages are planted that have to be set aside.
	dead int64
	// unwaited says that the producer is not told to wait: what a consumer loses
	// then is lost.
	unwaited bool
	// merge is the consumers' --batches-per-commit, 4 where it is 0.
	merge int
	// damages says that the broker's store may come to harm.
	damages bool
	// keeps says that nothing takes a batch from the broker but the consumers'
	// acks: a producer that misses one has met an ack without a commit.
	keeps bool
	// reorders says that announcements may arrive in another order: what one
	// server of a cluster held while it was cut off comes late, and what the
	// kernel of a host had still to send to one.
	reorders bool
	// asked says that it is not in the fixed selection, which has one that is much
	// like it.
	asked bool
	// prepare says what is to be done and when, before any process starts.
	prepare func(*world)
	// again returns the producer's arguments for another attempt.
	again func(w *world, args []string) []string
}

const (
	defaultRecords = 30_000
	defaultBatch   = 100
)

func (s scenario) mergeSize() int {
	if s.merge == 0 {
		return 4
	}
	return s.merge
}

func (s scenario) files() int { return max(1, s.count) }

func (s scenario) batchSize() int {
	if s.batch == 0 {
		return defaultBatch
	}
	return s.batch
}

// scenarios are all of them.
var scenarios = complete(slices.Concat(keeping(processFaults, messageFaults, connectionFaults, postgresFaults), natsFaults, diskFaults, clusterFaults, inputFaults, clockFaults, partitionFaults))

func keeping(kinds ...[]scenario) []scenario {
	all := slices.Concat(kinds...)
	for i := range all {
		all[i].keeps = true
	}
	return all
}

func complete(all []scenario) []scenario {
	for i := range all {
		if all[i].records == 0 {
			all[i].records = defaultRecords
		}
	}
	return all
}
