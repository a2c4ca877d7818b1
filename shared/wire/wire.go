// Package wire is the agreement between producer and consumer: the batch
// message on the subject rows.price, and the questions the producer asks about
// a load. README.md beside this file is the specification; Validate enforces
// it, and Encode and Decode both call Validate.
package wire

import (
	"crypto/sha256"

	"github.com/streamgauge/streamgauge/shared/record"
)

// Version is the wire version this package writes, and the newest it reads.
const Version = 1

// Limits of a batch message.
const (
	// MaxBody is the most bytes a body may hold. With the headers it stays
	// under 1 MiB, the payload limit a NATS server has by default.
	MaxBody = 512 << 10
	// MaxHeader bounds the headers of one message as the producer writes them;
	// a server needs max_payload >= MaxBody + MaxHeader.
	MaxHeader = 16 << 10
	// MaxRecords is the most records one batch may hold, and so the largest
	// batch size. A body has room for 43,690 good ones: the shortest,
	// 1/1/2012,,1 and its line end, has 12 bytes.
	MaxRecords = 50_000
	// MaxName is the most bytes a source's name may have before it is percent-encoded.
	MaxName = 1024
	// MaxLabel is the most bytes of a label.
	MaxLabel = 64
	// MaxInteger is the greatest integer a header may hold: JSON readers of any
	// language hold it exactly, and adding lines to it overflows nothing.
	MaxInteger = 1<<53 - 1
	// MaxPlan is the most bytes of a plan's JSON, MaxTimestampFormat the most of
	// its timestamp format.
	MaxPlan            = 4 << 10
	MaxTimestampFormat = 256
	// MaxFields is the most fields a record can have: record.MaxLength delimiters.
	MaxFields = record.MaxLength + 1
)

// Batch is consecutive records of one source: one JetStream message. A Batch
// returned by Decode has been validated; one to be encoded is validated by
// Encode.
type Batch struct {
	// Source identifies the source by its content; see SourceID.
	Source string
	// Name is what people call the source: the file's name without folders.
	Name string
	// Size is the source's length in bytes (decompressed), header included.
	Size int64
	// SameName says that other content may already stand under Name.
	SameName bool
	// Number counts from 1; Batches is how many the source has in all.
	Number, Batches int64
	// FirstLine is the line the first record starts at; the file's first line is 1.
	FirstLine int64
	// Records is how many records Body holds.
	Records int
	// Plan is how the source is read and cut.
	Plan Plan
	// Long is set when the batch is a single record over record.MaxLength bytes:
	// Body then holds its first record.MaxLength bytes.
	Long *Long
	// Body holds the records' own bytes with their line ends. Blank lines
	// between two records are written as bare "\n", so that line numbers hold.
	Body []byte
}

// Long describes a record that is too long to travel whole.
type Long struct {
	// Length is the record's length in bytes, without its line end.
	Length int64
	// Digest is the SHA-256 of all those bytes.
	Digest [sha256.Size]byte
}

// Plan is how a source is read and cut. Two batches of one source belong
// together only if their plans and their number of batches are the same. Plans
// compare with ==.
type Plan struct {
	record.Format
	// BatchSize is the most records a batch holds.
	BatchSize int `json:"batch_size"`
}
