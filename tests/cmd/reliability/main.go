// Reliability writes what fault runs showed into a document. It reads the lines
// of JSON that they left (make chaos) and replaces the tables between two marks:
//
//	go run ./tests/cmd/reliability [-add] runs.jsonl docs/reliability.md
//
// With -add the runs are counted in addition to those the document has; the times
// are those of the runs given.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
)

const (
	begin = "<!-- faults: made by make chaos -->\n"
	end   = "<!-- faults end -->\n"
)

func main() {
	add := flag.Bool("add", false, "count the runs in addition to those the document has")
	flag.Parse()
	if err := write(*add, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
}

func write(add bool, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want the runs' file and the document, got %q", args)
	}
	all, err := read(args[0])
	if err != nil {
		return err
	}
	document, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(document, []byte(begin))
	standing, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s lacks the marks %q and %q", args[1], begin, end)
	}
	fresh := all.runs()
	if add {
		if err := all.addTable(standing); err != nil {
			return fmt.Errorf("%s: %w", args[1], err)
		}
	}
	tables := slices.Concat(all.counts(), all.times(fresh))
	return os.WriteFile(args[1], slices.Concat(before, []byte(begin), tables, []byte(end), after), 0o600)
}
