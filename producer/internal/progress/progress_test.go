package progress

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
)

// spoken returns what is said while f runs, with the second it is said in.
func spoken(t *testing.T, f func(d *Display, s *Source)) []string {
	t.Helper()
	var said []string
	synctest.Test(t, func(*testing.T) {
		start := time.Now()
		d := &Display{out: io.Discard, saidAt: start}
		d.Tell(func(line string) {
			said = append(said, fmt.Sprintf("%.0fs %s", time.Since(start).Seconds(), line))
			_, _ = d.Write([]byte(line))
		})
		s := d.Begin("a\nb.csv")
		f(d, s)
		s.End()
	})
	return said
}

// pass lets time pass on the clock of a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }

func TestLines(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(d *Display, s *Source)
		want []string
	}{
		"short": {func(*Display, *Source) { pass(4 * time.Second) }, nil},
		"reading": {func(_ *Display, s *Source) {
			pass(time.Second / 10)
			for range 11 {
				pass(time.Second)
				s.Read(500_000)
			}
		}, []string{
			`5s "a\nb.csv": 2.00M rows read, before any is sent`,
			`10s "a\nb.csv": 4.50M rows read, before any is sent`,
		}},
		"sending": {func(_ *Display, s *Source) {
			s.Send(4000, 1000, true)
			pass(time.Second / 10)
			for range 11 {
				pass(time.Second)
				s.Sent(200)
				s.Acked(100)
				s.Committed(1000)
			}
		}, []string{
			`5s "a\nb.csv": 1800 of 4000 rows sent, 1400 acked, 1000 committed, 0 rows/s`,
			`10s "a\nb.csv": 2800 of 4000 rows sent, 1900 acked, 1000 committed, 0 rows/s`,
		}},
		"still, and somebody says why": {func(d *Display, s *Source) {
			s.Send(4000, 0, false)
			pass(time.Second)
			for range 4 {
				_, _ = d.Write([]byte("the stream is full\n"))
				pass(6 * time.Second)
			}
		}, nil},
		"still, and nobody says why": {func(_ *Display, s *Source) {
			s.Send(4000, 0, false)
			s.Sent(2)
			pass(13 * time.Second)
		}, []string{
			`5s "a\nb.csv": 2 of 4000 rows sent, 0 acked, 0 rows/s`,
			`12s "a\nb.csv": 2 of 4000 rows sent, 0 acked, 0 rows/s`,
		}},
		"copying": {func(d *Display, first *Source) {
			first.End()
			s := d.BeginCopy("b.csv")
			pass(time.Second / 10)
			for i := range 11 {
				pass(time.Second)
				s.Copied(int64(i+1)<<20, 44<<20)
			}
			s.End()
		}, []string{
			"5s b.csv: 4.0 MiB of 44.0 MiB copied, 819 KiB/s, 51s left",
			"10s b.csv: 9.0 MiB of 44.0 MiB copied, 1.0 MiB/s, 36s left",
		}},
		"the wait for a consumer has lines of its own": {func(_ *Display, s *Source) {
			s.Send(4000, 4000, true)
			pass(time.Minute)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, spoken(t, c.run)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPace(t *testing.T) {
	var p pace
	now := time.Now()
	p.begin(now, 100)
	for i := range 100 { // ten seconds at 1000 a second
		now = now.Add(100 * time.Millisecond)
		if got := p.rate(now, 100+int64(i+1)*100); got < 999 || got > 1001 {
			t.Fatalf("%g rows/s after %d samples", got, i+1)
		}
	}
	if len(p.seen) > int(paceOver/sampleEvery)+2 {
		t.Errorf("%d samples kept", len(p.seen))
	}
	for range 60 {
		now = now.Add(100 * time.Millisecond)
		p.rate(now, 10_100)
	}
	if got := p.rate(now, 10_100); got != 0 {
		t.Errorf("%g rows/s after six seconds of none", got)
	}
}

func TestLeft(t *testing.T) {
	for want, f := range map[string]figures{
		"":               {total: 100, acked: 0, settled: true},
		"11s left":       {total: 200, acked: 100, perSecond: 10, settled: true},
		"1m41s left":     {total: 200, acked: 200, stored: 100, waits: true, perSecond: 1, settled: true},
		"27h46m41s left": {total: 200_000, acked: 100_000, perSecond: 1, settled: true},
	} {
		if got := f.left(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	early := figures{total: 200, acked: 100, perSecond: 10}
	if got := early.left(); got != "" {
		t.Errorf("at once: %q", got)
	}
	never := figures{total: 1e12, perSecond: 1, settled: true}
	if got := never.left(); got != "" {
		t.Errorf("%q", got)
	}
}

// Whatever the name and the terminal: no row is wider than it.
func TestRowsFit(t *testing.T) {
	style := mpb.BarStyle().Build()
	names := []string{"a.csv", strings.Repeat("long-", 40) + "17.csv", strings.Repeat("日本語", 20) + ".csv", "\x1b[2J\n\u202e.csv", strings.Repeat("e\u0301", 90)}
	for _, name := range names {
		for columns := narrowest - 1; columns <= widest; columns++ {
			for _, f := range []figures{
				{read: 1},
				{read: 1, asking: true},
				{copying: true, acked: 5 << 30, perSecond: 1 << 29},
				{copying: true, total: 1 << 40, acked: 5 << 30, perSecond: 1 << 20, settled: true},
				{total: 200_000_000, acked: 3, sent: 4, perSecond: 1, settled: true},
				{total: 10, acked: 10, stored: 12, waits: true},
				{total: 400_000, acked: 43_600, perSecond: 1, settled: true},
			} {
				var row bytes.Buffer
				if err := head(&row, style, name, f, columns); err != nil {
					t.Fatal(err)
				}
				if wide := runewidth.StringWidth(row.String()); wide > columns || strings.ContainsAny(row.String(), "\x1b\n") {
					t.Errorf("%d of %d columns: %q", wide, columns, row.String())
				}
			}
		}
	}
	widestFigures := figures{total: 999_999_999, sent: 999_999_999, acked: 999_999_999, stored: 999_999_999, waits: true, perSecond: 9_999_999}
	if text := "  " + widestFigures.words(); len(text) > 80 {
		t.Errorf("%d columns: %s", len(text), text)
	}
}

func TestShorten(t *testing.T) {
	for name, want := range map[string]string{
		"2012-1.csv": "2012-1.csv",
		"sales-of-the-year-2012-in-madrid-part-7.csv": "sales-of-the…id-part-7.csv",
		"日本語日本語日本語日本語日本語日本語.csv":                      "日本語日本語… 語日本語.csv",
	} {
		if got := shorten(name, nameColumns); got != want || runewidth.StringWidth(got) > nameColumns {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
