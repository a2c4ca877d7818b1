package wire_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// FuzzDecode takes a header block as NATS carries it. With sign set the body's
// digest is made right, which no fuzzer would guess.
func FuzzDecode(f *testing.F) {
	for _, make := range []func() (nats.Header, []byte){message, longMessage} {
		h, data := make()
		f.Add(headerBlock(h), data, false)
		f.Add(headerBlock(h), data, true)
	}
	for _, test := range headerCases() {
		h, data := message()
		h[test.header] = test.values
		f.Add(headerBlock(h), data, false)
	}
	f.Fuzz(func(t *testing.T, block, data []byte, sign bool) {
		h, err := nats.DecodeHeadersMsg(block)
		if err != nil {
			return // NATS would not have delivered it.
		}
		if sign {
			h[wire.HeaderDigest] = []string{digest(string(data))}
		}
		wire.ReadClaim(h)
		var d wire.Decoder
		b, err := d.Decode(h, data)
		if err != nil {
			checkError(t, err)
			return
		}
		if err := b.Validate(); err != nil {
			t.Fatalf("accepted, and then: %v", err)
		}
		again, err := b.Encode()
		if err != nil {
			t.Fatalf("accepted, but can't be encoded: %v", err)
		}
		checkSame(t, h, again)
		second, err := d.Decode(again, data)
		if err != nil {
			t.Fatalf("encoded, but not accepted: %v", err)
		}
		b.Body, second.Body = nil, nil // which are data, both
		if diff := cmp.Diff(b, second); diff != "" {
			t.Fatal("first -, second +", diff)
		}
	})
}

func headerBlock(h nats.Header) []byte {
	var block strings.Builder
	block.WriteString("NATS/1.0\r\n")
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			fmt.Fprintf(&block, "%s: %s\r\n", name, value)
		}
	}
	block.WriteString("\r\n")
	return []byte(block.String())
}

// checkSame wants every header that was encoded to be as it was received. The
// plan's JSON has other spellings, all of the same plan.
func checkSame(t *testing.T, received, encoded nats.Header) {
	t.Helper()
	for name, values := range encoded {
		got := received[name]
		if name == wire.HeaderPlan {
			first, err := wire.ParsePlan([]byte(got[0]))
			if err != nil {
				t.Fatal(err)
			}
			if second, err := wire.ParsePlan([]byte(values[0])); err != nil || first != second {
				t.Fatalf("received %+v, encoded %+v, %v", first, second, err)
			}
			continue
		}
		if diff := cmp.Diff(got, values); diff != "" {
			t.Fatalf("%s: received -, encoded + %s", name, diff)
		}
	}
	for _, optional := range []string{wire.HeaderSameName, wire.HeaderLongLength, wire.HeaderLongDigest} {
		if _, stands := received[optional]; stands && encoded[optional] == nil {
			t.Fatalf("%s was accepted and is lost", optional)
		}
	}
}

var (
	number = regexp.MustCompile(`-?\d+`)
	// reasons are all the texts an error may have, n for each number: whatever
	// else stood in one would be the message's.
	reasons = func() map[string]bool {
		known := make(map[string]bool)
		known["more records than the body has room for"] = true
		for _, test := range headerCases() {
			known[number.ReplaceAllString(test.reason, "n")] = true
		}
		return known
	}()
	bodyReasons = map[string]bool{
		"empty": true, "n bytes, more than n": true, "n bytes of a record that is too long, not n": true,
		"its SHAn is not the one in Streamgauge-Digest": true,
	}
)

func checkError(t *testing.T, err error) {
	t.Helper()
	var version *wire.VersionError
	var header *wire.HeaderError
	var broken *wire.BodyError
	switch {
	case errors.As(err, &version):
		if version.Version <= wire.Version {
			t.Fatalf("version %d is not newer", version.Version)
		}
	case errors.As(err, &header):
		if _, ours := knownHeaders[header.Header]; !ours || !reasons[number.ReplaceAllString(header.Reason, "n")] {
			t.Fatalf("unknown text: %q", err)
		}
	case errors.As(err, &broken):
		if !bodyReasons[number.ReplaceAllString(broken.Reason, "n")] {
			t.Fatalf("unknown text: %q", err)
		}
	default:
		t.Fatalf("error of another type: %T", err)
	}
}

var knownHeaders = func() map[string]struct{} {
	known := make(map[string]struct{})
	for _, test := range headerCases() {
		known[test.header] = struct{}{}
	}
	return known
}()
