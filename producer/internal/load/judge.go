package load

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Ours is a source as the producer is about to send it, or sent it.
type Ours struct {
	// Source is its id, Name what it is called.
	Source, Name string
	Plan         wire.Plan
	// Records and Batches count what Plan cuts it into.
	Records, Batches int64
	// SameName says that other content may stand under Name.
	SameName bool
}

// Question asks for all that Judge needs, and the first missing ranges.
func (o *Ours) Question() wire.LoadRequest {
	return wire.LoadRequest{Source: o.Source, Name: o.Name, Missing: wire.MaxMissing}
}

// Judge says whether the load in an answer is the one that is being sent. If so
// it returns the load, nil when nothing of it is stored yet. Otherwise the error
// is one of: *OtherBatchSizeError, to be cured by cutting the source again;
// *RetiredError, *FormatError, *NameTakenError and *CountError, which end the
// load.
func (o *Ours) Judge(reply *wire.LoadReply) (*wire.Load, error) {
	stored := reply.Load
	if stored == nil {
		return nil, o.judgeName(reply.Named)
	}
	switch {
	case stored.Retired:
		return nil, &RetiredError{}
	case stored.Plan.Format != o.Plan.Format:
		return nil, &FormatError{Name: o.Name, Differences: differences(stored.Plan.Format, o.Plan.Format)}
	case stored.Plan.BatchSize != o.Plan.BatchSize:
		return nil, &OtherBatchSizeError{BatchSize: stored.Plan.BatchSize, Done: stored.Done, Batches: stored.Batches}
	case stored.Batches != o.Batches:
		return nil, &CountError{What: fmt.Sprintf("the database expects %d batches of it, and it has %d", stored.Batches, o.Batches)}
	case stored.Complete() && stored.Rows+stored.Rejected != o.Records:
		return nil, &CountError{What: fmt.Sprintf("%s and %s of it are in the database, and it has %s",
			count(stored.Rows, "row"), count(stored.Rejected, "reject"), count(o.Records, "record"))}
	}
	return stored, nil
}

func (o *Ours) judgeName(named []wire.Load) error {
	if o.SameName {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(named), func(l wire.Load) bool { return l.Source == o.Source })
	if len(others) == 0 {
		return nil
	}
	digest, _, _ := strings.Cut(o.Source, "+")
	for i := range others {
		if content, _, _ := strings.Cut(others[i].Source, "+"); content == digest {
			return &NameTakenError{Name: o.Name, Other: others[i], SameContent: true}
		}
	}
	return &NameTakenError{Name: o.Name, Other: others[0], Others: others}
}

// differences are the reading options that stored and ours differ in.
func differences(stored, ours record.Format) []string {
	var list []string
	differ := func(what string, stored, ours any) {
		if stored != ours {
			list = append(list, fmt.Sprintf("%s: %v then, %v now", what, stored, ours))
		}
	}
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return fmt.Sprintf("%q", text)
	}
	differ("--delimiter", or(stored.Delimiter, "none"), or(ours.Delimiter, "none"))
	differ("--decimal-comma", stored.DecimalComma, ours.DecimalComma)
	differ("--timestamp-format", or(stored.TimestampFormat, "built-in"), or(ours.TimestampFormat, "built-in"))
	differ("--timezone", or(stored.Timezone, "UTC"), or(ours.Timezone, "UTC"))
	differ("number of columns", stored.Fields, ours.Fields)
	differ("place of the timestamp column (--map, --columns)", stored.Timestamp+1, ours.Timestamp+1)
	differ("place of the price column (--map, --columns)", stored.Price+1, ours.Price+1)
	differ("place of the user_id column (--map, --columns)", stored.UserID+1, ours.UserID+1)
	return list
}

// Missing are the batches known to be missing from a load, nil standing for a
// source of which nothing is stored. Where there are more ranges than were
// asked for, everything behind them counts as missing.
func Missing(stored *wire.Load, batches int64) []wire.Range {
	if stored == nil {
		return []wire.Range{{First: 1, Last: batches}}
	}
	ranges := stored.Missing
	if stored.MissingMore && len(ranges) > 0 {
		if last := ranges[len(ranges)-1].Last; last < batches {
			ranges = append(slices.Clip(ranges), wire.Range{First: last + 1, Last: batches})
		}
	}
	return ranges
}

// Smaller are the sizes of the sources under the name that a source of size
// bytes may have grown out of.
func (e *NameTakenError) Smaller(size int64) []int64 {
	var sizes []int64
	for i := range e.Others {
		if other := e.Others[i].Size; other > 0 && other < size {
			sizes = append(sizes, other)
		}
	}
	return sizes
}

// Compare sets Grown if the source of size bytes, whose beginnings have the
// given digests, begins with all of another one; the longest counts.
func (e *NameTakenError) Compare(size int64, beginnings map[int64][sha256.Size]byte) {
	for i := range e.Others {
		other := &e.Others[i]
		digest, known := beginnings[other.Size]
		content, _, _ := strings.Cut(other.Source, "+")
		if known && wire.SourceID(digest, "") == content && (!e.Grown || other.Size > e.Other.Size) {
			e.Grown, e.By, e.Other = true, size-other.Size, *other
		}
	}
}
