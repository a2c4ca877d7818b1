package expect

import (
	"regexp"
	"strings"
)

// varying is what differs from run to run. Each stands for any other of its
// kind, so that a document can show what was really printed. The list is short
// on purpose: what is not in it has to be as the document has it.
var varying = []struct {
	kind    string
	pattern string
}{
	// 469 rows/s, 1.2M rows/s
	{"rate", `\d[\d,.]*[kM]? rows/s`},
	// "in 0.3s", "in 1m4s", "Done in 3.1 s": how long something took. A bare "5 s"
	// is no duration, since that may be a promise.
	{"duration", `\bin (?:\d+h)?(?:\d+m)?\d+(?:\.\d+)? ?m?s\b`},
	// The moment of printing, by its year: the samples' dates are in 2012.
	{"time", `\b20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?`},
	// The nats command line begins its own lines with the time of day.
	{"clock", `^\d\d:\d\d:\d\d\b`},
	{"uuid", `\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`},
	{"address", `\b127\.0\.0\.1:\d+`},
	// The sandbox says so where it had to take another port, so that it may say
	// nothing.
	{"", `; port \d+ was taken`},
	{"temporary", `/\S*/streamgauge-[a-z]+-[0-9A-Za-z]+\b`},
	{"postgres", `\b\d+\.\d+ from /\S+/bin(?:, as user [a-z]+)?`},
	{"commit", `\bstreamgauge-[0-9a-f]{7,40}\b`},
}

// elision stands for any text: in a line for some of it, on a line of its own
// for any number of lines.
const elision = "…"

var tokens = func() *regexp.Regexp {
	var expression strings.Builder
	for _, v := range varying {
		expression.WriteString("(" + v.pattern + ")|")
	}
	return regexp.MustCompile(expression.String() + elision + `|[\pL\pN_]+|.`)
}()

// token is a word of a line, a character between words, or what varies as a whole.
type token struct {
	text string
	// norm is what is compared: the kind of what varies, else the text.
	norm   string
	varies bool
}

func (t token) isFigure() bool { return t.text != "" && strings.Trim(t.text, "0123456789") == "" }

func (t token) elides() bool { return t.text == elision }

// tokenize cuts a line. What varies between being there and not is left out.
func tokenize(line string) []token {
	var out []token
	for _, m := range tokens.FindAllStringSubmatchIndex(line, -1) {
		t := token{text: line[m[0]:m[1]]}
		t.norm = t.text
		for i, v := range varying {
			if m[2+2*i] >= 0 {
				t.norm, t.varies = "<"+v.kind+">", true
				if v.kind == "" {
					t.norm = ""
				}
			}
		}
		if t.norm != "" {
			out = append(out, t)
		}
	}
	return out
}
