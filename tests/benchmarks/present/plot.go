package present

import (
	"fmt"

	"github.com/streamgauge/streamgauge/tests/benchmarks/contend"
	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

// Sizes in pixels.
const (
	width     = 900.0
	left      = 330.0 // of the bars
	curveLeft = 70.0
	right     = 30.0
	barHeight = 16.0
	barStep   = 24.0
	curveHigh = 200.0
	titleHigh = 34.0
	axisHigh  = 34.0
	gap       = 24.0
)

const (
	small = "font:12px sans-serif;fill:#24292f"
	faint = "font:11px sans-serif;fill:#57606a"
	head  = "font:bold 14px sans-serif;fill:#24292f"
	grid  = "stroke:#d0d7de;stroke-width:1"
	stem  = "stroke:#24292f;stroke-width:1.5"
)

const (
	blue   = "#0969da"
	grey   = "#8c959f"
	orange = "#bc4c00"
	green  = "#1a7f37"
)

var colors = map[string]string{
	contend.KeyPair: blue, contend.KeyCopyPlain: grey, contend.KeyCopyPrices: orange,
	result.Producer: green, result.Consumer: blue, result.Broker: orange, result.Postgres: grey,
}

// Plot returns an SVG: rows/s of all contenders, and of the long load rows/s
// and memory over time.
func Plot(r *result.Report) string {
	var c canvas
	y := drawBars(&c, r, 0)
	y = drawRates(&c, r, y)
	y = drawMemory(&c, r, y)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n"+
		`<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n%s</svg>\n", width, y, width, y, c.String())
}

func drawBars(c *canvas, r *result.Report, y float64) float64 {
	var shown []result.Contender
	most := 0.0
	for _, one := range r.Contenders {
		// A producer alone stores nothing in PostgreSQL, and would dwarf the rest.
		if len(one.Runs) > 0 && one.Key != contend.KeyProducer {
			shown = append(shown, one)
			most = max(most, one.Over(result.Run.Rate).Max/1e6)
		}
	}
	if len(shown) == 0 {
		return y
	}
	y += titleHigh
	c.text(12, y-12, "start", head, fmt.Sprintf("Millions of rows/s, %s rows: median, least and most; rounds: %d", thousands(r.Rows), r.Rounds))
	bottom := y + float64(len(shown))*barStep
	x := newAxis(left, width-right-50, most, 6)
	for _, mark := range x.marks() {
		c.line(x.at(mark), y, x.at(mark), bottom, grid)
		c.text(x.at(mark), bottom+15, "middle", faint, label(mark))
	}
	for i, one := range shown {
		top := y + float64(i)*barStep + (barStep-barHeight)/2
		s := one.Over(func(run result.Run) float64 { return run.Rate() / 1e6 })
		color := grey
		if one.Runs[0].CPUSeconds[result.Broker] > 0 {
			color = blue // the pair or one of it
		}
		c.text(left-8, top+12, "end", small, one.Title)
		c.rect(left, top, x.at(s.Median)-left, barHeight, color)
		c.line(x.at(s.Min), top+barHeight/2, x.at(s.Max), top+barHeight/2, stem)
		c.text(x.at(s.Max)+6, top+12, "start", small, fmt.Sprintf("%.2f", s.Median))
	}
	return bottom + axisHigh + gap
}

// curve is one line of a chart.
type curve struct {
	name, color string
	points      []result.Point
}

func drawRates(c *canvas, r *result.Report, y float64) float64 {
	var curves []curve
	for _, g := range r.Growth {
		curves = append(curves, curve{g.Title, colors[g.Key], scaled(g.Rate, 1e-6)})
	}
	if len(curves) == 0 {
		return y
	}
	return drawCurves(c, fmt.Sprintf("Millions of rows/s over seconds, one load of %s rows", thousands(r.Growth[0].Run.Rows)), curves, y)
}

func drawMemory(c *canvas, r *result.Report, y float64) float64 {
	for _, g := range r.Growth {
		if g.Key != contend.KeyPair {
			continue
		}
		var curves []curve
		for _, name := range result.Processes {
			if points, has := g.Resident[name]; has {
				curves = append(curves, curve{name, colors[name], scaled(points, 1e-6)})
			}
		}
		return drawCurves(c, "Resident memory in MB over seconds, the pair in the same load", curves, y)
	}
	return y
}

func drawCurves(c *canvas, title string, curves []curve, y float64) float64 {
	var mostX, mostY float64
	for _, one := range curves {
		for _, p := range one.points {
			mostX, mostY = max(mostX, p.Seconds), max(mostY, p.Value)
		}
	}
	y += titleHigh
	c.text(12, y-12, "start", head, title)
	bottom := y + curveHigh
	across, up := newAxis(curveLeft, width-right, mostX, 10), newAxis(bottom, y, mostY, 5)
	for _, mark := range across.marks() {
		c.line(across.at(mark), y, across.at(mark), bottom, grid)
		c.text(across.at(mark), bottom+15, "middle", faint, label(mark))
	}
	for _, mark := range up.marks() {
		c.line(curveLeft, up.at(mark), width-right, up.at(mark), grid)
		c.text(curveLeft-8, up.at(mark)+4, "end", faint, label(mark))
	}
	x := curveLeft
	for _, one := range curves {
		var path [][2]float64
		for _, p := range one.points {
			path = append(path, [2]float64{across.at(p.Seconds), up.at(p.Value)})
		}
		c.path(path, one.color)
		c.rect(x, bottom+26, 14, 4, one.color)
		c.text(x+20, bottom+32, "start", small, one.name)
		x += 40 + 7*float64(len(one.name))
	}
	return bottom + axisHigh + gap
}

func scaled(points []result.Point, by float64) []result.Point {
	out := make([]result.Point, len(points))
	for i, p := range points {
		out[i] = result.Point{Seconds: p.Seconds, Value: p.Value * by}
	}
	return out
}
