package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/producer/internal/survey"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// A source is known by the name it was sent under first, and so many are known at
// a time.
func TestNames(t *testing.T) {
	var n names
	n.add("a", "1", 10)
	n.add("b", "1", 10)
	n.add("a", "2", 20)
	if len(n.under["a"]) != 2 || len(n.under["b"]) != 0 {
		t.Errorf("%d under a, %d under b", len(n.under["a"]), len(n.under["b"]))
	}
	n.forget(n.under["a"][0])
	n.add("b", "1", 10)
	if len(n.under["a"]) != 1 || len(n.under["b"]) != 1 {
		t.Errorf("%d under a, %d under b when one was forgotten", len(n.under["a"]), len(n.under["b"]))
	}
	for i := range maxNames {
		n.add(fmt.Sprint("c", i), fmt.Sprint("c", i), 1)
	}
	if len(n.under) != maxNames || len(n.sources) != maxNames || len(n.oldest) != maxNames || n.under["a"] != nil || n.under["c0"] == nil {
		t.Errorf("%d names, %d sources, %d in their order", len(n.under), len(n.sources), len(n.oldest))
	}
}

// database answers as a consumer does, out of the loads that it has.
type database []wire.Load

// RequestMsgWithContext implements load.Requester.
func (d *database) RequestMsgWithContext(_ context.Context, msg *nats.Msg) (*nats.Msg, error) {
	var question wire.LoadRequest
	if err := json.Unmarshal(msg.Data, &question); err != nil {
		return nil, err
	}
	var reply wire.LoadReply
	for _, l := range *d {
		if l.Source == question.Source {
			reply.Load = &l
		}
		if l.Name == question.Name && !l.Retired {
			reply.Named = append(reply.Named, l)
		}
	}
	data, err := json.Marshal(reply)
	return &nats.Msg{Data: data}, err
}

// What was sent under a name keeps other content from it for as long as it may
// have it.
func TestNameSentBefore(t *testing.T) {
	const first, second, third = "1", "2", "3"
	for name, c := range map[string]struct {
		stored   []wire.Load
		queued   bool // the error is of what is not stored
		refused  bool
		remember bool // what was sent first, still
	}{
		"nothing stored":          {nil, true, true, true},
		"stored":                  {[]wire.Load{{Source: first, Name: "a", Batches: 1}}, false, true, true},
		"taken back":              {[]wire.Load{{Source: first, Name: "a", Batches: 1, Retired: true}}, false, false, false},
		"stored by another name":  {[]wire.Load{{Source: first, Name: "b", Batches: 1}}, false, false, false},
		"others, by another name": {[]wire.Load{{Source: third, Name: "b", Batches: 1}}, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			stored := database(c.stored)
			r := &run{Link: Link{Service: load.NewService(&stored)}}
			r.names.add("a", first, 10)
			d := &delivery{run: r, survey: new(survey.Survey), ours: load.Ours{Source: second, Name: "a"}}
			err := d.judgeSent(t.Context())
			taken, refused := errors.AsType[*load.NameTakenError](err)
			if refused != c.refused || refused && taken.Queued != c.queued {
				t.Errorf("judged %v", err)
			}
			if refused && c.queued && !strings.Contains(err.Error(), "(sent in this run, not stored yet, sha256 1") {
				t.Errorf("told as %q", err)
			}
			if known := len(r.names.under["a"]) > 0; known != c.remember {
				t.Errorf("what was sent first is known: %v", known)
			}
		})
	}
}

// What turns out not to get the name keeps nobody from it.
func TestNameNotGot(t *testing.T) {
	stored := database{{Source: "1", Name: "a", Batches: 1}}
	r := &run{Link: Link{Service: load.NewService(&stored)}}
	d := &delivery{run: r, survey: new(survey.Survey), ours: load.Ours{Source: "2", Name: "a"}}
	d.remember()
	if err := d.judgeAgain(t.Context()); err == nil {
		t.Error("the name is taken, and nothing is said")
	}
	stored = slices.Delete(stored, 0, 1)
	d.ours.Source = "3"
	if err := d.judgeSent(t.Context()); err != nil {
		t.Error(err)
	}
}
