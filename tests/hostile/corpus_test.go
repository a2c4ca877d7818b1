package hostile

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// corpus is the folder of the cases.
const corpus = "testdata"

// file is one case: what a file holds, and what has to become of it.
type file struct {
	// name is the case's, fileName what the file is called when it is loaded and
	// storedName what it then is called in the database.
	name, fileName, storedName string
	content                    []byte
	// args are the producer's arguments besides the file.
	args []string
	// columns are the number of fields and the places of timestamp, price and
	// user_id; nil where they are the first three of the header's.
	columns []int
	// refused is a part of the message that refuses the file, "" if none does.
	refused string
	// empty says that the file has no records.
	empty   bool
	rows    []row
	rejects []reject
}

// row is a record as it has to stand in prices.
type row struct {
	Line   int64
	Micros int64  // since 1970 UTC
	Price  string // NULL for none
	UserID int64
}

// reject is a record as it has to stand in rejects.
type reject struct {
	Line   int64
	Column string
	Reason string
	Raw    string // the first 64 KiB
	Length int64
	Digest string // of the whole record if it is longer than that, else empty
}

func (f *file) records() int64 { return int64(len(f.rows) + len(f.rejects)) }

// identity is the source's.
func (f *file) identity() string { return oracle.ID(f.content, "") }

