package wire_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

const (
	content = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
	body    = "1/10/2012,50,9\n1/11/2012,,4\n"
	plan    = `{"delimiter":",","fields":3,"timestamp":0,"price":1,"user_id":2,"batch_size":5}`
	tooBig  = "9007199254740992" // wire.MaxInteger + 1
)

// message is a batch message that keeps every rule.
func message() (nats.Header, []byte) {
	return nats.Header{
		wire.HeaderVersion:   {"1"},
		wire.HeaderSource:    {content},
		wire.HeaderName:      {"2012-1.csv"},
		wire.HeaderSize:      {"3029"},
		wire.HeaderBatch:     {"2"},
		wire.HeaderBatches:   {"7"},
		wire.HeaderFirstLine: {"7"},
		wire.HeaderRecords:   {"2"},
		wire.HeaderPlan:      {plan},
		wire.HeaderDigest:    {digest(body)},
	}, []byte(body)
}

// longMessage is a message of one record that is too long.
func longMessage() (nats.Header, []byte) {
	h, _ := message()
	first := strings.Repeat("x", record.MaxLength)
	h[wire.HeaderRecords] = []string{"1"}
	h[wire.HeaderDigest] = []string{digest(first)}
	h[wire.HeaderLongLength] = []string{"70000"}
	h[wire.HeaderLongDigest] = []string{digest("all of it")}
	return h, []byte(first)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestDecode(t *testing.T) {
	t.Run("batch", func(t *testing.T) {
		h, data := message()
		h["Nats-Msg-Id"] = []string{"anything", "twice"}
		h["streamgauge-batch"] = []string{"3"} // names are case-sensitive
		var d wire.Decoder
		got, err := d.Decode(h, data)
		if err != nil {
			t.Fatal(err)
		}
		want := wire.Batch{
			Source: content, Name: "2012-1.csv", Size: 3029,
			Number: 2, Batches: 7, FirstLine: 7, Records: 2,
			Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Timestamp: 0, Price: 1, UserID: 2}, BatchSize: 5},
			Body: []byte(body),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("want -, got +", diff)
		}
		if &got.Body[0] != &data[0] {
			t.Error("the body was copied")
		}
	})
	t.Run("too long record", func(t *testing.T) {
		h, data := longMessage()
		var d wire.Decoder
		got, err := d.Decode(h, data)
		if err != nil {
			t.Fatal(err)
		}
		want := &wire.Long{Length: 70000, Digest: sha256.Sum256([]byte("all of it"))}
		if diff := cmp.Diff(want, got.Long); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	t.Run("same name allowed", func(t *testing.T) {
		h, data := message()
		h[wire.HeaderSameName] = []string{"allowed"}
		h[wire.HeaderSource] = []string{content + "+again_2"}
		h[wire.HeaderName] = []string{"a%20b%2Fc%F0%9F%8C%8A~.csv"}
		var d wire.Decoder
		got, err := d.Decode(h, data)
		if err != nil {
			t.Fatal(err)
		}
		if !got.SameName || got.Name != "a b/c\U0001F30A~.csv" || got.Source != content+"+again_2" {
			t.Errorf("got %t, %q, %q", got.SameName, got.Name, got.Source)
		}
	})
}

// The specification's own example has to keep the specification.
func TestDecodeExampleOfTheSpecification(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```\nNATS/1.0\n")
	example, _, _ = strings.Cut(example, "```\n")
	head, data, found := strings.Cut(example, "\n\n")
	if !found {
		t.Fatal("README.md has no example of a message")
	}
	h := make(nats.Header)
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		h[name] = append(h[name], value)
	}
	var d wire.Decoder
	b, err := d.Decode(h, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, again); diff != "" {
		t.Error("README.md -, Encode +", diff)
	}
	cutter := record.NewBodyCutter(b.Body, b.Plan.Comma(), b.FirstLine)
	for n := 0; ; n++ {
		_, err := cutter.Next()
		if errors.Is(err, io.EOF) {
			if n != b.Records {
				t.Errorf("it holds %d records, not %d", n, b.Records)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// headerCase is a message that breaks one rule, by one header's values.
type headerCase struct {
	rule   string
	header string
	values []string // none: missing
	reason string
}

func headerCases() []headerCase {
	var cases []headerCase
	add := func(header, rule, reason string, values ...string) {
		cases = append(cases, headerCase{rule: rule, header: header, values: values, reason: reason})
	}
	valid, _ := longMessage()
	for _, header := range []string{
		wire.HeaderVersion, wire.HeaderSource, wire.HeaderName, wire.HeaderSize, wire.HeaderBatch, wire.HeaderBatches,
		wire.HeaderFirstLine, wire.HeaderRecords, wire.HeaderPlan, wire.HeaderDigest, wire.HeaderLongLength, wire.HeaderLongDigest,
	} {
		add(header, "missing", "missing")
		add(header, "twice", "stands more than once", valid[header][0], valid[header][0])
	}
	add(wire.HeaderSameName, "twice", "stands more than once", "allowed", "allowed")
	add(wire.HeaderSameName, "empty", `not "allowed"`, "")
	add(wire.HeaderSameName, "other value", `not "allowed"`, "Allowed")

	for _, header := range []string{
		wire.HeaderVersion, wire.HeaderSize, wire.HeaderBatch, wire.HeaderBatches, wire.HeaderFirstLine,
		wire.HeaderRecords, wire.HeaderLongLength,
	} {
		for rule, value := range map[string]string{
			"empty": "", "word": "one", "leading zero": "01", "plus": "+1", "fraction": "1.0", "exponent": "1e0",
			"space": " 1", "underscore": "1_0", "minus zero": "-0", "beyond 64 bits": "9223372036854775808", "other digits": "١",
		} {
			add(header, rule, "not a whole number in decimal digits", value)
		}
		if header != wire.HeaderLongLength {
			add(header, "zero", "less than 1", "0")
			add(header, "negative", "less than 1", "-1")
		}
	}
	for _, header := range []string{wire.HeaderSize, wire.HeaderBatch, wire.HeaderBatches, wire.HeaderFirstLine, wire.HeaderLongLength} {
		add(header, "beyond 2^53-1", "more than 9007199254740991", tooBig)
	}
	add(wire.HeaderLongLength, "not too long", "not over 65536", "65536")
	add(wire.HeaderBatches, "less than the number", "less than the batch's number", "1")
	add(wire.HeaderRecords, "above the batch size", "6 records in a batch of at most 5", "6")
	add(wire.HeaderRecords, "long record with company", "a record that is too long travels alone", "2")

	for _, header := range []string{wire.HeaderDigest, wire.HeaderLongDigest} {
		for rule, value := range map[string]string{
			"empty": "", "short": digest("")[1:], "long": digest("") + "0",
			"upper case": strings.ToUpper(digest("")), "not hex": "g" + digest("")[1:], "not hex inside": digest("")[:32] + "g" + digest("")[33:],
		} {
			add(header, rule, "not a SHA-256 in lower-case hex", value)
		}
	}

	noDigest := "not a SHA-256 in lower-case hex, with +label or without"
	for rule, value := range map[string]string{
		"empty": "", "short": content[1:], "upper case": strings.ToUpper(content), "not hex": "x" + content[1:],
		"label without digest": "+a", "other separator": content + "-a",
	} {
		add(wire.HeaderSource, rule, noDigest, value)
	}
	add(wire.HeaderSource, "empty label", "a label has 1 to 64 characters, not 0", content+"+")
	add(wire.HeaderSource, "label of 65", "a label has 1 to 64 characters, not 65", content+"+"+strings.Repeat("a", 65))
	for _, c := range []string{" ", "+", "/", "é", "\x00", "\x1b"} {
		add(wire.HeaderSource, fmt.Sprintf("label with %q", c), "a label holds only letters, digits, '.', '_' and '-'", content+"+a"+c)
	}

	add(wire.HeaderName, "empty", "empty", "")
	add(wire.HeaderName, "1025 bytes", "1025 bytes, more than 1024", strings.Repeat("a", 1025))
	add(wire.HeaderName, "not UTF-8", "not UTF-8", "%FF")
	add(wire.HeaderName, "NUL", "holds a NUL", "a%00b")
	for rule, value := range map[string]string{
		"cut escape": "a%2", "no hex": "a%zz", "lower-case escape": "a%2fb", "needless escape": "%61", "space": "a b",
		"plus": "a+b", "slash": "a/b", "raw UTF-8": "é", "raw control character": "a\x1bb", "percent": "100%",
	} {
		add(wire.HeaderName, rule, "not percent-encoded in the one form", value)
	}
	return append(cases, planCases()...)
}

func planCases() []headerCase {
	var cases []headerCase
	add := func(rule, reason, value string) {
		cases = append(cases, headerCase{rule: rule, header: wire.HeaderPlan, values: []string{value}, reason: reason})
	}
	with := func(from, to string) string { return strings.Replace(plan, from, to, 1) }
	for rule, value := range map[string]string{
		"empty": "", "no JSON": "{", "array": "[]", "text": `"plan"`, "unknown member": with("{", `{"quote":"'",`),
		"two values": plan + plan, "text after it": plan + "x", "member of another type": with(`"fields":3`, `"fields":"3"`),
		"fraction": with(`"fields":3`, `"fields":3.5`), "beyond 64 bits": with(`"fields":3`, `"fields":9223372036854775808`),
	} {
		add(rule, "not a plan in JSON", value)
	}
	add("4097 bytes", "4097 bytes, more than 4096", plan+strings.Repeat(" ", 4097-len(plan)))
	add("null", "a batch size is 1 to 50000, not 0", "null")
	add("batch size 0", "a batch size is 1 to 50000, not 0", with(`"batch_size":5`, `"batch_size":0`))
	add("batch size above a body's", "a batch size is 1 to 50000, not 50001", with(`"batch_size":5`, `"batch_size":50001`))
	add("fields beyond a record's", "a record has at most 65537 fields, not 65538", with(`"fields":3`, `"fields":65538`))
	add("fields to exhaust memory", "a record has at most 65537 fields, not 4611686018427387904", with(`"fields":3`, `"fields":4611686018427387904`))

	format := func(text string) string { return with("{", `{"timestamp_format":"`+text+`",`) }
	add("timestamp format of 257 bytes", "a timestamp format has at most 256 bytes, not 257", format("%Y%m%d"+strings.Repeat(".", 251)))
	add("timestamp format with NUL", "the timestamp format holds a NUL", format(`%Y\u0000%m%d`))
	add("timestamp format of no use", "its timestamp_format can't be used", format("%Z"))
	add("unknown timezone", "its timezone is not known to this program", with("{", `{"timezone":"Mars/Base",`))
	add("local timezone", "its timezone is not known to this program", with("{", `{"timezone":"Local",`))

	delimiter := "its delimiter is not one ASCII character other than a quote, CR, LF or NUL"
	for rule, value := range map[string]string{"none": "", "two": ";;", "quote": `\"`, "LF": `\n`, "CR": `\r`, "NUL": `\u0000`, "not ASCII": "é"} {
		add("delimiter "+rule, delimiter, with(`"delimiter":","`, `"delimiter":"`+value+`"`))
	}
	columns := "its columns are not three different ones of its fields, or more than one member is wrong"
	for rule, value := range map[string]string{
		"no fields": with(`"fields":3`, `"fields":0`), "negative fields": with(`"fields":3`, `"fields":-3`),
		"column beyond the fields": with(`"price":1`, `"price":3`), "negative column": with(`"price":1`, `"price":-1`),
		"same column twice": with(`"price":1`, `"price":0`),
		"two members wrong": strings.Replace(with("{", `{"timezone":"Mars/Base",`), `"delimiter":","`, `"delimiter":""`, 1),
	} {
		add(rule, columns, value)
	}
	return cases
}

func TestDecodeRefusesHeaders(t *testing.T) {
	for _, test := range headerCases() {
		t.Run(test.header+"/"+test.rule, func(t *testing.T) {
			h, data := message()
			if test.header == wire.HeaderLongLength || test.header == wire.HeaderLongDigest ||
				test.rule == "long record with company" {
				h, data = longMessage()
			}
			if h[test.header] = test.values; test.values == nil {
				delete(h, test.header)
			}
			var d wire.Decoder
			_, err := d.Decode(h, data)
			var got *wire.HeaderError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a HeaderError", err)
			}
			if diff := cmp.Diff(&wire.HeaderError{Header: test.header, Reason: test.reason}, got); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
	t.Run("no headers at all", func(t *testing.T) {
		var d wire.Decoder
		_, err := d.Decode(nil, []byte(body))
		if diff := cmp.Diff("header Streamgauge-Version: missing", fmt.Sprint(err)); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	t.Run("Streamgauge-Records/more than the body has room for", func(t *testing.T) {
		h, _ := message()
		h[wire.HeaderDigest] = []string{digest("a\nb")}
		h[wire.HeaderRecords] = []string{"3"}
		var d wire.Decoder
		_, err := d.Decode(h, []byte("a\nb"))
		if diff := cmp.Diff("header Streamgauge-Records: more records than the body has room for", fmt.Sprint(err)); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
}

func TestDecodeRefusesBodies(t *testing.T) {
	for _, test := range []struct {
		rule, body, digest string
		long               bool
		reason             string
	}{
		{"empty", "", "", false, "empty"},
		{"over 512 KiB", strings.Repeat("a\n", 256<<10) + "b", "", false, "524289 bytes, more than 524288"},
		{"other digest", body, digest(body + " "), false, "its SHA-256 is not the one in Streamgauge-Digest"},
		{"long and cut", strings.Repeat("a", 65535), "", true, "65535 bytes of a record that is too long, not 65536"},
		{"long and whole", strings.Repeat("a", 70000), "", true, "70000 bytes of a record that is too long, not 65536"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			h, _ := message()
			if test.long {
				h, _ = longMessage()
			}
			if test.digest == "" {
				test.digest = digest(test.body)
			}
			h[wire.HeaderDigest] = []string{test.digest}
			var d wire.Decoder
			_, err := d.Decode(h, []byte(test.body))
			var got *wire.BodyError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a BodyError", err)
			}
			if diff := cmp.Diff(test.reason, got.Reason); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

func TestDecodeRefusesNewerVersions(t *testing.T) {
	for value, version := range map[string]int{"2": 2, "17": 17, "9223372036854775807": 1<<31 - 1} {
		t.Run(value, func(t *testing.T) {
			// Nothing else of a newer version can be relied on to be as it is in this one.
			var d wire.Decoder
			_, err := d.Decode(nats.Header{wire.HeaderVersion: {value}}, nil)
			var got *wire.VersionError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a VersionError", err)
			}
			if got.Version != version {
				t.Errorf("got version %d, want %d", got.Version, version)
			}
		})
	}
	text := (&wire.VersionError{Version: 2}).Error()
	if want := "wire version 2 is newer than 1, the newest this program reads: upgrade the consumer, then replay it"; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}
