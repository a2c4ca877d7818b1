// Package oracle checks conservation: what went in is in the database, each
// record once and unaltered, and every count and statistic says so. It reads
// CSV by encoding/csv and dates by time.Parse, not by the product's own code.
package oracle

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Load is one source that was loaded, and what of it has to be in the database.
type Load struct {
	Name  string
	Label string
	ID    string
	// Records counts rows and rejects.
	Records int64
	// Rows are the records that have to be stored.
	Rows []Row
	// Rejects are the lines of those that have to be rejected, in order.
	Rejects []int64
	// Raw has the bytes of rejects by line, as far as they are to be compared.
	Raw map[int64]string
}

// Row is a record as it has to stand in prices. Price is empty for null.
type Row struct {
	Line   int64
	Time   time.Time
	Price  string
	UserID int64
}

// FromFile reads a plain file: a header, timestamps like 1/31/2012, prices as
// PostgreSQL would print them or none. Every record has to be stored.
func FromFile(t testing.TB, path, label string) Load {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	load := Load{Name: filepath.Base(path), Label: label, ID: ID(content, label)}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.FieldsPerRecord = 3
	r.ReuseRecord = true
	if _, err := r.Read(); err != nil {
		t.Fatalf("header of %s: %v", path, err)
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		line, _ := r.FieldPos(0)
		load.Rows = append(load.Rows, row(t, int64(line), fields))
	}
	load.Records = int64(len(load.Rows))
	return load
}

func row(t testing.TB, line int64, fields []string) Row {
	t.Helper()
	at, err := time.Parse("1/2/2006", fields[0])
	if err != nil {
		t.Fatal(err)
	}
	user, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return Row{Line: line, Time: at, Price: fields[1], UserID: user}
}

// ID returns a source's identity as the contract words it.
func ID(content []byte, label string) string {
	sum := sha256.Sum256(content)
	id := hex.EncodeToString(sum[:])
	if label != "" {
		id += "+" + label
	}
	return id
}

// checkTime bounds the queries of one check.
const checkTime = 2 * time.Minute

func checkContext(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), checkTime)
}
