package svg_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/recording/cast"
	"github.com/streamgauge/streamgauge/tests/recording/svg"
	"github.com/streamgauge/streamgauge/tests/recording/vt"
)

// frames are what a screen shows after each of the texts, a second apart.
func frames(t *testing.T, texts ...string) []cast.Frame {
	t.Helper()
	s := vt.New(2, 12)
	var out []cast.Frame
	for i, text := range texts {
		if _, err := s.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		f := cast.Frame{At: time.Duration(i) * time.Second}
		for _, row := range s.Rows {
			f.Rows = append(f.Rows, append([]vt.Cell(nil), row...))
		}
		out = append(out, f)
	}
	return out
}

func TestPicture(t *testing.T) {
	var out bytes.Buffer
	err := svg.Write(&out, "A & B", "what is shown", frames(t, "$ ", "<a>", "\r\n\x1b[1;32mok\x1b[m 1", "\r\x1b[K"), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for d := xml.NewDecoder(&out); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	for _, want := range []string{
		"<title>A &amp; B</title>", "$ &lt;a&gt;", `class="c3 b">ok<`,
		"animation:10s steps(1,end) infinite", "@keyframes r0{0%{", "10%{", "@keyframes r1{0%{", "20%{", "30%{",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("without %q:\n%s", want, text)
		}
	}
}

// TestCast plays what was written, and sees the same.
func TestCast(t *testing.T) {
	want := frames(t, "$ ", "\x1b[31ma\x1b[m\r\nb", "\r\nc", "\x1b[1A\x1b[2Kx")
	var out bytes.Buffer
	if err := cast.Write(&out, "title", want); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(&out)
	lines.Scan()
	if diff := cmp.Diff(`{"height":2,"title":"title","version":2,"width":12}`, lines.Text()); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	screen := vt.New(2, 12)
	for i := 0; lines.Scan(); i++ {
		var event [3]any
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		if at := want[i].At.Seconds(); event[0] != at {
			t.Errorf("event %d at %v, want %v", i, event[0], at)
		}
		if _, err := screen.Write([]byte(event[2].(string))); err != nil {
			t.Fatal(err)
		}
		for row := range want[i].Rows {
			shown := strings.Map(func(r rune) rune {
				if r == 0 {
					return ' '
				}
				return r
			}, text(want[i].Rows[row]))
			if diff := cmp.Diff(strings.TrimRight(shown, " "), screen.Line(row)); diff != "" {
				t.Errorf("event %d, row %d: want -, got +\n%s", i, row, diff)
			}
		}
	}
}

func text(row []vt.Cell) string {
	var b strings.Builder
	for _, c := range row {
		b.WriteRune(c.Rune)
	}
	return b.String()
}
