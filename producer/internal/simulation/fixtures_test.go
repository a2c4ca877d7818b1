package simulation

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// records is how many each file has. Any of batchSizes cuts them.
const records = 12

var batchSizes = []int{2, 3, 5}

// fixture is a file to be loaded.
type fixture struct {
	path, name, source string
	size               int64
	rejects            map[int64]bool // by record, from 0
}

// fixtures are a file whose records are all good, and one with two that are not.
var fixtures []*fixture

func TestMain(m *testing.M) { os.Exit(withFixtures(m.Run)) }

func withFixtures(run func() int) int {
	dir, err := os.MkdirTemp("", "streamgauge-simulation-*")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for i, rejects := range []map[int64]bool{nil, {4: true, 9: true}} {
		var content strings.Builder
		content.WriteString("timestamp,price,user_id\n")
		for record := range int64(records) {
			price := fmt.Sprint(record)
			if rejects[record] {
				price = "dear"
			}
			fmt.Fprintf(&content, "1/%d/2012,%s,%d\n", 1+record, price, i)
		}
		f := &fixture{
			name: fmt.Sprintf("file%d.csv", i), size: int64(content.Len()), rejects: rejects,
			source: wire.SourceID(sha256.Sum256([]byte(content.String())), ""),
		}
		f.path = filepath.Join(dir, f.name)
		if err := os.WriteFile(f.path, []byte(content.String()), 0o600); err != nil {
			panic(err)
		}
		fixtures = append(fixtures, f)
	}
	return run()
}

// rejected counts the bad ones of some records.
func (f *fixture) rejected(first, count int64) (n int64) {
	for record := first; record < first+count; record++ {
		if f.rejects[record] {
			n++
		}
	}
	return n
}
