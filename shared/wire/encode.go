package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// Encode returns the headers of b's message, whose data is b.Body itself. It
// fails with a *HeaderError or *BodyError if b breaks the specification.
func (b *Batch) Encode() (nats.Header, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	plan, err := json.Marshal(b.Plan)
	if err != nil {
		return nil, &HeaderError{HeaderPlan, err.Error()}
	}
	digest := sha256.Sum256(b.Body)
	h := make(nats.Header, 13)
	h[HeaderVersion] = []string{strconv.Itoa(Version)}
	h[HeaderSource] = []string{b.Source}
	h[HeaderName] = []string{escapeName(b.Name)}
	h[HeaderSize] = []string{strconv.FormatInt(b.Size, 10)}
	if b.SameName {
		h[HeaderSameName] = []string{sameNameAllowed}
	}
	h[HeaderBatch] = []string{strconv.FormatInt(b.Number, 10)}
	h[HeaderBatches] = []string{strconv.FormatInt(b.Batches, 10)}
	h[HeaderFirstLine] = []string{strconv.FormatInt(b.FirstLine, 10)}
	h[HeaderRecords] = []string{strconv.Itoa(b.Records)}
	h[HeaderPlan] = []string{string(plan)}
	h[HeaderDigest] = []string{hex.EncodeToString(digest[:])}
	if b.Long != nil {
		h[HeaderLongLength] = []string{strconv.FormatInt(b.Long.Length, 10)}
		h[HeaderLongDigest] = []string{hex.EncodeToString(b.Long.Digest[:])}
	}
	return h, nil
}

// escapeName percent-encodes every byte but RFC 3986's unreserved characters,
// so that a name has one form.
func escapeName(name string) string {
	return strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}
