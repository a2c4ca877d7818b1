// Package svg draws a recording as one animated picture, which a browser shows
// without a script. Each row is a strip of all that it ever shows, side by side,
// of which a CSS animation moves the right part into view; who prefers no motion
// sees the last moment.
package svg

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/tests/recording/cast"
	"github.com/streamgauge/streamgauge/tests/recording/vt"
)

// In pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18
	fontSize   = 14
	margin     = 14
	bar        = 34 // with the title
)

// colors are the terminal's, from 1 as in vt.Style.
var colors = [17]string{
	"#d4dbe4", "#5b6675", "#f07178", "#8fd694", "#e6c17a", "#82aaff", "#c792ea", "#7fd5e0", "#d4dbe4",
	"#7b8796", "#ff8b92", "#a9e8ae", "#ffd98f", "#9cbcff", "#ddaef5", "#9be8f2", "#ffffff",
}

// Write draws the frames, the last of which stays until length has passed. Then
// it begins again.
func Write(w io.Writer, title, description string, frames []cast.Frame, length time.Duration) error {
	rows, cols := len(frames[0].Rows), len(frames[0].Rows[0])
	width, height := float64(cols)*cellWidth+2*margin, float64(rows)*cellHeight+bar+margin
	var strips, rules strings.Builder
	for i := range rows {
		strip(&strips, &rules, i, cols, frames, length)
	}
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]g %[2]g" width="%[1]g" height="%[2]g" role="img">
<title>%[3]s</title><desc>%[4]s</desc>
<style>
text{font:%[5]dpx ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:%[6]s}
.b{font-weight:700}.d{opacity:.6}
%[7]sg[style]{animation:%[8]gs steps(1,end) infinite}
%[9]s@media (prefers-reduced-motion:reduce){g[style]{animation:none}}
</style>
<rect width="%[1]g" height="%[2]g" rx="9" fill="#161b22"/>
<circle cx="20" cy="17" r="5.5" fill="#f07178"/><circle cx="39" cy="17" r="5.5" fill="#e6c17a"/><circle cx="58" cy="17" r="5.5" fill="#8fd694"/>
<text x="%[10]g" y="22" text-anchor="middle" class="d">%[3]s</text>
%[11]s</svg>
`, width, height, html.EscapeString(title), html.EscapeString(description), fontSize, colors[0],
		palette(), length.Seconds(), rules.String(), width/2, strips.String())
	return err
}

func palette() string {
	var b strings.Builder
	for i, c := range colors[1:] {
		fmt.Fprintf(&b, ".c%d{fill:%s}", i+1, c)
	}
	b.WriteString("\n")
	return b.String()
}

// strip draws all that a row shows, and writes the rule that moves it.
func strip(out, rules *strings.Builder, row, cols int, frames []cast.Frame, length time.Duration) {
	width := float64(cols) * cellWidth
	apart := width + cellWidth     // so that no edge of a neighbour comes into view
	places := make(map[string]int) // of what is drawn already
	var parts []string
	var keys strings.Builder
	last := -1
	for _, f := range frames {
		drawn := runs(f.Rows[row])
		place, known := places[drawn]
		if !known {
			place = len(parts)
			places[drawn] = place
			parts = append(parts, drawn)
		}
		if place != last {
			fmt.Fprintf(&keys, "%s%%{transform:translate(%gpx)}", percent(f.At, length), -float64(place)*apart)
			last = place
		}
	}
	if len(parts) == 1 && parts[0] == "" {
		return
	}
	fmt.Fprintf(out, `<svg x="%d" y="%d" width="%g" height="%d">`, margin, bar+row*cellHeight, width, cellHeight)
	style := ""
	if len(parts) > 1 {
		fmt.Fprintf(rules, "@keyframes r%d{%s}\n", row, keys.String())
		style = fmt.Sprintf(` style="animation-name:r%d;transform:translate(%gpx)"`, row, -float64(last)*apart)
	}
	fmt.Fprintf(out, "<g%s>", style)
	for i, part := range parts {
		if part == "" {
			continue
		}
		if i == 0 {
			out.WriteString(part)
			continue
		}
		fmt.Fprintf(out, `<g transform="translate(%g)">%s</g>`, float64(i)*apart, part)
	}
	out.WriteString("</g></svg>\n")
}

func percent(at, length time.Duration) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", 100*at.Seconds()/length.Seconds()), "0"), ".")
}

// runs draws a row, at the left: a text for each run of one style, as wide as
// its cells in whatever font.
func runs(row []vt.Cell) string {
	var out strings.Builder
	for from := 0; from < len(row); {
		to := from
		var text strings.Builder
		for ; to < len(row) && row[to].Style == row[from].Style; to++ {
			r := row[to].Rune
			if r == 0 {
				r = ' '
			}
			text.WriteRune(r)
		}
		whole := text.String()
		trimmed := strings.TrimLeft(strings.TrimRight(whole, " "), " ")
		if trimmed != "" {
			first := from + len(whole) - len(strings.TrimLeft(whole, " "))
			cells := len([]rune(trimmed))
			fmt.Fprintf(&out, `<text x="%g" y="14" textLength="%g"%s>%s</text>`,
				float64(first)*cellWidth, float64(cells)*cellWidth, class(row[from].Style), html.EscapeString(trimmed))
		}
		from = to
	}
	return out.String()
}

func class(s vt.Style) string {
	var names []string
	if s.Color > 0 {
		names = append(names, fmt.Sprintf("c%d", s.Color))
	}
	if s.Bold {
		names = append(names, "b")
	}
	if s.Dim {
		names = append(names, "d")
	}
	if names == nil {
		return ""
	}
	return ` class="` + strings.Join(names, " ") + `"`
}
