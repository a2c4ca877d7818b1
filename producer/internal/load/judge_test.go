package load

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

var (
	digest      = sha256.Sum256([]byte("ours"))
	otherDigest = sha256.Sum256([]byte("other"))
	plan        = wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 500}
)

func ours() Ours {
	return Ours{Source: wire.SourceID(digest, ""), Name: "a.csv", Plan: plan, Records: 1000, Batches: 2}
}

// stored is ours as the database has it, with one change.
func stored(change func(*wire.Load)) *wire.Load {
	l := &wire.Load{Source: wire.SourceID(digest, ""), Name: "a.csv", Plan: plan, Batches: 2, Done: 2, Rows: 990, Rejected: 10}
	if change != nil {
		change(l)
	}
	return l
}

func TestJudgeAccepts(t *testing.T) {
	labelled := wire.Load{Source: wire.SourceID(otherDigest, "x"), Name: "a.csv"}
	for name, c := range map[string]struct {
		change func(*Ours)
		reply  wire.LoadReply
	}{
		"complete":                   {nil, wire.LoadReply{Load: stored(nil)}},
		"half done":                  {nil, wire.LoadReply{Load: stored(func(l *wire.Load) { l.Done, l.Rows, l.Rejected = 1, 500, 0 })}},
		"under another name":         {nil, wire.LoadReply{Load: stored(func(l *wire.Load) { l.Name = "b.csv" })}},
		"beside others, stored":      {nil, wire.LoadReply{Load: stored(nil), Named: []wire.Load{labelled}}},
		"absent":                     {nil, wire.LoadReply{}},
		"absent, name taken by same": {nil, wire.LoadReply{Named: []wire.Load{{Source: wire.SourceID(digest, "")}}}},
		"absent, same name allowed":  {func(o *Ours) { o.SameName = true }, wire.LoadReply{Named: []wire.Load{labelled}}},
	} {
		t.Run(name, func(t *testing.T) {
			o := ours()
			if c.change != nil {
				c.change(&o)
			}
			got, err := o.Judge(&c.reply)
			if err != nil || got != c.reply.Load {
				t.Errorf("Judge = %v, %v", got, err)
			}
		})
	}
}

func TestJudgeRefuses(t *testing.T) {
	one := func(l *wire.Load) wire.LoadReply { return wire.LoadReply{Load: l} }
	for name, c := range map[string]struct {
		reply  wire.LoadReply
		target any
		want   string
	}{
		"other batch size": {one(stored(func(l *wire.Load) { l.Plan.BatchSize, l.Batches = 100, 10 })), new(*OtherBatchSizeError), "batches of 100 records"},
		"other delimiter":  {one(stored(func(l *wire.Load) { l.Plan.Delimiter = ";" })), new(*FormatError), `--delimiter: ";" then, "," now`},
		"decimal comma":    {one(stored(func(l *wire.Load) { l.Plan.DecimalComma = true })), new(*FormatError), "--decimal-comma: true then, false now"},
		"other zone":       {one(stored(func(l *wire.Load) { l.Plan.Timezone = "Europe/Madrid" })), new(*FormatError), `--timezone: "Europe/Madrid" then, UTC now`},
		"other times":      {one(stored(func(l *wire.Load) { l.Plan.TimestampFormat = "%Y" })), new(*FormatError), `--timestamp-format: "%Y" then, built-in now`},
		"other column":     {one(stored(func(l *wire.Load) { l.Plan.Price = 0 })), new(*FormatError), "place of the price column (--map, --columns): 1 then, 2 now"},
		"both":             {one(stored(func(l *wire.Load) { l.Plan.Price, l.Plan.BatchSize = 0, 1 })), new(*FormatError), "place of the price column"},
		"taken back":       {one(stored(func(l *wire.Load) { l.Retired, l.Done, l.Rows, l.Rejected = true, 0, 0, 0 })), new(*RetiredError), "--label NAME loads it again"},
		"other batches":    {one(stored(func(l *wire.Load) { l.Batches = 3 })), new(*CountError), "expects 3 batches of it"},
		"too few records":  {one(stored(func(l *wire.Load) { l.Rows-- })), new(*CountError), "989 rows and 10 rejects"},
		"other content": {
			wire.LoadReply{Named: []wire.Load{{Source: wire.SourceID(otherDigest, ""), Rows: 7}}},
			new(*NameTakenError), "its content differs from what was loaded under this name (7 rows",
		},
		"same content, labelled": {
			wire.LoadReply{Named: []wire.Load{{Source: wire.SourceID(otherDigest, "")}, {Source: wire.SourceID(digest, "x")}}},
			new(*NameTakenError), "loaded already, under the label x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := ours()
			got, err := o.Judge(&c.reply)
			if got != nil || !errors.As(err, c.target) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Judge = %v, %v, want %T with %q", got, err, c.target, c.want)
			}
		})
	}
}

