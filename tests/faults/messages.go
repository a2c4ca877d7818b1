package faults

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/tests/proxy"
)

// lose returns a judge that loses what it is asked of.
func (w *world) lose(what string, verdict proxy.Verdict) proxy.Judge {
	return func(*proxy.Frame) proxy.Verdict {
		w.journal.faultf("%s", what)
		return verdict
	}
}

var messageFaults = []scenario{
	{
		name: "commit-lost", what: "connection to PostgreSQL cut before a COMMIT arrives, up to three times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(3) {
				w.consumers[0].judges.on(beforeCommit, 1+w.random.IntN(12), 1, w.lose("COMMIT lost", proxy.Cut))
			}
		},
	},
	{
		name: "commit-reply-lost", what: "COMMIT done, connection cut before its reply arrives, up to three times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(3) {
				w.consumers[0].judges.on(commitReply, 1+w.random.IntN(12), 1, w.lose("COMMIT's reply lost", proxy.Cut))
			}
		},
	},
	{
		name: "ack-lost", what: "acks of batches lost, up to 20",
		prepare: func(w *world) {
			w.consumers[0].judges.on(ack, 1+w.random.IntN(60), 1+w.random.IntN(20), w.lose("ack lost", proxy.Drop))
		},
	},
	{
		name: "puback-lost", what: "PubAcks lost, up to 20",
		prepare: func(w *world) {
			w.producer.judges.on(pubAck, 1+w.random.IntN(60), 1+w.random.IntN(20), w.lose("PubAck lost", proxy.Drop))
		},
	},
	{
		name: "publish-lost", what: "batches lost on their way to the stream, up to 20",
		prepare: func(w *world) {
			w.producer.judges.on(publish, 1+w.random.IntN(60), 1+w.random.IntN(20), w.lose("publish lost", proxy.Drop))
		},
	},
	{
		name: "delivery-lost", what: "deliveries to the consumer lost, up to 20",
		prepare: func(w *world) {
			w.consumers[0].judges.on(deliver, 1+w.random.IntN(60), 1+w.random.IntN(20), w.lose("delivery lost", proxy.Drop))
		},
	},
	{
		name: "reply-lost", what: "replies of the consumer's service lost, up to 3",
		prepare: func(w *world) {
			w.consumers[0].judges.on(reply, 1, 1+w.random.IntN(3), w.lose("service's reply lost", proxy.Drop))
		},
	},
	{
		name: "shuffled", what: "publishes, deliveries, acks and announcements delayed, duplicated and out of order, two consumers", consumers: 2, reorders: true,
		prepare: func(w *world) {
			shuffle := func(what string) proxy.Judge {
				rates := w.random.Uint64()
				n := uint64(0)
				return func(*proxy.Frame) proxy.Verdict {
					n++
					switch (rates ^ n*0x9E3779B97F4A7C15) >> 61 {
					case 0:
						w.journal.faultf("%s duplicated", what)
						return proxy.Twice
					case 1, 2:
						w.journal.faultf("%s delayed", what)
						return proxy.Late
					default:
						return proxy.Pass
					}
				}
			}
			const all = 1 << 30
			w.producer.judges.on(publish, 1, all, locked(shuffle("publish")))
			for _, k := range w.consumers {
				k.judges.on(deliver, 1, all, locked(shuffle("delivery")))
				k.judges.on(ack, 1, all, locked(shuffle("ack")))
				k.judges.on(beforeAnnounce, 1, all, locked(shuffle("announcement")))
			}
		},
	},
	{
		name: "same-keys", what: "every batch published twice and out of order, four consumers with the same keys in hand: no deadlock", consumers: 4, merge: 16, batch: 20,
		prepare: func(w *world) {
			random := rand.New(rand.NewPCG(w.random.Uint64(), 0)) // the judge's own
			w.producer.judges.on(publish, 1, 1<<30, locked(func(f *proxy.Frame) proxy.Verdict {
				f.Delay = time.Duration(1 + random.Int64N(int64(5*time.Millisecond)))
				if random.IntN(2) == 0 {
					return proxy.Late
				}
				w.journal.faultf("publish duplicated")
				return proxy.Twice
			}))
			for _, k := range w.consumers {
				// While a COMMIT is held, so are its keys.
				k.judges.on(beforeCommit, 1, 1<<30, func(*proxy.Frame) proxy.Verdict {
					hold := time.NewTimer(20 * time.Millisecond)
					<-hold.C
					return proxy.Pass
				})
			}
		},
	},
	{
		name: "poison", what: "40 messages planted that are no batches: garbage, truncated, another version, a wrong digest", dead: planted,
		prepare: func(w *world) { w.at(w.somewhere(), func() { plant(w) }) },
	},
}

// planted is how many messages plant publishes.
const planted = 40

// plant publishes what can't be read as a batch.
func plant(w *world) {
	js := w.env.JetStream(w.t)
	for i := range planted {
		body := []byte("1/10/2012,50,9\n")
		msg := &nats.Msg{Subject: "rows.price", Data: body, Header: nats.Header{
			"Streamgauge-Version": {"1"}, "Streamgauge-Source": {fmt.Sprintf("%064x", i)}, "Streamgauge-Name": {"planted.csv"},
			"Streamgauge-Size": {"100"}, "Streamgauge-Batch": {"1"}, "Streamgauge-Batches": {"1"}, "Streamgauge-First-Line": {"2"},
			"Streamgauge-Records": {"1"}, "Streamgauge-Plan": {`{"delimiter":",","fields":3,"timestamp":0,"price":1,"user_id":2,"batch_size":100}`},
			"Streamgauge-Digest": {fmt.Sprintf("%064x", w.random.Uint64())},
		}}
		switch i % 4 {
		case 0:
			msg.Header = nil
		case 1:
			msg.Data = body[:w.random.IntN(len(body))]
		case 2:
			msg.Header["Streamgauge-Version"] = []string{"99"}
		}
		ctx, cancel := w.context(10 * time.Second)
		if _, err := js.PublishMsg(ctx, msg); err != nil {
			w.t.Fatal(err)
		}
		cancel()
	}
	w.journal.faultf("%d messages planted that are no batches", planted)
}
