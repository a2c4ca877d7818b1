package contend

import (
	"io"
	"time"
)

// progressEvery is how often a moment is kept.
const progressEvery = 20 * time.Millisecond

// Moment is how far a load was at a time.
type Moment struct {
	At time.Time
	// Share of the rows, 0 to 1.
	Share float64
}

// progress notes how much of a file has been read. A connection's buffers are
// small against the file, so that what was read is what was copied.
type progress struct {
	whole   int64
	read    int64
	began   time.Time
	moments []Moment
}

func (p *progress) begin(at time.Time) {
	p.began = at
	p.moments = append(p.moments, Moment{at, 0})
}

// of returns a reader that notes what is read from r, by one goroutine.
func (p *progress) of(r io.Reader) io.Reader { return &noted{r, p} }

type noted struct {
	from io.Reader
	p    *progress
}

func (n *noted) Read(buf []byte) (int, error) {
	read, err := n.from.Read(buf)
	p := n.p
	p.read += int64(read)
	if now := time.Now(); err != nil || now.Sub(p.moments[len(p.moments)-1].At) >= progressEvery {
		p.moments = append(p.moments, Moment{now, float64(p.read) / float64(p.whole)})
	}
	return read, err
}
