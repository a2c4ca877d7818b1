package wire_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/wire"
)

func TestSourceID(t *testing.T) {
	sum := sha256.Sum256([]byte("hello world"))
	if got := wire.SourceID(sum, ""); got != content {
		t.Errorf("got %s, want what sha256sum prints", got)
	}
	if got := wire.SourceID(sum, "second-time"); got != content+"+second-time" {
		t.Errorf("got %s", got)
	}
}

func TestValidateLabel(t *testing.T) {
	for _, label := range []string{"a", "Z", "0", "._-", strings.Repeat("x", wire.MaxLabel)} {
		if err := wire.ValidateLabel(label); err != nil {
			t.Errorf("%q: %v", label, err)
		}
		if err := wire.ValidateSourceID(wire.SourceID(sha256.Sum256(nil), label)); err != nil {
			t.Errorf("source with %q: %v", label, err)
		}
	}
	for _, label := range []string{"", strings.Repeat("x", wire.MaxLabel+1), "a b", "+", "ñ", "a\n", "a/b"} {
		if wire.ValidateLabel(label) == nil {
			t.Errorf("%q passes", label)
		}
	}
}

// What a dead message claims is read as far as it can be, and believed only
// where it has the right form.
func TestReadClaim(t *testing.T) {
	for _, test := range []struct {
		rule   string
		header nats.Header
		want   wire.Claim
	}{
		{"none", nil, wire.Claim{}},
		{"both", nats.Header{wire.HeaderSource: {content}, wire.HeaderBatch: {"3"}}, wire.Claim{Source: content, Number: 3}},
		{"label", nats.Header{wire.HeaderSource: {content + "+a"}, wire.HeaderBatch: {"3"}}, wire.Claim{Source: content + "+a", Number: 3}},
		{"no number", nats.Header{wire.HeaderSource: {content}}, wire.Claim{Source: content}},
		{"bad number", nats.Header{wire.HeaderSource: {content}, wire.HeaderBatch: {"x"}}, wire.Claim{Source: content}},
		{"negative number", nats.Header{wire.HeaderSource: {content}, wire.HeaderBatch: {"-3"}}, wire.Claim{Source: content}},
		{"two numbers", nats.Header{wire.HeaderSource: {content}, wire.HeaderBatch: {"3", "4"}}, wire.Claim{Source: content}},
		{"bad source", nats.Header{wire.HeaderSource: {"'; DROP TABLE prices"}, wire.HeaderBatch: {"3"}}, wire.Claim{}},
		{"two sources", nats.Header{wire.HeaderSource: {content, content}, wire.HeaderBatch: {"3"}}, wire.Claim{}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := wire.ReadClaim(test.header); got != test.want {
				t.Errorf("got %s, want %s", fmt.Sprint(got), fmt.Sprint(test.want))
			}
		})
	}
}
