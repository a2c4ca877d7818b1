// Package batch groups the records of one source into batches, the same way
// whenever it is given the same bytes and the same batch size.
package batch

import (
	"crypto/sha256"
	"errors"
	"io"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Part is one batch as far as the source's bytes tell.
type Part struct {
	// Number counts from 1.
	Number int64
	// FirstLine is the line the first record starts at.
	FirstLine int64
	// Records is how many records Body holds, at least one.
	Records int
	// Long is set when the batch is a single record too long to travel whole.
	Long *wire.Long
	// Body is as wire.Batch.Body.
	Body []byte
}

// Cutter is what a Grouper needs of record.Cutter.
type Cutter interface {
	Line() int64
	Lines(limit, size int) (lines []byte, count int)
	Next() (record.Record, error)
	Digest() [sha256.Size]byte
}

// Grouper makes batches of records. It is not safe for concurrent use.
type Grouper struct {
	cutter Cutter
	size   int
	number int64
	// next is a record that did not fit into the batch before, when has is set.
	next record.Record
	has  bool
}

// New returns a Grouper over the records that cutter has yet to return, at most
// size of them in a batch.
func New(cutter Cutter, size int) *Grouper {
	return &Grouper{cutter: cutter, size: size}
}

// Next returns the next batch, its body written over buf, which grows when it
// is too small. At the end of the source it returns io.EOF. A batch that an
// error of the source cuts short is not returned.
func (g *Grouper) Next(buf []byte) (Part, error) {
	part := Part{Number: g.number + 1, Body: buf[:0]}
	for part.Records < g.size {
		if g.addLines(&part) {
			continue
		}
		rec, err := g.peek()
		if err != nil {
			if part.Records > 0 && errors.Is(err, io.EOF) {
				break
			}
			return Part{}, err
		}
		if part.Records > 0 && !joins(part.Body, rec) {
			break
		}
		g.has = false
		part.add(rec)
		if rec.Fault == record.TooLong {
			part.Long = &wire.Long{Length: rec.Length, Digest: g.cutter.Digest()}
			break
		}
	}
	g.number++
	return part, nil
}

// addLines adds the plain lines that are at hand, and says whether there were any.
func (g *Grouper) addLines(p *Part) bool {
	if g.has {
		return false
	}
	line := g.cutter.Line()
	lines, count := g.cutter.Lines(g.size-p.Records, wire.MaxBody-len(p.Body))
	if count == 0 {
		return false
	}
	if p.Records == 0 {
		p.FirstLine = line
	}
	p.Body = append(p.Body, lines...)
	p.Records += count
	return true
}

// peek returns the next record without taking it.
func (g *Grouper) peek() (*record.Record, error) {
	if !g.has {
		var err error
		if g.next, err = g.cutter.Next(); err != nil {
			return nil, err
		}
		g.has = true
	}
	return &g.next, nil
}

// joins says whether rec may follow the records in body.
func joins(body []byte, rec *record.Record) bool {
	return rec.Fault != record.TooLong && int64(len(body))+rec.Blank+int64(len(rec.Bytes)) <= wire.MaxBody
}

func (p *Part) add(rec *record.Record) {
	if p.Records == 0 {
		// The first line says where the batch starts, so that what is blank
		// before it need not travel.
		p.FirstLine = rec.Line
	} else if rec.Blank > 0 {
		for range rec.Blank {
			p.Body = append(p.Body, '\n')
		}
	}
	p.Body = append(p.Body, rec.Bytes...)
	p.Records++
}