// The difference named must be the one there is: no field of a format may
// differ without being told.
func TestEveryDifferenceOfAFormatIsNamed(t *testing.T) {
	base := plan.Format
	for i, other := range []record.Format{
		{Delimiter: ";"}, {DecimalComma: true}, {Fields: 9}, {Timestamp: 9}, {Price: 9}, {UserID: 9}, {TimestampFormat: "%Y"}, {Timezone: "Asia/Tokyo"},
	} {
		changed := base
		switch {
		case other.Delimiter != "":
			changed.Delimiter = other.Delimiter
		case other.DecimalComma:
			changed.DecimalComma = true
		case other.Fields != 0:
			changed.Fields = other.Fields
		case other.Timestamp != 0:
			changed.Timestamp = other.Timestamp
		case other.Price != 0:
			changed.Price = other.Price
		case other.UserID != 0:
			changed.UserID = other.UserID
		case other.TimestampFormat != "":
			changed.TimestampFormat = other.TimestampFormat
		default:
			changed.Timezone = other.Timezone
		}
		if got := differences(base, changed); len(got) != 1 {
			t.Errorf("difference %d is told as %q", i, got)
		}
	}
}

func TestGrown(t *testing.T) {
	short, long := sha256.Sum256([]byte("short")), sha256.Sum256([]byte("long"))
	taken := &NameTakenError{Others: []wire.Load{
		{Source: wire.SourceID(otherDigest, ""), Size: 70},
		{Source: wire.SourceID(short, ""), Size: 10, Rows: 1},
		{Source: wire.SourceID(long, "x"), Size: 50, Rows: 5},
		{Source: wire.SourceID(otherDigest, ""), Size: 100},
		{Source: wire.SourceID(otherDigest, ""), Size: 200},
	}}
	taken.Other = taken.Others[0]
	if diff := cmp.Diff([]int64{70, 10, 50}, taken.Smaller(100)); diff != "" {
		t.Errorf("sizes to compare (-want +got):\n%s", diff)
	}
	taken.Compare(100, map[int64][32]byte{70: digest, 10: short, 50: long})
	if !taken.Grown || taken.By != 50 || taken.Other.Rows != 5 {
		t.Errorf("taken = %+v, want grown by 50 out of the longest", taken)
	}
	if got := taken.Error(); !strings.Contains(got, "it has grown by 50 bytes since it was loaded (5 rows") || !strings.Contains(got, "the old rows a second time") {
		t.Errorf("told as %q", got)
	}
}

func TestMissing(t *testing.T) {
	ranges := []wire.Range{{First: 2, Last: 3}, {First: 7, Last: 7}}
	for name, c := range map[string]struct {
		stored *wire.Load
		want   []wire.Range
	}{
		"nothing stored":   {nil, []wire.Range{{First: 1, Last: 10}}},
		"some":             {&wire.Load{Missing: ranges}, ranges},
		"and more":         {&wire.Load{Missing: ranges, MissingMore: true}, append(ranges[:2:2], wire.Range{First: 8, Last: 10})},
		"and more, at end": {&wire.Load{Missing: []wire.Range{{First: 9, Last: 10}}, MissingMore: true}, []wire.Range{{First: 9, Last: 10}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Missing(c.stored, 10)); diff != "" {
				t.Errorf("ranges (-want +got):\n%s", diff)
			}
		})
	}
}
