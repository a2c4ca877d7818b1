package faults

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/netns"
)

// parts are the hosts of a run on a network of its own: a cluster's servers, or
// the ways to the servers elsewhere, and the programs.
type parts struct {
	network        *netns.Network
	cluster        []*netns.Host
	nats, postgres *netns.Host
	programs       *netns.Host
}

func newParts(t *testing.T, cluster bool) parts {
	t.Helper()
	p := parts{network: netns.New(t)}
	p.programs, p.postgres = p.network.Host("programs"), p.network.Host("postgres")
	if !cluster {
		p.nats = p.network.Host("nats")
		return p
	}
	for i := range 3 {
		p.cluster = append(p.cluster, p.network.Host(fmt.Sprintf("n%d", i+1)))
	}
	return p
}

// places are where the cluster's servers run.
func (p parts) places() []harness.Place {
	var places []harness.Place
	for _, h := range p.cluster {
		places = append(places, harness.Place{Address: h.Address, Through: h.Through(), Dialer: dialer{p.network.Switch}})
	}
	return places
}

// dialer is nats.CustomDialer.
type dialer struct{ host *netns.Host }

func (d dialer) Dial(network, address string) (net.Conn, error) { return d.host.Dial(network, address) }

// through is where the programs run, nil for here.
func (p parts) through() []string {
	if p.programs == nil {
		return nil
	}
	return p.programs.Through()
}

// listener listens on a host, or here where that is nil.
func (w *world) listener(h *netns.Host) net.Listener {
	w.t.Helper()
	var listener net.Listener
	var err error
	if h == nil {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	} else {
		listener, err = h.Listen()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return listener
}

var partitionFaults = []scenario{
	{
		name: "partition-minority", what: "cluster of three, R3, on a network of its own: a server cut off from the other two for up to 12 s, all within reach of the programs", cluster: true, network: true, asked: true, reorders: true, records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) {
			w.partition(12*time.Second, func(n []*netns.Host) string {
				w.parts.network.CutBoth(n[0], n[1])
				w.parts.network.CutBoth(n[0], n[2])
				return n[0].Name + " cut off from the others"
			})
		},
	},
	{
		name: "partition-all", what: "cluster of three, R3, on a network of its own: each server cut off from each other, none with a majority, for up to 8 s", cluster: true, network: true, reorders: true, records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) {
			w.partition(8*time.Second, func(n []*netns.Host) string {
				w.parts.network.CutBoth(n[0], n[1])
				w.parts.network.CutBoth(n[0], n[2])
				w.parts.network.CutBoth(n[1], n[2])
				return "all servers cut off from each other"
			})
		},
	},
	{
		name: "partition-one-way", what: "cluster of three, R3, on a network of its own: what a server sends the others lost for up to 12 s, not what they send it", cluster: true, network: true, asked: true, reorders: true, records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) {
			w.partition(12*time.Second, func(n []*netns.Host) string {
				w.parts.network.Cut(n[0], n[1])
				w.parts.network.Cut(n[0], n[2])
				return "what " + n[0].Name + " sends the others is lost"
			})
		},
	},
	{
		name: "partition-clients", what: "cluster of three, R3, on a network of its own: a server and the programs cut off from the other two for up to 8 s", cluster: true, network: true, reorders: true, records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) {
			w.partition(8*time.Second, func(n []*netns.Host) string {
				for _, other := range n[1:] {
					w.parts.network.CutBoth(n[0], other)
					w.parts.network.CutBoth(w.parts.programs, other)
				}
				return n[0].Name + " and the programs cut off from the others"
			})
		},
	},
	{
		name: "partition-nats", what: "on a network of its own: what programs and NATS send each other lost, both ways or one, for up to 12 s", network: true, reorders: true, records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) { w.partition(12*time.Second, w.cutPrograms(func() *netns.Host { return w.parts.nats })) },
	},
	{
		name: "partition-postgres", what: "on a network of its own: what programs and PostgreSQL send each other lost, both ways or one, for up to 12 s", network: true, records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) {
			w.partition(12*time.Second, w.cutPrograms(func() *netns.Host { return w.parts.postgres }))
		},
	},
}

// partition has packets get lost somewhere in the work, for a while. cut gets the
// cluster's servers in an order that is drawn, and says what it did.
func (w *world) partition(most time.Duration, cut func(cluster []*netns.Host) string) {
	draw := w.between
	if len(w.parts.cluster) == 0 {
		draw = w.outageTime
	}
	d := draw(time.Second, most)
	cluster := make([]*netns.Host, len(w.parts.cluster))
	for i, at := range w.random.Perm(len(cluster)) {
		cluster[i] = w.parts.cluster[at]
	}
	w.at(w.somewhere(), func() {
		w.journal.faultf("%s at %d records, for %s", cut(cluster), w.stored, d)
		if len(cluster) == 0 {
			w.outage(d)
		}
		w.in(d, func() {
			w.parts.network.Mend()
			w.journal.over()
		})
	})
}

func (w *world) cutPrograms(from func() *netns.Host) func([]*netns.Host) string {
	direction := w.random.IntN(3)
	return func([]*netns.Host) string {
		n, server, programs := w.parts.network, from(), w.parts.programs
		switch direction {
		case 0:
			n.Cut(programs, server)
			return "what the programs send " + server.Name + " is lost"
		case 1:
			n.Cut(server, programs)
			return "what " + server.Name + " sends the programs is lost"
		default:
			n.CutBoth(programs, server)
			return "programs and " + server.Name + " cut off from each other"
		}
	}
}
