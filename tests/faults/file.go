package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/oracle"
)

// badRecords are records that have to be rejected, each of one line.
var badRecords = []string{"1/10/2012,fifty,9", "31/2/2012,50,9", "1/10/2012,50", "1/10/2012,50,nine", `1/10/2012,"5"0,9`, `\.`, "1/10/2012,NaN,9"}

// writeFile makes a file of so many records, about one in 200 of them bad, and
// says what of it has to be in the database. Its name stands for one content.
func writeFile(t testing.TB, random *rand.Rand, name string, records int) file {
	t.Helper()
	var content strings.Builder
	content.WriteString("timestamp,price,user_id\n")
	load := oracle.Load{Name: name, Records: int64(records), Raw: make(map[int64]string)}
	day := time.Date(2012, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i := range records {
		line := int64(i) + 2
		if random.IntN(200) == 0 {
			raw := badRecords[random.IntN(len(badRecords))]
			content.WriteString(raw + "\n")
			load.Rejects = append(load.Rejects, line)
			load.Raw[line] = raw
			continue
		}
		at := day.AddDate(0, 0, random.IntN(700))
		row := oracle.Row{Line: line, Time: at, Price: price(random), UserID: random.Int64N(1000)}
		load.Rows = append(load.Rows, row)
		fmt.Fprintf(&content, "%s,%s,%d\n", at.Format("1/2/2006"), row.Price, row.UserID)
	}
	f := file{path: filepath.Join(t.TempDir(), name), content: []byte(content.String()), load: load}
	f.load.ID = oracle.ID(f.content, "")
	if err := os.WriteFile(f.path, f.content, 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// price is a number as PostgreSQL prints it, or none.
func price(random *rand.Rand) string {
	switch random.IntN(20) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("-%d.%02d", 1+random.IntN(1000), random.IntN(100))
	case 2:
		return fmt.Sprintf("%d.%04d", random.IntN(1000), random.IntN(10_000))
	default:
		return fmt.Sprint(random.IntN(101))
	}
}
