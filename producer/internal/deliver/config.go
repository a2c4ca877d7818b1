// Package deliver does the producer's whole work: each input is read, compared
// with what is loaded, sent, and waited for, one after the other.
package deliver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/columns"
	"github.com/streamgauge/streamgauge/producer/internal/progress"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// DefaultSettle is how long a file must stay as it is to count as complete when
// nothing else is asked for: writers pause, and file systems note the time of a
// change by the second.
const DefaultSettle = 2 * time.Second

// leastSettle is below what tells one change from the next.
const leastSettle = 100 * time.Millisecond

// DefaultBatchSize is the most records of a batch when nothing else is asked for.
const DefaultBatchSize = 500

// Config is one run. The zero value of each field is its default.
type Config struct {
	// Server is where NATS is, Streams how the streams are made if missing.
	Server  topology.Server
	Streams topology.Config
	// SizesGiven says that Streams was asked for, so that it is worth a word
	// when the streams stand otherwise.
	SizesGiven bool

	// Inputs are files, globs, folders, URLs, or "-", and for Watch one folder;
	// Exclude are patterns.
	Inputs, Exclude []string
	// Stdin is read for "-"; nil means os.Stdin.
	Stdin *os.File
	// Columns says how the files are read.
	Columns columns.Options
	// BatchSize is the most records of a batch; zero means DefaultBatchSize.
	BatchSize int
	// Label makes of the same content another source.
	Label string
	// AllowChanged loads a source under a name that other content has.
	AllowChanged bool

	// Settle is how long a file must stay as it is before Watch loads it; zero
	// means DefaultSettle.
	Settle time.Duration

	// Rate is the most records sent a second; zero means as many as will go.
	Rate float64
	// Wait returns only when all is committed.
	Wait bool
	// DryRun reads and checks, and contacts nothing.
	DryRun bool

	// Progress shows how far each source is; nil means that nothing does.
	Progress *progress.Display
	// Out is where the summaries go; nil means os.Stdout. JSON makes each of
	// them a JSON object on a line.
	Out  io.Writer
	JSON bool
}

func (c Config) withDefaults() Config {
	if c.BatchSize == 0 {
		c.BatchSize = DefaultBatchSize
	}
	if c.Settle == 0 {
		c.Settle = DefaultSettle
	}
	if c.Out == nil {
		c.Out = os.Stdout
	}
	if c.Stdin == nil {
		c.Stdin = os.Stdin
	}
	return c
}

// Validate reports what can be known to be wrong before anything is read or
// connected. Its errors are about how the command was used.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case len(c.Inputs) == 0:
		return errors.New("no file given: name files, folders, patterns or URLs, or - for standard input")
	case c.DryRun && c.Wait:
		return errors.New("--dry-run sends nothing that --wait could wait for: give one of them")
	case c.DryRun && c.Rate != 0:
		return errors.New("--dry-run sends nothing that --rate could slow down: give one of them")
	case c.Rate < 0:
		return fmt.Errorf("--rate is more than 0 rows a second, not %g", c.Rate)
	}
	if err := CheckBatchSize(c.BatchSize); err != nil {
		return err
	}
	if err := CheckSettle(c.Settle); err != nil {
		return err
	}
	if c.Label != "" {
		if err := wire.ValidateLabel(c.Label); err != nil {
			return fmt.Errorf("--label: %w", err)
		}
	}
	if err := c.Streams.Validate(); err != nil {
		return err
	}
	if err := c.Server.Validate(); err != nil {
		return err
	}
	return c.Columns.Validate()
}

// CheckBatchSize says what is wrong with a size that was asked for.
func CheckBatchSize(size int) error {
	if size < 1 || size > wire.MaxRecords {
		return fmt.Errorf("--batch-size is 1 to %d, not %d", wire.MaxRecords, size)
	}
	return nil
}

// CheckSettle says what is wrong with a time that was asked for.
func CheckSettle(settle time.Duration) error {
	if settle < leastSettle {
		return fmt.Errorf("--settle is at least %s, not %s", leastSettle, settle)
	}
	return nil
}
