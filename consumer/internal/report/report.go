// Package report prints what the commands of the consumer show.
package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/shared/stats"
)

// Printer writes to Out, as text for people or one JSON value a line.
type Printer struct {
	Out  io.Writer
	JSON bool
}

// comparison is a store.Comparison as JSON.
type comparison struct {
	Running     *stats.Snapshot `json:"running"`
	Database    *stats.Snapshot `json:"database"`
	Agree       bool            `json:"agree"`
	Differences []string        `json:"differences,omitempty"`
	// Groups are the statistics by source and by day: how many, and which differ.
	Groups []groups `json:"groups"`
}

type groups struct {
	By          stats.By          `json:"by"`
	Groups      int64             `json:"groups"`
	Different   int64             `json:"different"`
	Differences []groupDifference `json:"differences,omitempty"`
}

// groupDifference is a store.GroupDifference as JSON.
type groupDifference struct {
	Key     string   `json:"key"`
	Figures []string `json:"figures"`
}

// Comparison prints the running statistics beside the database's own.
func (p Printer) Comparison(c *store.Comparison) error {
	if p.JSON {
		return p.line(comparison{c.Running, c.Table, c.Agree(), c.Differences, comparedGroups(c)})
	}
	differs := make(map[string]bool)
	for _, name := range c.Differences {
		differs[name] = true
	}
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\trunning\tSELECT")
	for _, row := range []struct {
		name           string
		running, table any
	}{
		{"rows", c.Running.Rows, c.Table.Rows},
		{"count", c.Running.Count, c.Table.Count},
		{"nulls", c.Running.Nulls, c.Table.Nulls},
		{"sum", c.Running.Sum, c.Table.Sum},
		{"mean", c.Running.Mean, c.Table.Mean},
		{"min", c.Running.Min, c.Table.Min},
		{"max", c.Running.Max, c.Table.Max},
		{"stddev", c.Running.StdDev, c.Table.StdDev},
		{"p50", c.Running.P50, c.Table.P50},
		{"p95", c.Running.P95, c.Table.P95},
		{"p99", c.Running.P99, c.Table.P99},
		{"first", c.Running.First, c.Table.First},
		{"last", c.Running.Last, c.Table.Last},
		{"rejected", c.Running.Rejected, c.Table.Rejected},
		{"dead", c.Running.Dead, c.Table.Dead},
	} {
		mark := ""
		if differs[row.name] {
			mark = "  <- differs"
		}
		fmt.Fprintf(w, "%s\t%s\t%s%s\n", row.name, value(row.running), value(row.table), mark)
	}
	for _, g := range c.Groups {
		fmt.Fprintf(w, "by %s\t%d of %d agree\n", g.By, g.Groups-g.Different, g.Groups)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	verdict := "They agree."
	if !c.Agree() {
		verdict = "They do not agree: " + strings.Join(disagreeing(c), ", ") + "."
	}
	_, err := fmt.Fprintf(p.Out, "%s  (revision %d)\n", verdict, c.Running.Revision)
	return err
}

func comparedGroups(c *store.Comparison) []groups {
	list := make([]groups, len(c.Groups))
	for i, g := range c.Groups {
		list[i] = groups{By: g.By, Groups: g.Groups, Different: g.Different}
		for _, d := range g.Differences {
			list[i].Differences = append(list[i].Differences, groupDifference(d))
		}
	}
	return list
}

// disagreeing names what differs: the figures of all rows, and of groups the
// first.
func disagreeing(c *store.Comparison) []string {
	names := slices.Clone(c.Differences)
	for _, g := range c.Groups {
		for _, d := range g.Differences {
			names = append(names, fmt.Sprintf("%s %s (%s)", g.By, Printable(d.Key), strings.Join(d.Figures, ", ")))
		}
		if more := g.Different - int64(len(g.Differences)); more > 0 {
			names = append(names, fmt.Sprintf("%d more by %s", more, g.By))
		}
	}
	return names
}

// Snapshot prints one snapshot as a line.
func (p Printer) Snapshot(s *stats.Snapshot) error {
	if p.JSON {
		return p.line(s)
	}
	line := fmt.Sprintf("revision %-5d rows %-7d count %-7d mean %-8s min %-5s max %-5s %s",
		s.Revision, s.Rows, s.Count, short(s.Mean), value(s.Min), value(s.Max), Printable(s.Source))
	_, err := fmt.Fprintln(p.Out, strings.TrimRight(line, " "))
	return err
}

// History prints one source.
func (p Printer) History(h *store.History) error {
	if p.JSON {
		return p.line(h)
	}
	state := "done"
	if h.Retired {
		_, err := fmt.Fprintf(p.Out, "%s  unloaded\n  id      %s\n", Printable(h.Name), h.Source)
		return err
	}
	if missing := h.Batches - h.Done; missing > 0 {
		state = fmt.Sprintf("%d of %d batches missing", missing, h.Batches)
	}
	_, err := fmt.Fprintf(p.Out, "%s  %s, %d rejected, %s\n  id      %s\n  before  %s\n  after   %s\n",
		Printable(h.Name), Count(h.Rows, "row"), h.Rejected, state, h.Source, extract(h.Before), extract(h.After))
	return err
}

// More ends a list of which shown were shown out of total.
func (p Printer) More(shown, total int64, what string) error {
	var err error
	switch {
	case total == 0:
		_, err = fmt.Fprintf(p.Out, "no %s\n", what)
	case shown < total:
		_, err = fmt.Fprintf(p.Out, "and %d more: --limit -1 lists all\n", total-shown)
	}
	return err
}

// Count is a number and what it counts.
func Count(n int64, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "ch"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

func (p Printer) line(v any) error {
	line, err := stats.Line(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Out, "%s\n", line)
	return err
}

func extract(e *store.Extract) string {
	if e == nil {
		return "-"
	}
	return fmt.Sprintf("count %d, mean %s, min %s, max %s", e.Count, value(e.Mean), value(e.Min), value(e.Max))
}

// value shows SQL's NULL as a dash.
func value(v any) string {
	if text := fmt.Sprint(v); text != "" {
		return text
	}
	return "-"
}

// short cuts a mean to two digits after the point, for a line that moves.
func short(n stats.Number) string {
	if f, err := strconv.ParseFloat(string(n), 64); err == nil {
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return value(n)
}

// Printable escapes what a terminal could take for a command.
func Printable(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return text
	}
	return strconv.Quote(text)
}

// OneLine replaces what is not printable by spaces, line ends too. It is for
// the words of others in an error: of servers, of the command line.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
