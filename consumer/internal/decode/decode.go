// Package decode turns messages into batches ready to be stored, or into dead
// ones.
package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// Message is a message of the stream as it came.
type Message struct {
	Subject string
	Header  nats.Header
	// RawHeader is the headers as they were published, where they can't be read
	// and Header is empty; otherwise it is nil.
	RawHeader []byte
	Data      []byte
	Sequence  uint64
	Time      time.Time
}

// What a header costs in memory beside its bytes: the strings, the slice and
// its share of the map.
const (
	headerCost = 160
	valueCost  = 32
)

// Size is about how many bytes of memory the message takes. Many small headers
// take far more than they have on the wire.
func (m *Message) Size() int {
	size := len(m.Subject) + len(m.RawHeader) + len(m.Data) + 512
	for name, values := range m.Header {
		size += headerCost + len(name)
		for _, value := range values {
			size += valueCost + len(value)
		}
	}
	return size
}

// Decoder decodes messages one after the other. The zero value is ready; it is
// not safe for concurrent use.
type Decoder struct {
	wire   wire.Decoder
	parser *record.Parser
	format record.Format
	cutter record.Cutter
	// free are rows and sheets to be used again: new ones for each batch would
	// keep the collector busy.
	free  []room
	freed int // what they take, in bytes
}

type room struct {
	rows  []byte
	sheet tally.Sheet
}

func (r *room) size() int { return cap(r.rows) + r.sheet.Room()*tally.NoteSize }

// maxFreed bounds what is kept for use again, in bytes: the rows of a merge.
const maxFreed = 5 << 20

// Recycle takes back the rows of a batch that Decode returned and nobody uses
// any more.
func (d *Decoder) Recycle(batch *store.Batch) {
	r := room{batch.Rows, batch.Tally.Emptied()}
	if r.size() > 0 && d.freed+r.size() <= maxFreed {
		d.free = append(d.free, r)
		d.freed += r.size()
	}
	batch.Rows, batch.Tally = nil, tally.Sheet{}
}

// room returns an empty buffer and an empty sheet with room for so many rows.
func (d *Decoder) room(rows int) ([]byte, tally.Sheet) {
	for len(d.free) > 0 {
		last := len(d.free) - 1
		r := d.free[last]
		d.free = d.free[:last]
		d.freed -= r.size()
		// One that is too small is let go: the batches have grown.
		if cap(r.rows) >= rows*rowSize && r.sheet.Room() >= rows {
			return r.rows[:0], r.sheet
		}
	}
	return make([]byte, 0, rows*rowSize), tally.NewSheet(rows)
}

// Decode reads a message whole. The error says why it can't be a batch: the
// message is then dead. It never holds bytes of the message. The batch shares
// the message's data.
func (d *Decoder) Decode(m *Message) (*store.Batch, error) {
	message, err := d.wire.Decode(m.Header, m.Data)
	if err != nil {
		return nil, err
	}
	batch := &store.Batch{
		Source: store.Source{
			Identity: message.Source,
			Name:     message.Name,
			Size:     message.Size,
			Plan:     message.Plan,
			Batches:  message.Batches,
			SameName: message.SameName,
		},
		Number:    message.Number,
		FirstLine: message.FirstLine,
		Records:   message.Records,
	}
	if message.Long != nil {
		batch.Rejects = []store.Reject{{
			Line:   message.FirstLine,
			Reason: string(record.ReasonTooLong),
			Raw:    message.Body,
			Length: message.Long.Length,
			Digest: &message.Long.Digest,
		}}
		return batch, nil
	}
	if err := d.prepare(message.Plan.Format); err != nil {
		return nil, err
	}
	if err := d.readRecords(&message, batch); err != nil {
		return nil, err
	}
	return batch, nil
}

func (d *Decoder) prepare(format record.Format) error {
	if d.parser != nil && d.format == format {
		return nil
	}
	parser, err := record.NewParser(format)
	if err != nil {
		return &wire.HeaderError{Header: wire.HeaderPlan, Reason: err.Error()}
	}
	d.parser, d.format = parser, format
	return nil
}

