package progress

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/bytesize"
	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

// Source is how far one source is, in rows (which are records here: what of them
// will be rejected is not known yet). Its methods are safe for concurrent use.
type Source struct {
	name    string
	end     func()
	copying bool

	read, total         atomic.Int64
	sent, acked, stored atomic.Int64
	asking, waits       atomic.Bool
	// copied and size are in bytes; a size of 0 is not known.
	copied, size atomic.Int64
	pace         pace
}

// Read adds what the first reading has found.
func (s *Source) Read(rows int) { s.read.Add(int64(rows)) }

// Copied says how many bytes are copied, of how many: -1 where that is not known.
func (s *Source) Copied(have, size int64) {
	s.copied.Store(have)
	s.size.Store(max(size, 0))
}

// Ask says that the first reading is over, and that a consumer is being asked
// what is loaded already.
func (s *Source) Ask() { s.asking.Store(true) }

// Send says that it is known: of total rows so many are loaded already, and the others are sent from here on. With waits it is done when all
// are committed, else when all are acked.
func (s *Source) Send(total, loaded int64, waits bool) {
	s.sent.Store(loaded)
	s.acked.Store(loaded)
	s.stored.Store(loaded)
	s.waits.Store(waits)
	s.pace.begin(time.Now(), loaded)
	s.total.Store(total)
}

// Sent adds rows that are on their way to the stream, Acked rows that are in it.
func (s *Source) Sent(rows int)  { s.sent.Add(int64(rows)) }
func (s *Source) Acked(rows int) { s.acked.Add(int64(rows)) } //nolint:revive // Sent's comment is both's

// Committed says how many rows are in the database, or rejected there.
func (s *Source) Committed(rows int64) { s.stored.Store(rows) }

// End says that the source is done with, one way or the other: nothing more is
// shown of it when End returns.
func (s *Source) End() { s.end() }

// figures is a Source at one moment.
type figures struct {
	read, total, sent, acked, stored int64
	asking, waits                    bool
	// copying says that total and acked are bytes.
	copying   bool
	perSecond float64
	// settled says that perSecond may be reckoned with.
	settled bool
}

func (s *Source) figures(now time.Time) figures {
	f := figures{
		read: s.read.Load(), total: s.total.Load(),
		sent: s.sent.Load(), acked: s.acked.Load(), stored: s.stored.Load(),
		asking: s.asking.Load(), waits: s.waits.Load(),
	}
	if f.copying = s.copying; f.copying {
		f.total, f.acked = s.size.Load(), s.copied.Load()
	}
	if f.total > 0 || f.copying {
		f.perSecond, f.settled = s.pace.rate(now, f.done()), s.pace.settled(now)
	}
	return f
}

// done is how many rows are where they are to be.
func (f *figures) done() int64 {
	if f.waits {
		return f.stored
	}
	return f.acked
}

// reading says that nothing is being sent yet.
func (f *figures) reading() bool { return f.total == 0 }

// waiting says that all is in the stream, and somebody else's turn.
func (f *figures) waiting() bool { return !f.reading() && f.acked >= f.total && !f.copying }

// left is how long it takes at this pace, empty where that can't be said.
func (f *figures) left() string {
	missing := f.total - f.done()
	if !f.settled || f.perSecond <= 0 || missing <= 0 {
		return ""
	}
	seconds := float64(missing) / f.perSecond
	if seconds > maxLeft.Seconds() {
		return ""
	}
	return (time.Duration(seconds+1) * time.Second).String() + " left"
}

// maxLeft is the most that is said: what is slower will not go on like this.
const maxLeft = 99 * time.Hour

// words are the figures in a sentence.
func (f *figures) words() string {
	switch {
	case f.copying:
		return f.copyWords()
	case f.reading() && f.asking:
		return rows(f.read) + " rows; asking a consumer what of them is loaded"
	case f.reading():
		return rows(f.read) + " rows read, before any is sent"
	}
	text := fmt.Sprintf("%s of %s rows sent, %s acked", rows(f.sent), rows(f.total), rows(f.acked))
	if f.waits {
		text += fmt.Sprintf(", %s committed", rows(f.stored))
	}
	return text + fmt.Sprintf(", %s rows/s", rows(int64(f.perSecond)))
}

func (f *figures) copyWords() string {
	if f.acked == 0 {
		return "nothing has come yet"
	}
	text := bytesize.Text(f.acked)
	if f.total > 0 {
		text += " of " + bytesize.Text(f.total)
	}
	return text + fmt.Sprintf(" copied, %s/s", bytesize.Text(int64(f.perSecond)))
}

// line is all of it where there is no terminal.
func (f *figures) line(name string) string {
	text := escape.Name(name) + ": " + f.words()
	if left := f.left(); left != "" {
		text += ", " + left
	}
	return text
}

// rows shortens a number from a million on: nobody follows seven digits.
func rows(n int64) string {
	switch {
	case n < 1e6:
		return fmt.Sprint(n)
	case n < 1e8:
		return fmt.Sprintf("%.2fM", float64(n)/1e6)
	case n < 1e9:
		return fmt.Sprintf("%.0fM", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2fG", float64(n)/1e9)
}
