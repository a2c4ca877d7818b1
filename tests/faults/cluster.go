package faults

import (
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
)

var clusterFaults = []scenario{
	{
		name: "leader-killed", what: "cluster of three, R3: the stream's leader killed (SIGKILL), back after up to 5 s, once or twice", cluster: true, reorders: true,
		prepare: func(w *world) {
			for range 1 + w.random.IntN(2) {
				d := w.between(0, 5*time.Second)
				w.at(w.somewhere(), func() {
					n := w.leader()
					if !running(n) {
						return // the one before is not back yet
					}
					w.journal.faultf("leader %s killed at %d records, for %s", n.Name, w.stored, d)
					n.Kill(w.t)
					w.journal.over()
					w.in(d, func() { n.Start(w.t) })
				})
			}
		},
	},
	{
		name: "rolling-restart", what: "cluster of three, R3: each server stopped and started, one after the other", cluster: true, reorders: true, records: 60_000,
		prepare: func(w *world) {
			order := w.random.Perm(len(w.env.Cluster))
			for i, at := range order {
				w.at(0.2+0.25*float64(i), func() {
					n := w.env.Cluster[at]
					w.journal.faultf("%s restarted at %d records", n.Name, w.stored)
					n.Stop(w.t)
					n.Start(w.t)
					w.journal.over()
				})
			}
		},
	},
	{
		name: "node-frozen", what: "cluster of three, R3: one server cut off from the others and from its clients (SIGSTOP) for up to 12 s", cluster: true, reorders: true,
		prepare: func(w *world) { w.at(w.somewhere(), func() { w.freezeServers(1) }) },
	},
	{
		name: "quorum-lost", what: "cluster of three, R3: two servers cut off (SIGSTOP) for up to 8 s", cluster: true, reorders: true,
		prepare: func(w *world) { w.at(w.somewhere(), func() { w.freezeServers(2) }) },
	},
}

// leader is the server that leads the stream ROWS, or any while there is none.
func (w *world) leader() *harness.NATSServer {
	ctx, cancel := w.context(stepTime)
	defer cancel()
	js := w.env.JetStream(w.t)
	if stream, err := js.Stream(ctx, topology.StreamRows); err == nil && stream.CachedInfo().Cluster != nil {
		for _, n := range w.env.Cluster {
			if n.Name == stream.CachedInfo().Cluster.Leader {
				return n
			}
		}
	}
	return w.env.Cluster[w.random.IntN(len(w.env.Cluster))]
}

func running(n *harness.NATSServer) bool {
	select {
	case <-n.Process().Exited():
		return false
	default:
		return true
	}
}

func (w *world) freezeServers(count int) {
	d := w.between(time.Second, 12*time.Second/time.Duration(count))
	var frozen []*harness.NATSServer
	for _, at := range w.random.Perm(len(w.env.Cluster))[:count] {
		frozen = append(frozen, w.env.Cluster[at])
	}
	w.journal.faultf("%d of %d servers frozen at %d records, for %s", count, len(w.env.Cluster), w.stored, d)
	for _, n := range frozen {
		n.Process().Signal(w.t, syscall.SIGSTOP)
	}
	w.in(d, func() {
		for _, n := range frozen {
			n.Process().Signal(w.t, syscall.SIGCONT)
		}
		w.journal.over()
	})
}
