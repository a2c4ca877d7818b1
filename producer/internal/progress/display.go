// Package progress shows how far the source in hand is: as a bar on a terminal,
// as a line now and then elsewhere. Log lines pass through it, so that the two
// never mix.
package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/streamgauge/streamgauge/shared/commandline"
)

const (
	// showAfter is how long a source takes before it is worth a bar.
	showAfter = 300 * time.Millisecond
	// lineAfter is how long nothing is said before a line says how far it is;
	// stillAfter the same while nothing moves. What keeps it from moving has a
	// line of its own then, every five to six seconds.
	lineAfter  = 5 * time.Second
	stillAfter = 7 * time.Second
	// lookEvery is how often it is looked whether a line is due.
	lookEvery = 250 * time.Millisecond
	// narrowest is the terminal on which a bar still says something.
	narrowest = 40
)

// Display is where people read: standard error. It is safe for concurrent use.
type Display struct {
	out  io.Writer
	file *os.File // nil where no bars can be drawn
	tell func(string)

	mu     sync.Mutex
	bar    *mpb.Progress // nil while none is drawn
	saidAt time.Time
}

// New returns a Display that writes to out. Bars are drawn if it is a terminal,
// unless the variable TERM, which getenv returns, says that it is a dumb one.
func New(out *os.File, getenv func(string) string) *Display {
	d := &Display{out: out, tell: func(string) {}, saidAt: time.Now()}
	if getenv("TERM") != "dumb" && commandline.Columns(out) >= narrowest {
		d.file = out
	}
	return d
}

// Tell says what becomes of the lines about progress; without it there are none.
func (d *Display) Tell(tell func(string)) { d.tell = tell }

// Bars says whether bars are drawn, so that other words on how far it is are too
// many. A nil Display draws none.
func (d *Display) Bars() bool { return d != nil && d.file != nil }

// Write writes a log line, above the bar if there is one.
func (d *Display) Write(line []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saidAt = time.Now()
	if d.bar != nil {
		if n, err := d.bar.Write(line); err == nil {
			return n, nil
		}
	}
	return d.out.Write(line)
}

// Begin shows a source until its End, of which there has to be one before the
// next Begin. A nil Display shows nothing.
func (d *Display) Begin(name string) *Source { return d.begin(&Source{name: name}) }

// BeginCopy is Begin of what has to be copied to this machine's disk before it
// can be read.
func (d *Display) BeginCopy(name string) *Source {
	s := &Source{name: name, copying: true}
	s.pace.begin(time.Now(), 0)
	return d.begin(s)
}

func (d *Display) begin(s *Source) *Source {
	if d == nil {
		s.end = func() {}
		return s
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	s.end = sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
	go func() {
		defer close(stopped)
		if d.Bars() {
			d.draw(s, stop)
		} else {
			d.speak(s, stop)
		}
	}()
	return s
}

// speak says how far it is when nobody else says anything.
func (d *Display) speak(s *Source, stop <-chan struct{}) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	began, moved, last := time.Now(), time.Now(), figures{}
	for {
		select {
		case <-stop:
			return
		case now := <-look.C:
			f := s.figures(now)
			if f.waiting() {
				continue // whoever waits says so
			}
			counts := f
			if counts.perSecond, counts.settled = 0, false; counts != last {
				moved, last = now, counts
			}
			quiet := lineAfter
			if now.Sub(moved) >= lineAfter {
				quiet = stillAfter
			}
			if now.Sub(began) >= lineAfter && d.quietFor(now) >= quiet {
				d.tell(f.line(s.name))
			}
		}
	}
}

func (d *Display) quietFor(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Sub(d.saidAt)
}
