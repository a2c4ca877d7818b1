package faults

import (
	"bytes"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/tests/proxy"
)

// point is a place in the way of a batch, as the servers see it.
type point string

// The points of the consumer, in their order, and those of the producer.
const (
	beforeLedger   point = "before the ledger's INSERT"
	midCopy        point = "mid-COPY"
	beforeCommit   point = "before COMMIT"
	commitReply    point = "COMMIT's reply"
	beforeAnnounce point = "the announcement"
	ack            point = "the ack"
	deliver        point = "a message's delivery"
	publish        point = "a batch's publish"
	pubAck         point = "a PubAck"
	reply          point = "a reply of the consumer's service"
)

// judges are the rules of one worker's proxies, each for a point. It is safe for
// concurrent use.
type judges struct {
	mu    sync.Mutex
	rules []*rule
	// begun says that a batch has been claimed: commits before that are the
	// schema's.
	begun bool
}

// rule judges the frames of a point from the from-th on, count of them.
type rule struct {
	point       point
	from, count int
	seen        int
	judge       proxy.Judge
}

// on adds a rule: the judge is asked of count frames of the point, from the
// from-th on (1 is the first).
func (j *judges) on(p point, from, count int, judge proxy.Judge) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rules = append(j.rules, &rule{point: p, from: from, count: count, judge: judge})
}

func (j *judges) ask(p point, frame *proxy.Frame) proxy.Verdict {
	j.mu.Lock()
	j.begun = j.begun || p == beforeLedger
	if !j.begun && (p == beforeCommit || p == commitReply) {
		j.mu.Unlock()
		return proxy.Pass
	}
	var asked []proxy.Judge
	for _, r := range j.rules {
		if r.point != p {
			continue
		}
		r.seen++
		if r.seen >= r.from && r.seen < r.from+r.count {
			asked = append(asked, r.judge)
		}
	}
	j.mu.Unlock()
	verdict := proxy.Pass
	for _, judge := range asked {
		if v := judge(frame); v != proxy.Pass {
			verdict = v
		}
	}
	return verdict
}

func (j *judges) postgres(frame *proxy.Frame) proxy.Verdict {
	switch {
	case frame.Kind == "Bind" && strings.Contains(frame.SQL, "INSERT INTO batches"):
		return j.ask(beforeLedger, frame)
	case frame.Kind == "CopyData" && frame.Direction == proxy.ToServer:
		return j.ask(midCopy, frame)
	case frame.Kind == "Query" && strings.EqualFold(frame.SQL, "commit"):
		return j.ask(beforeCommit, frame)
	case frame.Kind == "CommandComplete" && frame.SQL == "COMMIT":
		return j.ask(commitReply, frame)
	default:
		return proxy.Pass
	}
}

// nats returns the judge of k's connections to NATS, which also notes what the
// journal wants to know.
func (j *judges) nats(k *worker) proxy.Judge {
	log := k.world.journal
	return func(frame *proxy.Frame) proxy.Verdict {
		toServer := frame.Direction == proxy.ToServer
		switch {
		case toServer && strings.HasPrefix(frame.Subject, "$JS.ACK."):
			if !bytes.Contains(frame.Data, []byte("\r\n+ACK\r\n")) {
				return proxy.Pass
			}
			verdict := j.ask(ack, frame)
			if verdict == proxy.Pass || verdict == proxy.Twice || verdict == proxy.Late {
				log.acked()
			}
			return verdict
		case toServer && frame.Subject == "stats.price":
			return j.ask(beforeAnnounce, frame)
		case toServer && strings.HasPrefix(frame.Subject, "rows."):
			return j.ask(publish, frame)
		case toServer && frame.Kind != "SUB" && strings.HasPrefix(frame.Subject, "_INBOX.") && bytes.Contains(frame.Data, []byte(`"plan"`)):
			return j.ask(reply, frame)
		case !toServer && strings.HasPrefix(frame.Reply, "$JS.ACK."):
			d := deliveryOf(frame.Reply)
			log.delivered(d.times, k.world.holdings.handed(k, d))
			return j.ask(deliver, frame)
		case !toServer && strings.HasPrefix(frame.Subject, "_INBOX.") && bytes.Contains(frame.Data, []byte("\r\n{\"stream\":\"ROWS\"")):
			return j.ask(pubAck, frame)
		default:
			return proxy.Pass
		}
	}
}

// locked makes a judge safe for concurrent use that is not.
func locked(judge proxy.Judge) proxy.Judge {
	var mu sync.Mutex
	return func(f *proxy.Frame) proxy.Verdict {
		mu.Lock()
		defer mu.Unlock()
		return judge(f)
	}
}
