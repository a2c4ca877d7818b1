package demo

import (
	"bytes"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/shared/stats"
)

func TestSnapshotLine(t *testing.T) {
	for _, c := range []struct {
		name string
		snap *stats.Snapshot
		want string
	}{
		{
			"usual",
			&stats.Snapshot{Revision: 7, Rows: 151, Count: 147, Mean: "57.0068027210884354", Min: "10", Max: "100", Source: "validation.csv"},
			"      7  validation.csv     151    147    57.0068027210884354     10    100\n",
		},
		{
			"nulls",
			&stats.Snapshot{Revision: 1, Rows: 2, Max: "5", Source: "a"},
			"      1  a                    2      0                   null" + "   null      5\n",
		},
		{
			"a long name with escapes",
			&stats.Snapshot{Revision: 1, Mean: "1", Min: "2", Max: "3", Source: "\x1b[2Jxxxxxxxxxxxxxxxxxxxx"},
			"      1  ?[2Jxxxxxxxxxx…      0      0                      1      2      3\n",
		},
		{"none", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			(&screen{out: &b}).snapshot(c.snap)
			if b.String() != c.want {
				t.Errorf("got  %q\nwant %q", b.String(), c.want)
			}
		})
	}
}

func TestQuoteIsCutAndClean(t *testing.T) {
	var b bytes.Buffer
	(&screen{out: &b}).quote("a\x07b\r\n\n" + strings.Repeat("ü", 100) + "\n")
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if len(lines) != 2 || lines[0] != "         a?b" || len([]rune(lines[1])) != width {
		t.Errorf("got %q", lines)
	}
}

func TestHeadingIsBoldOnlyWhenAsked(t *testing.T) {
	for _, bold := range []bool{false, true} {
		var b bytes.Buffer
		(&screen{out: &b, bold: bold}).heading("x")
		if strings.Contains(b.String(), "\x1b[1m") != bold {
			t.Errorf("bold %t: %q", bold, b.String())
		}
	}
}

func TestWithDatabase(t *testing.T) {
	for _, c := range []struct{ dsn, want string }{
		{"postgres://u:p%40@h:5/d?sslmode=disable", "postgres://u:p%40@h:5/n?sslmode=disable"},
		{"postgresql://h", "postgresql://h/n"},
		{"postgres:///?host=/tmp&dbname=mine", "postgres:///n?host=%2Ftmp"},
		{"postgres://h/d?database=mine", "postgres://h/n"},
		{"host=h dbname=d", "host=h dbname=d dbname=n"},
	} {
		got, err := withDatabase(c.dsn, "n")
		if err != nil || got != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.dsn, got, err, c.want)
		}
	}
}