// rowSize is what a row takes in binary COPY, give or take a wide price, and
// recordSize what it has at least in a body.
const (
	rowSize    = 64
	recordSize = 12
)

func (d *Decoder) readRecords(message *wire.Batch, batch *store.Batch) error {
	batch.Rows, batch.Tally = d.room(min(message.Records, len(message.Body)/recordSize))
	cutter := &d.cutter
	cutter.Reset(message.Body, message.Plan.Comma(), message.FirstLine)
	records := 0
	for ; ; records++ {
		records += d.readLines(batch, message.Records-records)
		rec, err := cutter.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if records == message.Records {
			return &wire.BodyError{Reason: fmt.Sprintf("more records than the %d in %s", message.Records, wire.HeaderRecords)}
		}
		row, reject := d.parser.Parse(rec)
		if reject == nil {
			batch.Rows = pgcopy.AppendRow(batch.Rows, &row)
			batch.Tally.Add(&row)
			continue
		}
		batch.Rejects = append(batch.Rejects, d.reject(rec, reject))
	}
	if records != message.Records {
		return &wire.BodyError{Reason: fmt.Sprintf("%d records, not %d as in %s", records, message.Records, wire.HeaderRecords)}
	}
	return nil
}

// readLines reads the plain lines that come next, at most so many, and returns how
// many: what a body takes in memory follows from the records that it is said to have.
func (d *Decoder) readLines(batch *store.Batch, most int) int {
	line := d.cutter.Line()
	lines, count := d.cutter.Lines(most, wire.MaxBody)
	var row record.Row
	for len(lines) > 0 {
		end, reject := d.parser.ParseLine(lines, line, &row)
		if reject == nil {
			batch.Rows = pgcopy.AppendRow(batch.Rows, &row)
			batch.Tally.Add(&row)
		} else {
			rec := record.Record{Bytes: lines[:end:end], Line: line}
			rec.Length = int64(len(rec.Raw()))
			batch.Rejects = append(batch.Rejects, d.reject(rec, reject))
		}
		lines = lines[end:]
		line++
	}
	return count
}

func (d *Decoder) reject(rec record.Record, reject *record.Reject) store.Reject {
	r := store.Reject{
		Line:   reject.Line,
		Column: reject.Column,
		Reason: string(reject.Reason),
		Raw:    rec.Raw(),
		Length: rec.Length,
	}
	if rec.Fault == record.TooLong {
		digest := d.cutter.Digest()
		r.Digest = &digest
	}
	return r
}

// Dead returns the message as it will be set aside, for the reason given.
func Dead(m *Message, reason string) *store.Dead {
	claim := wire.ReadClaim(m.Header)
	headers := m.RawHeader
	if headers == nil {
		headers = headerBlock(m.Header)
	}
	return &store.Dead{
		Sequence:      m.Sequence,
		Time:          m.Time,
		Subject:       text(m.Subject),
		Headers:       headers,
		Payload:       m.Data,
		Reason:        text(reason),
		ClaimedSource: claim.Source,
		ClaimedBatch:  claim.Number,
	}
}

// text makes s fit a text column: PostgreSQL takes neither NUL nor bad UTF-8.
func text(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// Headers reads headers as Dead keeps them; there are none in an empty block.
func Headers(block []byte) (nats.Header, error) {
	if len(block) == 0 {
		return nil, nil
	}
	header, err := nats.DecodeHeadersMsg(block)
	if err != nil {
		return nil, fmt.Errorf("its headers can't be read: %w", err)
	}
	return header, nil
}

// headerBlock writes headers as NATS carries them (ADR-4), with the names in
// order; none is empty.
func headerBlock(header nats.Header) []byte {
	if len(header) == 0 {
		return nil
	}
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	var block bytes.Buffer
	block.WriteString("NATS/1.0\r\n")
	for _, name := range names {
		for _, value := range header[name] {
			fmt.Fprintf(&block, "%s: %s\r\n", name, value)
		}
	}
	block.WriteString("\r\n")
	return block.Bytes()
}
