package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

func TestEncode(t *testing.T) {
	b := validBatch()
	h, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := message()
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error("want -, got +", diff)
	}

	b.Name, b.SameName, b.Records = "a b+c/1%.csv", true, 1
	b.Body = make([]byte, record.MaxLength)
	b.Long = &wire.Long{Length: record.MaxLength + 1}
	if h, err = b.Encode(); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(h[wire.HeaderName], h[wire.HeaderSameName], h[wire.HeaderLongLength], h[wire.HeaderLongDigest])
	if want := "[a%20b%2Bc%2F1%25.csv] [allowed] [65537] [" + strings.Repeat("0", 64) + "]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func validBatch() *wire.Batch {
	h, data := message()
	var d wire.Decoder
	b, err := d.Decode(h, data)
	if err != nil {
		panic(err)
	}
	return &b
}

func TestEncodeRefusesWhatBreaksTheSpecification(t *testing.T) {
	for _, test := range []struct {
		rule  string
		spoil func(*wire.Batch)
		want  string
	}{
		{"source", func(b *wire.Batch) { b.Source = "" }, "header Streamgauge-Source: not a SHA-256 in lower-case hex, with +label or without"},
		{"name empty", func(b *wire.Batch) { b.Name = "" }, "header Streamgauge-Name: empty"},
		{"name too long", func(b *wire.Batch) { b.Name = strings.Repeat("a", wire.MaxName+1) }, "header Streamgauge-Name: 1025 bytes, more than 1024"},
		{"name not UTF-8", func(b *wire.Batch) { b.Name = "\xff" }, "header Streamgauge-Name: not UTF-8"},
		{"name with NUL", func(b *wire.Batch) { b.Name = "a\x00" }, "header Streamgauge-Name: holds a NUL"},
		{"size", func(b *wire.Batch) { b.Size = 0 }, "header Streamgauge-Size: less than 1"},
		{"number", func(b *wire.Batch) { b.Number = 0 }, "header Streamgauge-Batch: less than 1"},
		{"number too great", func(b *wire.Batch) { b.Number, b.Batches = wire.MaxInteger+1, wire.MaxInteger+1 }, "header Streamgauge-Batch: more than 9007199254740991"},
		{"batches", func(b *wire.Batch) { b.Batches = b.Number - 1 }, "header Streamgauge-Batches: less than the batch's number"},
		{"batches too many", func(b *wire.Batch) { b.Batches = math.MaxInt64 }, "header Streamgauge-Batches: more than 9007199254740991"},
		{"first line", func(b *wire.Batch) { b.FirstLine = 0 }, "header Streamgauge-First-Line: less than 1"},
		{"first line too great", func(b *wire.Batch) { b.FirstLine = math.MaxInt64 }, "header Streamgauge-First-Line: more than 9007199254740991"},
		{"no records", func(b *wire.Batch) { b.Records = 0 }, "header Streamgauge-Records: less than 1"},
		{"records above the plan's", func(b *wire.Batch) { b.Records = 6 }, "header Streamgauge-Records: 6 records in a batch of at most 5"},
		{"plan", func(b *wire.Batch) { b.Plan.BatchSize = 0 }, "header Streamgauge-Plan: a batch size is 1 to 50000, not 0"},
		{"plan's format", func(b *wire.Batch) { b.Plan.Timezone = "Mars" }, "header Streamgauge-Plan: its timezone is not known to this program"},
		{"plan not UTF-8", func(b *wire.Batch) { b.Plan.TimestampFormat = "%Y%m%d\xff" }, "header Streamgauge-Plan: the timestamp format is not UTF-8"},
		{"body empty", func(b *wire.Batch) { b.Body = nil }, "body: empty"},
		{"body too long", func(b *wire.Batch) { b.Body = make([]byte, wire.MaxBody+1) }, "body: 524289 bytes, more than 524288"},
		{"long not long", func(b *wire.Batch) { b.Records, b.Long = 1, &wire.Long{Length: record.MaxLength} }, "header Streamgauge-Long-Length: not over 65536"},
		{"long beyond bounds", func(b *wire.Batch) { b.Records, b.Long = 1, &wire.Long{Length: math.MaxInt64} }, "header Streamgauge-Long-Length: more than 9007199254740991"},
		{"long with company", func(b *wire.Batch) { b.Long = &wire.Long{Length: 70000} }, "header Streamgauge-Records: a record that is too long travels alone"},
		{"long of another length", func(b *wire.Batch) { b.Records, b.Long = 1, &wire.Long{Length: 70000} }, "body: 28 bytes of a record that is too long, not 65536"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			b := validBatch()
			test.spoil(b)
			h, err := b.Encode()
			if h != nil {
				t.Error("there are headers beside the error")
			}
			if diff := cmp.Diff(test.want, fmt.Sprint(err)); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

// Whatever can be encoded survives the way there, in headers that NATS leaves
// as they are and that fit the room kept for them.
func TestRoundTrip(t *testing.T) {
	var d wire.Decoder
	rapid.Check(t, func(t *rapid.T) {
		want := drawBatch(t)
		h, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if size := headerSize(h); size > wire.MaxHeader {
			t.Fatalf("%d bytes of headers, more than %d", size, wire.MaxHeader)
		}
		for name, values := range h {
			for _, c := range []byte(values[0]) {
				if c < ' ' || c > '~' {
					t.Fatalf("%s holds byte %#x", name, c)
				}
			}
		}
		got, err := d.Decode(h, want.Body)
		if err != nil {
			t.Fatal(err)
		}
		// cmp takes its time over 64 KiB.
		if !bytes.Equal(want.Body, got.Body) {
			t.Fatal("another body")
		}
		want.Body, got.Body = nil, nil
		if diff := cmp.Diff(want, &got); diff != "" {
			t.Fatal("sent -, received +", diff)
		}
	})
}

func headerSize(h nats.Header) int {
	size := len("NATS/1.0\r\n\r\n")
	for name, values := range h {
		size += len(name) + len(": \r\n") + len(values[0])
	}
	return size
}

func drawBatch(t *rapid.T) *wire.Batch {
	integer := rapid.Int64Range(1, wire.MaxInteger)
	number := integer.Draw(t, "number")
	b := &wire.Batch{
		Source:    wire.SourceID([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest")), rapid.StringMatching(`([A-Za-z0-9._-]{1,64})?`).Draw(t, "label")),
		Name:      rapid.StringN(1, 256, wire.MaxName).Filter(func(s string) bool { return !strings.Contains(s, "\x00") }).Draw(t, "name"),
		Size:      integer.Draw(t, "size"),
		SameName:  rapid.Bool().Draw(t, "same name"),
		Number:    number,
		Batches:   rapid.Int64Range(number, wire.MaxInteger).Draw(t, "batches"),
		FirstLine: integer.Draw(t, "first line"),
		Plan:      drawPlan(t),
	}
	if rapid.Bool().Draw(t, "long") {
		b.Records = 1
		b.Body = make([]byte, record.MaxLength)
		b.Long = &wire.Long{Length: rapid.Int64Range(record.MaxLength+1, wire.MaxInteger).Draw(t, "length")}
		return b
	}
	b.Body = rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "body")
	b.Records = rapid.IntRange(1, min(b.Plan.BatchSize, (len(b.Body)+1)/2)).Draw(t, "records")
	return b
}

func drawPlan(t *rapid.T) wire.Plan {
	fields := rapid.IntRange(3, wire.MaxFields).Draw(t, "fields")
	columns := rapid.SliceOfNDistinct(rapid.IntRange(0, fields-1), 3, 3, rapid.ID).Draw(t, "columns")
	return wire.Plan{
		Format: record.Format{
			Delimiter:       rapid.SampledFrom([]string{",", ";", "\t", "|", "<", "&", "\x01", "\\", "'"}).Draw(t, "delimiter"),
			DecimalComma:    rapid.Bool().Draw(t, "decimal comma"),
			Fields:          fields,
			Timestamp:       columns[0],
			Price:           columns[1],
			UserID:          columns[2],
			TimestampFormat: rapid.SampledFrom([]string{"", "%Y%m%d", "%d.%m.%Y %H:%M <>&\u2028\"\\", "%Y%m%d" + strings.Repeat("\x01", wire.MaxTimestampFormat-6)}).Draw(t, "timestamp format"),
			Timezone:        rapid.SampledFrom([]string{"", "UTC", "America/Bogota", "America/Argentina/ComodRivadavia"}).Draw(t, "timezone"),
		},
		BatchSize: rapid.IntRange(1, wire.MaxRecords).Draw(t, "batch size"),
	}
}

// A Decoder remembers a plan. What it decodes must not depend on what came before.
func TestDecoderRemembersNoBadPlan(t *testing.T) {
	other := strings.Replace(plan, `"batch_size":5`, `"batch_size":50`, 1)
	plans := []string{
		plan, other, " " + plan, "", "{", "null",
		strings.Replace(plan, `"batch_size":5`, `"batch_size":0`, 1),
		strings.Replace(plan, `"batch_size":5`, `"batch_size":1`, 1), // valid, but not for two records
		strings.Replace(plan, `"price":1`, `"price":2`, 1),
	}
	rapid.Check(t, func(t *rapid.T) {
		var remembering wire.Decoder
		for i, text := range rapid.SliceOfN(rapid.SampledFrom(plans), 1, 20).Draw(t, "plans") {
			h, data := message()
			h[wire.HeaderPlan] = []string{text}
			if rapid.Bool().Draw(t, "no batch number") {
				delete(h, wire.HeaderBatch)
			}
			var fresh wire.Decoder
			want, wantErr := fresh.Decode(h, data)
			got, err := remembering.Decode(h, data)
			if diff := cmp.Diff(fmt.Sprint(wantErr), fmt.Sprint(err)); diff != "" {
				t.Fatalf("message %d: a fresh decoder -, this one + %s", i, diff)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("message %d: a fresh decoder -, this one + %s", i, diff)
			}
		}
	})
}

func TestPlanValidateSaysWhatIsWrong(t *testing.T) {
	p := validBatch().Plan
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	// Unlike the error of a message, this one may repeat what someone typed.
	p.Timezone = "Mars/Base"
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "Mars/Base") {
		t.Errorf("got %v", err)
	}
	p = wire.Plan{BatchSize: wire.MaxRecords + 1}
	if err := p.Validate(); err == nil || err.Error() != "a batch size is 1 to 50000, not 50001" {
		t.Errorf("got %v", err)
	}
}

func TestErrorsOfOneKind(t *testing.T) {
	b := validBatch()
	b.Source = "x"
	_, err := b.Encode()
	var header *wire.HeaderError
	if !errors.As(err, &header) || header.Header != wire.HeaderSource {
		t.Errorf("got %#v", err)
	}
	b = validBatch()
	b.Body = nil
	_, err = b.Encode()
	if _, ok := errors.AsType[*wire.BodyError](err); !ok {
		t.Errorf("got %#v", err)
	}
}
