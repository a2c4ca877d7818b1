package faults

import (
	"time"

	"github.com/streamgauge/streamgauge/tests/proxy"
)

var connectionFaults = []scenario{
	{
		name: "cut-postgres", what: "connections to PostgreSQL cut before, within or behind a message, several times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(4) {
				p := []point{beforeLedger, midCopy, beforeCommit, commitReply}[w.random.IntN(4)]
				v := []proxy.Verdict{proxy.Cut, proxy.CutWithin, proxy.CutBehind}[w.random.IntN(3)]
				w.consumers[0].judges.on(p, 1+w.random.IntN(12), 1, w.lose("cut at "+string(p), v))
			}
		},
	},
	{
		name: "cut-nats", what: "connections to NATS cut before, within or behind a message, of consumer and producer",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(3) {
				v := []proxy.Verdict{proxy.Cut, proxy.CutWithin, proxy.CutBehind}
				p := []point{deliver, ack, beforeAnnounce}[w.random.IntN(3)]
				w.consumers[0].judges.on(p, 1+w.random.IntN(20), 1, w.lose("consumer cut at "+string(p), v[w.random.IntN(3)]))
				p = []point{publish, pubAck}[w.random.IntN(2)]
				w.producer.judges.on(p, 1+w.random.IntN(80), 1, w.lose("producer cut at "+string(p), v[w.random.IntN(3)]))
			}
		},
	},
	{
		name: "half-open-postgres", what: "connections to PostgreSQL silent in one or both directions, 0.1 to 12 s, sockets open",
		prepare: func(w *world) { w.at(w.somewhere(), func() { w.hold("PostgreSQL", w.consumers[0].postgres) }) },
	},
	{
		name: "half-open-nats", what: "connections to NATS silent in one or both directions, 0.1 to 12 s, sockets open", records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) { w.at(w.somewhere(), func() { w.hold("NATS", w.consumers[0].nats) }) },
	},
	{
		name: "half-open-producer", what: "the producer's connection to NATS silent in one or both directions, 0.1 to 12 s",
		prepare: func(w *world) {
			w.at(w.somewhere(), func() { w.hold("the producer's NATS", w.producer.nats) })
		},
	},
	{
		name: "trickle", what: "all connections slowed to a trickle for up to 3 s",
		prepare: func(w *world) {
			w.at(w.somewhere(), func() {
				d := w.between(500*time.Millisecond, 3*time.Second)
				w.journal.faultf("a trickle for %s at %d records", d, w.stored)
				for _, p := range []*proxy.Proxy{w.consumers[0].nats, w.consumers[0].postgres, w.producer.nats} {
					p.Trickle(d)
				}
			})
		},
	},
	{
		name: "refused", what: "servers unreachable for the consumer (connections cut, new ones ended) for up to 8 s", records: moreThanInHand, batch: manyBatches, merge: 8,
		prepare: func(w *world) {
			w.at(w.somewhere(), func() {
				p, name := w.consumers[0].nats, "NATS"
				if w.random.IntN(2) == 0 {
					p, name = w.consumers[0].postgres, "PostgreSQL"
				}
				d := w.outageTime(100*time.Millisecond, 8*time.Second)
				w.journal.faultf("%s unreachable for %s at %d records", name, d, w.stored)
				p.Refuse(true)
				p.CutAll()
				w.outage(d)
				w.in(d, func() {
					p.Refuse(false)
					w.journal.over()
				})
			})
		},
	},
}

// moreThanInHand are more records than a consumer takes in at a time, in batches of
// manyBatches, so that it stands still without NATS: 1,200 messages, where it holds
// 512.
const (
	moreThanInHand = 60_000
	manyBatches    = 50
)

// hold silences connections and opens them again.
func (w *world) hold(name string, p *proxy.Proxy) {
	d := w.outageTime(100*time.Millisecond, 12*time.Second)
	directions := [][]proxy.Direction{{proxy.ToServer}, {proxy.ToClient}, {proxy.ToServer, proxy.ToClient}}[w.random.IntN(3)]
	for _, direction := range directions {
		p.Hold(direction)
	}
	w.journal.faultf("%s silent in %d directions for %s at %d records", name, len(directions), d, w.stored)
	if p != w.producer.nats {
		w.outage(d)
	}
	w.in(d, func() {
		p.Open()
		w.journal.over()
	})
}
