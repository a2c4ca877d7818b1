// Package input makes the CSV files that are loaded, and says what of them has
// to be in the database afterwards.
package input

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"

	"github.com/streamgauge/streamgauge/sandbox/gen"
)

// seed makes every run of the benchmark load the same rows.
const seed = 1

// firstLine is where the first record stands, below the header.
const firstLine = 2

// File is a CSV file on disk.
type File struct {
	Path string
	Name string
	Size int64
	// Data is where the first record begins, Half where the second half of the
	// records does, in bytes.
	Data, Half int64
	// HalfLine is the line at Half.
	HalfLine int64
	Sums     Sums
}

// Sums are what a SELECT over the stored rows has to answer. Those that weigh
// the lines show that each row stands with its own line.
type Sums struct {
	Rows, Prices  int64
	Price         string
	UserID        int64
	Line          int64
	LineTimesUser string
}

// Make writes a file of so many rows into dir.
func Make(ctx context.Context, dir string, rows int64) (*File, error) {
	f := &File{Name: fmt.Sprintf("prices-%d.csv", rows)}
	f.Path = filepath.Join(dir, f.Name)
	if err := f.write(ctx, rows); err != nil {
		return nil, fmt.Errorf("make %s: %w", f.Name, err)
	}
	if err := f.read(rows); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name, err)
	}
	return f, nil
}

// Remove removes the file.
func (f *File) Remove() error { return os.Remove(f.Path) }

func (f *File) write(ctx context.Context, rows int64) error {
	file, err := os.Create(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	if err := gen.Write(ctx, buffered, gen.Config{Rows: rows, Seed: seed}); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	// What the kernel still has to write would weigh on the first contender.
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// read adds the file up by the standard library's reader, which is none of the
// product's. Prices of the samples are whole numbers.
func (f *File) read(rows int64) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.Size = info.Size()

	r := csv.NewReader(bufio.NewReaderSize(file, 1<<20))
	r.FieldsPerRecord = 3
	r.ReuseRecord = true
	if _, err := r.Read(); err != nil {
		return err
	}
	f.Data = r.InputOffset()
	var price, weighed int64
	total := new(big.Int)
	for line := int64(firstLine); ; line++ {
		if line-firstLine == rows/2 {
			f.Half, f.HalfLine = r.InputOffset(), line
		}
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		user, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return err
		}
		f.Sums.Rows++
		f.Sums.UserID += user
		f.Sums.Line += line
		weighed += line * user
		if weighed > 1<<62 {
			total.Add(total, big.NewInt(weighed))
			weighed = 0
		}
		if fields[1] == "" {
			continue
		}
		value, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return err
		}
		f.Sums.Prices++
		price += value
	}
	f.Sums.Price = strconv.FormatInt(price, 10)
	f.Sums.LineTimesUser = total.Add(total, big.NewInt(weighed)).String()
	if f.Sums.Rows != rows {
		return fmt.Errorf("it has %d records, not %d", f.Sums.Rows, rows)
	}
	return nil
}

// Part is a span of bytes that holds whole records.
type Part struct{ From, To int64 }

// Parts returns all records in one or two parts.
func (f *File) Parts(n int) []Part {
	if n == 2 {
		return []Part{{f.Data, f.Half}, {f.Half, f.Size}}
	}
	return []Part{{f.Data, f.Size}}
}
