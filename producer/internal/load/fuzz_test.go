package load

import (
	"crypto/sha256"
	"errors"
	"testing"
	"unicode"
)

// FuzzAnswer reads any bytes as a consumer's answer, filled in where it says so
// to be one about our load. What is sent for it are batches that there are, each
// once, and what is said of it can be shown.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"load":{"batches":2,"done":1,"rows":500,"missing":[{"first":2,"last":2}]}}`,
		`{"load":{"batches":9,"done":1,"missing":[{"first":1,"last":2},{"first":4,"last":4}],"missing_more":true}}`,
		`{"load":{"batches":2,"done":2,"rows":990,"rejected":10}}`,
		`{"load":{"batches":2,"done":-7,"rows":-1,"missing":[{"first":-1,"last":9223372036854775807},{"first":2,"last":1}]}}`,
		`{"load":{"batches":2,"done":0,"missing":[{"first":1,"last":1},{"first":1,"last":2}],"missing_more":true}}`,
		"{\"named\":[{\"source\":\"\u009b2J\u202e\",\"size\":5,\"rows\":1},{\"source\":\"x+\\u001b[2J\"}]}",
		`{"named":[{"source":"","size":-1}]}`, `{"load":{"plan":{"delimiter":"\u001b","timezone":"\u202e"}}}`, `{}`, `null`, `[`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, answer []byte, planned bool) {
		reply, err := readLoad(answer)
		if err != nil {
			return
		}
		o := ours()
		if planned && reply.Load != nil {
			reply.Load.Plan, o.Batches = o.Plan, reply.Load.Batches
		}
		stored, err := o.Judge(reply)
		if err != nil {
			if taken, ok := errors.AsType[*NameTakenError](err); ok {
				taken.Compare(1<<40, map[int64][sha256.Size]byte{taken.Other.Size: digest})
			}
			for _, r := range err.Error() {
				if !unicode.IsPrint(r) {
					t.Fatalf("%U in %q", r, err.Error())
				}
			}
			return
		}
		last := int64(0)
		for _, r := range Missing(stored, o.Batches) {
			if r.First <= last || r.Last < r.First || r.Last > o.Batches {
				t.Fatalf("%s: of %d batches %v are sent", answer, o.Batches, Missing(stored, o.Batches))
			}
			last = r.Last
		}
		if stored != nil && (stored.Done < 0 || stored.Done > stored.Batches) {
			t.Fatalf("%s: %d of %d batches are done", answer, stored.Done, stored.Batches)
		}
	})
}
