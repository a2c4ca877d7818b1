package simulation

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/consumer/internal/decode"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// kind is what has to become of a message.
type kind int

const (
	good        kind = iota // stored, unless another plan of its source was first
	poison                  // set aside, since PostgreSQL refuses a value
	undecodable             // set aside
)

// fixture is a message as a producer, or anyone, publishes it.
type fixture struct {
	kind   kind
	name   string
	key    key
	header nats.Header
	data   []byte
	batch  *store.Batch // as it has to reach the database; nil where undecodable
}

// key is what the ledger knows a batch by, and its plan.
type key struct {
	source, plan string
	number       int64
}

// Each source has six records. The first plan cuts them into three batches, the
// second into two.
const (
	sources = 3
	plans   = 2
	records = 6
)

var fixtures = makeFixtures()

type fixtureSet struct {
	batches [sources][plans][]*fixture
	poison  []*fixture
	garbage []*fixture
	sources [sources]string // their ids
	byKey   map[key]*fixture
	byData  map[*byte]*fixture // by the first byte of the body
}

func makeFixtures() *fixtureSet {
	set := &fixtureSet{byKey: make(map[key]*fixture), byData: make(map[*byte]*fixture)}
	for s := range sources {
		for p, size := range [plans]int{2, 3} {
			for n := range records / size {
				f := encode(fmt.Sprintf("file%d", s), size, n, good)
				set.batches[s][p] = append(set.batches[s][p], f)
				set.sources[s] = f.key.source
				set.know(f)
			}
		}
	}
	for i := range 2 {
		set.poison = append(set.poison, encode(fmt.Sprintf("poison%d", i), records, 0, poison))
		set.garbage = append(set.garbage, &fixture{
			kind: undecodable, name: fmt.Sprintf("garbage%d", i),
			header: nats.Header{"A": {"b"}}, data: []byte("1/1/2012,1,1\n"),
		})
		set.know(set.poison[i])
		set.know(set.garbage[i])
	}
	return set
}

func (set *fixtureSet) know(f *fixture) {
	set.byData[&f.data[0]] = f
	if f.batch != nil {
		set.byKey[f.key] = f
	}
}

func encode(name string, size, n int, k kind) *fixture {
	var body strings.Builder
	for i := range size {
		record := n*size + i
		price := fmt.Sprint(len(name) + record)
		switch record {
		case 1:
			price = ""
		case 4:
			price = "dear"
		}
		fmt.Fprintf(&body, "1/%d/2012,%s,%d\n", 1+record, price, record)
	}
	b := &wire.Batch{
		Source: wire.SourceID(sha256.Sum256([]byte(name)), ""), Name: name, Size: 1 << 10,
		Number: int64(n + 1), Batches: int64(records / size), FirstLine: int64(2 + n*size), Records: size,
		Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: size},
		Body: []byte(body.String()),
	}
	header, err := b.Encode()
	if err != nil {
		panic(err)
	}
	f := &fixture{
		kind: k, name: fmt.Sprintf("%s/%d of %d", name, b.Number, b.Batches), header: header, data: b.Body,
		key: key{b.Source, fmt.Sprint(size), b.Number},
	}
	if f.batch, err = new(decode.Decoder).Decode(f.content()); err != nil {
		panic(err)
	}
	return f
}

func (f *fixture) content() *decode.Message { return &decode.Message{Header: f.header, Data: f.data} }
