package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/nats-io/nats.go"
)

// Decoder reads batch messages. It remembers the last valid plan it read, since
// the messages of a source all carry the same one. The zero value is ready; it is
// not safe for concurrent use.
type Decoder struct {
	planText string
	plan     Plan
}

// Decode reads one message, whose body the Batch then shares. It fails with a
// *VersionError, *HeaderError or *BodyError.
func (d *Decoder) Decode(h nats.Header, body []byte) (Batch, error) {
	r := headerReader{header: h}
	if version := r.integer(HeaderVersion); r.err == nil && version > Version {
		return Batch{}, &VersionError{int(min(version, 1<<31-1))}
	} else if r.err == nil && version < 1 {
		return Batch{}, &HeaderError{HeaderVersion, "less than 1"}
	}
	b := Batch{
		Source:    r.text(HeaderSource),
		Name:      r.name(),
		Size:      r.integer(HeaderSize),
		SameName:  r.sameName(),
		Number:    r.integer(HeaderBatch),
		Batches:   r.integer(HeaderBatches),
		FirstLine: r.integer(HeaderFirstLine),
		Records:   int(max(0, min(r.integer(HeaderRecords), MaxRecords+1))), // within an int of 32 bits
		Plan:      d.readPlan(&r),
		Long:      r.long(),
		Body:      body,
	}
	digest := r.digest(HeaderDigest)
	if r.err != nil {
		return Batch{}, r.err
	}
	if err := b.validateAllButPlan(); err != nil {
		return Batch{}, err
	}
	if sha256.Sum256(body) != digest {
		return Batch{}, &BodyError{"its SHA-256 is not the one in " + HeaderDigest}
	}
	return b, nil
}

// readPlan accepts unknown fields in no plan: a field this version does not
// know would change how the records are to be read.
func (d *Decoder) readPlan(r *headerReader) Plan {
	text := r.text(HeaderPlan)
	if r.err != nil || text == d.planText && text != "" {
		return d.plan
	}
	if len(text) > MaxPlan {
		r.fail(HeaderPlan, fmt.Sprintf("%d bytes, more than %d", len(text), MaxPlan))
		return Plan{}
	}
	plan, err := ParsePlan([]byte(text))
	if err != nil {
		r.fail(HeaderPlan, "not a plan in JSON")
		return Plan{}
	}
	if fault := plan.fault(); fault != "" {
		r.fail(HeaderPlan, fault)
		return Plan{}
	}
	d.planText, d.plan = text, plan
	return plan
}

// ParsePlan reads a plan from JSON, refusing fields it does not know and
// anything after the plan. It does not validate it.
func ParsePlan(text []byte) (Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var p Plan
	if err := dec.Decode(&p); err != nil {
		return Plan{}, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return Plan{}, &HeaderError{HeaderPlan, "more than one JSON value"}
	}
	return p, nil
}

// Claim is what a message says of itself, read leniently from headers that may
// break the specification: enough to tell whose it was. Fields that cannot be
// read are zero.
type Claim struct {
	Source string
	Number int64
}

// ReadClaim never fails.
func ReadClaim(h nats.Header) Claim {
	r := headerReader{header: h}
	c := Claim{Source: r.text(HeaderSource)}
	if ValidateSourceID(c.Source) != nil {
		return Claim{}
	}
	r.err = nil
	if n := r.integer(HeaderBatch); r.err == nil && n > 0 {
		c.Number = n
	}
	return c
}

// headerReader keeps the first error, so that a batch is read in one go.
type headerReader struct {
	header nats.Header
	err    error
}

func (r *headerReader) fail(name, reason string) {
	if r.err == nil {
		r.err = &HeaderError{name, reason}
	}
}

func (r *headerReader) text(name string) string {
	values := r.header[name]
	switch {
	case len(values) == 0:
		r.fail(name, "missing")
		return ""
	case len(values) > 1:
		r.fail(name, "stands more than once")
		return ""
	}
	return values[0]
}

func (r *headerReader) integer(name string) int64 {
	text := r.text(name)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != text {
		r.fail(name, "not a whole number in decimal digits")
		return 0
	}
	return n
}

func (r *headerReader) name() string {
	text := r.text(HeaderName)
	name, err := url.PathUnescape(text)
	if err != nil || escapeName(name) != text {
		r.fail(HeaderName, "not percent-encoded in the one form")
	}
	return name
}

func (r *headerReader) sameName() bool {
	if _, stands := r.header[HeaderSameName]; !stands {
		return false
	}
	if r.text(HeaderSameName) != sameNameAllowed {
		r.fail(HeaderSameName, `not "`+sameNameAllowed+`"`)
	}
	return true
}

func (r *headerReader) digest(name string) (sum [sha256.Size]byte) {
	text := r.text(name)
	if !isDigest(text) {
		r.fail(name, "not a SHA-256 in lower-case hex")
		return sum
	}
	_, _ = hex.Decode(sum[:], []byte(text)) // isDigest leaves nothing to fail
	return sum
}

func (r *headerReader) long() *Long {
	_, length := r.header[HeaderLongLength]
	_, digest := r.header[HeaderLongDigest]
	if !length && !digest {
		return nil
	}
	return &Long{Length: r.integer(HeaderLongLength), Digest: r.digest(HeaderLongDigest)}
}
