package answer

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"github.com/nats-io/nats.go/micro"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// question is a request that keeps what it is answered.
type question struct {
	micro.Request // whose other methods are not called

	data    []byte
	answers []string
	code    string
}

func (q *question) Data() []byte    { return q.data }
func (q *question) Subject() string { return "streamgauge.load" }

func (q *question) Respond(data []byte, _ ...micro.RespondOpt) error {
	q.answers = append(q.answers, string(data))
	return nil
}

func (q *question) Error(code, description string, _ []byte, _ ...micro.RespondOpt) error {
	q.code = code
	q.answers = append(q.answers, description)
	return nil
}

// mirror answers with what it was asked.
type mirror struct {
	t    *testing.T
	fail bool
}

func (m mirror) Latest(context.Context) (*stats.Snapshot, error) { return nil, errors.New("not asked") }

func (m mirror) Ask(_ context.Context, request wire.LoadRequest) (*wire.LoadReply, error) {
	if request.Source+request.Name == "" || strings.Contains(request.Source+request.Name, "\x00") {
		m.t.Fatalf("the database was asked for %+v", request)
	}
	if m.fail {
		return nil, errors.New("no database")
	}
	return &wire.LoadReply{
		Load: &wire.Load{Source: request.Source, Name: request.Name, Rejects: []wire.Reject{{Raw: []byte(request.Name)}}},
		Dead: []wire.DeadBatch{{Reason: request.Name}},
	}, nil
}

// FuzzQuestion puts any bytes as a question. It is answered once, with an error
// or with one line of JSON that is safe to show and says what the database said.
func FuzzQuestion(f *testing.F) {
	for _, seed := range []string{
		`{"source":"x","missing":-5}`, `{"name":"a.csv","rejects":99999999}`, `{}`, `{"name":""}`, `{"name":"\u0000"}`, `{"source":"\u0000"}`,
		"{\"name\":\"\u009b2J\u202e\x7f\"}", `{"name":"\u001b[2J\r\n"}`, "{\"name\":\"\xff\"}", `[]`, `null`, ``, `{"name":1}`,
	} {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte(`{"name":"a"}`), true)
	f.Fuzz(func(t *testing.T, data []byte, fail bool) {
		s := &endpoints{ctx: t.Context(), database: mirror{t, fail}, logger: slog.New(slog.DiscardHandler)}
		q := &question{data: data}
		s.load(q)
		if len(q.answers) != 1 {
			t.Fatalf("%q got the answers %q", data, q.answers)
		}
		for _, r := range q.answers[0] {
			if !unicode.IsPrint(r) {
				t.Fatalf("%U in the answer %q", r, q.answers[0])
			}
		}
		var asked wire.LoadRequest
		askable := json.Unmarshal(data, &asked) == nil && asked.Source+asked.Name != "" && !strings.Contains(asked.Source+asked.Name, "\x00")
		switch {
		case !askable && q.code != codeBadRequest, askable && fail && q.code != codeUnavailable:
			t.Fatalf("%q got code %q", data, q.code)
		case q.code != "":
			return
		}
		var reply wire.LoadReply
		if err := json.Unmarshal([]byte(q.answers[0]), &reply); err != nil {
			t.Fatal(err)
		}
		if reply.Load.Name != asked.Name || reply.Load.Source != asked.Source || reply.Dead[0].Reason != asked.Name || string(reply.Load.Rejects[0].Raw) != asked.Name {
			t.Fatalf("%+v was answered with %s", asked, q.answers[0])
		}
	})
}
