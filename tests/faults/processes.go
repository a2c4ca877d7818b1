package faults

import (
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/tests/proxy"
)

// ackWait is the topology's AckWait, with the time that redelivery takes.
const ackWait = 6 * time.Second

var processFaults = []scenario{
	{
		name: "kill-consumer", what: "consumer killed (SIGKILL), one to four times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(4) {
				w.at(w.somewhere(), func() {
					w.journal.faultf("consumer killed at %d records", w.stored)
					w.consumers[0].signal(syscall.SIGKILL)
					w.journal.over()
				})
			}
		},
	},
	{
		name: "kill-unwaited", what: "consumer killed (SIGKILL) before COMMIT and at random, the producer long gone: acked means committed", unwaited: true,
		prepare: func(w *world) {
			k := w.consumers[0]
			k.judges.on(beforeCommit, 1+w.random.IntN(8), 1, func(*proxy.Frame) proxy.Verdict {
				w.journal.faultf("consumer killed before COMMIT")
				k.signal(syscall.SIGKILL)
				return proxy.Pass
			})
			for range 1 + w.random.IntN(2) {
				w.at(w.somewhere(), func() {
					w.journal.faultf("consumer killed at %d records", w.stored)
					k.signal(syscall.SIGKILL)
					w.journal.over()
				})
			}
		},
	},
	{
		name: "kill-producer", what: "producer killed (SIGKILL), one to four times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(4) {
				w.at(w.somewhere(), func() {
					w.journal.faultf("producer killed at %d records", w.stored)
					w.producer.signal(syscall.SIGKILL)
				})
			}
		},
	},
	{
		name: "terminate", what: "SIGTERM to the consumer, SIGINT to the producer, several times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(3) {
				w.at(w.somewhere(), func() {
					w.journal.faultf("SIGTERM to the consumer at %d records", w.stored)
					w.consumers[0].signal(syscall.SIGTERM)
				})
				w.at(w.somewhere(), func() {
					w.journal.faultf("SIGINT to the producer at %d records", w.stored)
					w.producer.signal(syscall.SIGINT)
				})
			}
		},
	},
	{
		name: "freeze-consumer", what: "consumer stopped (SIGSTOP) past AckWait, then continued, another at work", consumers: 2,
		prepare: func(w *world) {
			w.at(w.somewhere(), func() {
				d := ackWait + w.between(0, 3*time.Second)
				w.journal.faultf("consumer 1 frozen for %s at %d records", d, w.stored)
				w.consumers[0].freeze(d)
				w.journal.over()
			})
		},
	},
	{
		name: "freeze-producer", what: "producer stopped (SIGSTOP) for up to 9 s, then continued",
		prepare: func(w *world) {
			w.at(w.somewhere(), func() {
				d := w.between(time.Second, 9*time.Second)
				w.journal.faultf("producer frozen for %s at %d records", d, w.stored)
				w.producer.freeze(d)
			})
		},
	},
	{
		name: "named-points", what: "consumer killed, terminated or stopped at a named point: before the ledger, mid-COPY, before COMMIT, at its reply, around the ack, at the announcement", consumers: 2,
		prepare: atNamedPoints,
	},
	{
		name: "frozen-mid-copy", what: "consumer stopped (SIGSTOP) mid-COPY for up to 20 s while others get its messages", consumers: 3,
		prepare: func(w *world) {
			first := w.consumers[0]
			d := w.between(8*time.Second, 20*time.Second)
			first.judges.on(midCopy, 1+w.random.IntN(4), 1, func(*proxy.Frame) proxy.Verdict {
				w.journal.faultf("consumer 1 frozen mid-COPY for %s", d)
				first.freeze(d)
				w.journal.over()
				return proxy.Pass
			})
		},
	},
	{
		name: "many-consumers", what: "two to eight consumers, small merges, some killed", consumers: 8, records: 20_000, count: 2,
		prepare: func(w *world) {
			w.consumers = w.consumers[:2+w.random.IntN(7)]
			for range 1 + w.random.IntN(5) {
				w.at(w.somewhere(), func() {
					k := w.consumers[w.random.IntN(len(w.consumers))]
					w.journal.faultf("%s of %d killed at %d records", k.name, len(w.consumers), w.stored)
					k.signal(syscall.SIGKILL)
					w.journal.over()
				})
			}
		},
	},
}

// atNamedPoints strikes at one point of each of two consumers.
func atNamedPoints(w *world) {
	points := []point{beforeLedger, midCopy, beforeCommit, commitReply, beforeAnnounce, ack}
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSTOP}
	for _, k := range w.consumers {
		p := points[w.random.IntN(len(points))]
		signal := signals[w.random.IntN(len(signals))]
		behind := w.random.IntN(2) == 1
		d := ackWait + w.between(0, 2*time.Second)
		k.judges.on(p, 1+w.random.IntN(8), 1, func(f *proxy.Frame) proxy.Verdict {
			strike := func() {
				w.journal.faultf("%s: %s at %s, behind it: %t", k.name, signal, p, behind)
				if signal == syscall.SIGSTOP {
					k.freeze(d)
				} else {
					k.signal(signal)
				}
				w.journal.over()
			}
			if behind {
				f.Then = strike
			} else {
				strike()
			}
			return proxy.Pass
		})
	}
}
