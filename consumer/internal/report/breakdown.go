package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/shared/stats"
)

// Of a table of groups, how wide the first column is, and how many characters
// each of the figures has: in all not more than 80.
const (
	keyWidth    = 14
	figureWidth = 6
)

// Breakdown prints groups, one a line, as they are given.
type Breakdown struct {
	Printer

	begun bool
}

// Group prints one.
func (b *Breakdown) Group(g *stats.Group) error {
	if b.JSON {
		return b.line(g)
	}
	if !b.begun {
		b.begun = true
		if err := b.row(string(g.By), "rows", "nulls", "mean", "stddev", "min", "p50", "p95", "p99", "max"); err != nil {
			return err
		}
	}
	key := Printable(g.Key)
	if g.Name != "" {
		key = Printable(g.Name)
	}
	return b.row(key, strconv.FormatInt(g.Rows, 10), strconv.FormatInt(g.Nulls, 10),
		brief(g.Mean), brief(g.StdDev), brief(g.Min), brief(g.P50), brief(g.P95), brief(g.P99), brief(g.Max))
}

// End ends the list.
func (b *Breakdown) End() error {
	if b.begun || b.JSON {
		return nil
	}
	_, err := fmt.Fprintln(b.Out, "no rows")
	return err
}

// row prints a line; a first column that is too wide gets one of its own.
func (b *Breakdown) row(key, rows, nulls string, figures ...string) error {
	var line strings.Builder
	line.WriteString(key)
	width := utf8.RuneCountInString(key)
	if width > keyWidth {
		line.WriteByte('\n')
		width = 0
	}
	line.WriteString(strings.Repeat(" ", keyWidth-width))
	fmt.Fprintf(&line, " %8s %6s", rows, nulls)
	for _, figure := range figures {
		fmt.Fprintf(&line, " %*s", figureWidth, figure)
	}
	_, err := fmt.Fprintln(b.Out, line.String())
	return err
}

// brief cuts a number down to what a column holds, by rounding.
func brief(n stats.Number) string {
	text := string(n)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return value(n)
	}
	for digits := figureWidth - 1; len(text) > figureWidth && digits > 0; digits-- {
		text = strconv.FormatFloat(f, 'g', digits, 64)
		mantissa, exponent, has := strings.Cut(text, "e")
		if has {
			text = mantissa + "e" + strings.TrimPrefix(strings.Replace(strings.TrimPrefix(exponent, "+"), "-0", "-", 1), "0")
		}
	}
	return text
}