// readCorpus reads every case of the corpus.
func readCorpus(t testing.TB) []*file {
	t.Helper()
	wants, err := filepath.Glob(filepath.Join(corpus, "*.want"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*file
	stored, contents := make(map[string]string), make(map[string]string)
	for _, path := range wants {
		name := strings.TrimSuffix(filepath.Base(path), ".want")
		f, err := readCase(name)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		// A source is its content, and a name is unique among sources.
		if other, twice := stored[f.storedName]; twice {
			t.Fatalf("%s is stored under the name of %s", name, other)
		}
		if other, twice := contents[string(f.content)]; twice {
			t.Fatalf("%s has the content of %s", name, other)
		}
		stored[f.storedName], contents[string(f.content)] = name, name
		files = append(files, f)
	}
	const least = 150
	if len(files) < least {
		t.Fatalf("%d cases, fewer than %d", len(files), least)
	}
	return files
}

func readCase(name string) (*file, error) {
	f := &file{name: name, fileName: name + ".csv"}
	var err error
	if f.content, err = os.ReadFile(filepath.Join(corpus, name+".csv")); os.IsNotExist(err) {
		f.content, err = generate(filepath.Join(corpus, name+".gen"))
	}
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(corpus, name+".want"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if err := f.read(line); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	if f.storedName == "" {
		f.storedName = f.fileName
	}
	if stated := f.records() > 0; stated == (f.empty || f.refused != "") {
		return nil, fmt.Errorf("%d records, empty: %t, refused: %q", f.records(), f.empty, f.refused)
	}
	return f, nil
}

// generate returns the content that the expressions of a file describe.
func generate(path string) ([]byte, error) {
	lines, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var content []byte
	for line := range strings.Lines(string(lines)) {
		text, rest, err := expression(line)
		if err != nil || strings.TrimSpace(rest) != "" {
			return nil, fmt.Errorf("%s: %s: %w", path, line, err)
		}
		content = append(content, text...)
	}
	return content, nil
}

// expression evaluates the one that text begins with, and returns what follows
// it: strings as Go quotes them, each perhaps repeated by *n, joined by +.
func expression(text string) (value, rest string, err error) {
	var b strings.Builder
	for {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", text, fmt.Errorf("no string at %.40q: %w", text, err)
		}
		text = text[len(quoted):]
		part, err := strconv.Unquote(quoted)
		if err != nil {
			return "", text, err
		}
		times := 1
		if after, repeated := strings.CutPrefix(text, "*"); repeated {
			n := len(after) - len(strings.TrimLeft(after, "0123456789"))
			if times, err = strconv.Atoi(after[:n]); err != nil {
				return "", text, err
			}
			text = after[n:]
		}
		b.WriteString(strings.Repeat(part, times))
		var more bool
		if text, more = strings.CutPrefix(text, "+"); !more {
			return b.String(), text, nil
		}
	}
}

// read takes in one line of a want file.
func (f *file) read(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	var err error
	switch word {
	case "empty":
		f.empty = true
	case "refused":
		f.refused, _, err = expression(rest)
	case "name":
		f.fileName, _, err = expression(rest)
	case "stored":
		f.storedName, _, err = expression(rest)
	case "args":
		f.args, err = arguments(rest)
	case "format":
		f.columns = make([]int, 4)
		_, err = fmt.Sscan(rest, &f.columns[0], &f.columns[1], &f.columns[2], &f.columns[3])
	case "row":
		err = f.readRow(rest)
	case "reject":
		err = f.readReject(rest)
	default:
		err = fmt.Errorf("unknown word %q", word)
	}
	return err
}

func arguments(text string) ([]string, error) {
	var args []string
	for text != "" {
		if text[0] == '"' {
			arg, rest, err := expression(text)
			if err != nil {
				return nil, err
			}
			args, text = append(args, arg), strings.TrimPrefix(rest, " ")
			continue
		}
		var arg string
		arg, text, _ = strings.Cut(text, " ")
		args = append(args, arg)
	}
	return args, nil
}

// lineNumbers reads 7, 7-9, or 7-11/2 for every second one.
func lineNumbers(text string) (numbers []int64, err error) {
	text, step, stepped := strings.Cut(text, "/")
	first, last, several := strings.Cut(text, "-")
	if !several {
		last = first
	}
	if !stepped {
		step = "1"
	}
	var from, to, by int64
	if _, err := fmt.Sscan(first, &from); err != nil {
		return nil, err
	}
	if _, err := fmt.Sscan(last, &to); err != nil {
		return nil, err
	}
	if _, err := fmt.Sscan(step, &by); err != nil {
		return nil, err
	}
	for n := from; n <= to; n += by {
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func (f *file) readRow(text string) error {
	fields := strings.Fields(text)
	if len(fields) != 4 {
		return fmt.Errorf("%d fields, not line, timestamp, price and user_id", len(fields))
	}
	numbers, err := lineNumbers(fields[0])
	if err != nil {
		return err
	}
	micros, err := instant(fields[1])
	if err != nil {
		return err
	}
	price := fields[2]
	if price == "null" {
		price = "NULL"
	}
	user, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		f.rows = append(f.rows, row{Line: n, Micros: micros, Price: price, UserID: user})
	}
	return nil
}

// instant reads a date, a date and time in RFC 3339, or @ and seconds since
// 1970 for what RFC 3339 can't say. It returns microseconds since 1970 UTC.
func instant(text string) (int64, error) {
	if seconds, ok := strings.CutPrefix(text, "@"); ok {
		n, err := strconv.ParseInt(seconds, 10, 64)
		return n * 1_000_000, err
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		at, err = time.Parse(time.RFC3339Nano, text)
	}
	return at.UnixMicro(), err
}

func (f *file) readReject(text string) error {
	number, rest, _ := strings.Cut(text, " ")
	numbers, err := lineNumbers(number)
	if err != nil {
		return err
	}
	column, rest, _ := strings.Cut(rest, " ")
	if column == "-" {
		column = ""
	}
	raw, reason, err := expression(rest)
	if err != nil {
		return err
	}
	reason = strings.TrimPrefix(reason, " ")
	if reason == "" {
		return fmt.Errorf("no reason")
	}
	r := reject{Column: column, Reason: reason, Raw: raw, Length: int64(len(raw))}
	if len(raw) > record.MaxLength {
		r.Raw = raw[:record.MaxLength]
		r.Digest = fmt.Sprintf("%x", sha256.Sum256([]byte(raw)))
	}
	for _, n := range numbers {
		r.Line = n
		f.rejects = append(f.rejects, r)
	}
	return nil
}
