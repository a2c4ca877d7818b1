package present

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// canvas collects the elements of an SVG.
type canvas struct{ strings.Builder }

func (c *canvas) line(x1, y1, x2, y2 float64, style string) {
	fmt.Fprintf(c, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" style="%s"/>`+"\n", x1, y1, x2, y2, style)
}

func (c *canvas) rect(x, y, w, h float64, color string) {
	fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, w, h, color)
}

func (c *canvas) text(x, y float64, anchor, style, text string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="%s" style="%s">%s</text>`+"\n", x, y, anchor, style, html.EscapeString(text))
}

func (c *canvas) path(points [][2]float64, color string) {
	if len(points) == 0 {
		return
	}
	c.WriteString(`<polyline fill="none" stroke-width="1.5" stroke="` + color + `" points="`)
	for _, p := range points {
		fmt.Fprintf(c, "%.1f,%.1f ", p[0], p[1])
	}
	c.WriteString(`"/>` + "\n")
}

// axis maps 0 to most onto pixels and marks it in round steps.
type axis struct {
	from, to float64 // pixels of 0 and of most
	most     float64
	step     float64
}

func newAxis(from, to, most float64, steps int) axis {
	if most <= 0 {
		most = 1
	}
	step := roundStep(most / float64(steps))
	return axis{from, to, math.Ceil(most/step-1e-9) * step, step}
}

func (a axis) at(v float64) float64 { return a.from + (a.to-a.from)*v/a.most }

func (a axis) marks() []float64 {
	var all []float64
	for i := 0; float64(i)*a.step <= a.most*(1+1e-9); i++ {
		all = append(all, float64(i)*a.step)
	}
	return all
}

// roundStep is the least 1, 2 or 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= v*(1-1e-9) {
			return n * power
		}
	}
	return 10 * power
}

func label(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.4g", v), ".0") }
