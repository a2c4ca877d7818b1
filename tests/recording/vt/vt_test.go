package vt_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/recording/vt"
)

func TestScreen(t *testing.T) {
	for name, c := range map[string]struct{ wrote, want string }{
		"lines":                     {"a\r\nb\r\nc", "a|b|c"},
		"scrolls":                   {"a\r\nb\r\nc\r\nd", "b|c|d"},
		"wraps":                     {"abcdefgh", "abcdef|gh|"},
		"a full line wraps late":    {"abcdef\r\ng", "abcdef|g|"},
		"returns":                   {"abc\rx", "xbc||"},
		"goes back":                 {"abc\b\bx", "axc||"},
		"tabulates":                 {"\tx", "     x||"},
		"characters of many bytes":  {"…é▌", "…é▌||"},
		"the cursor moves":          {"a\r\nb\x1b[Ac\x1b[2Dd\x1b[3;2He", "dc|b| e"},
		"a row is drawn again":      {"abc\r\ndef\x1b[F\x1b[2Kx", "x|def|"},
		"the rest of a line goes":   {"abc\x1b[2G\x1b[K", "a||"},
		"the rest of a screen goes": {"abc\r\nd\r\ne\x1b[2;1H\x1b[J", "abc||"},
		"cleared":                   {"abc\x1b[H\x1b[2J\x1b[3Jx", "x||"},
		"modes":                     {"\x1b[?25la\x1b[?2004h", "a||"},
	} {
		t.Run(name, func(t *testing.T) {
			whole, bytewise := vt.New(3, 6), vt.New(3, 6)
			if _, err := whole.Write([]byte(c.wrote)); err != nil {
				t.Fatal(err)
			}
			for i := range len(c.wrote) {
				if _, err := bytewise.Write([]byte(c.wrote[i : i+1])); err != nil {
					t.Fatal(err)
				}
			}
			for how, s := range map[string]*vt.Screen{"at once": whole, "by bytes": bytewise} {
				if diff := cmp.Diff(c.want, strings.Join([]string{s.Line(0), s.Line(1), s.Line(2)}, "|")); diff != "" {
					t.Errorf("%s: want -, got +\n%s", how, diff)
				}
			}
		})
	}
}

func TestStyle(t *testing.T) {
	s := vt.New(1, 4)
	if _, err := s.Write([]byte("a\x1b[1;32mb\x1b[0;2;91mc\x1b[md")); err != nil {
		t.Fatal(err)
	}
	want := []vt.Cell{
		{Rune: 'a'}, {Rune: 'b', Style: vt.Style{Color: 3, Bold: true}}, {Rune: 'c', Style: vt.Style{Color: 10, Dim: true}}, {Rune: 'd'},
	}
	if diff := cmp.Diff(want, s.Rows[0]); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

func TestUnknown(t *testing.T) {
	for _, text := range []string{"\x1b]0;title\a", "\x1b[5n", "\x1b[48;5;1m", "\x01", "\x1b[1J"} {
		if _, err := vt.New(3, 6).Write([]byte(text)); err == nil {
			t.Errorf("%q is taken for something", text)
		}
	}
}
