package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

const (
	// widest is how many columns are drawn on: more make a bar no clearer.
	widest = 100
	// nameColumns is what a name gets of them.
	nameColumns = 26
	// restColumns is what the percentage and the time left get.
	restColumns = len(" 100%  99h59m59s left")
)

// draw shows a bar until stop.
func (d *Display) draw(s *Source, stop <-chan struct{}) {
	select {
	case <-stop:
		return
	case <-time.After(showAfter):
	}
	d.mu.Lock()
	bars := mpb.New(mpb.WithConsoleWriter(d.console()))
	style := mpb.BarStyle().Build()
	bar, err := bars.Add(0, mpb.BarFillerFunc(func(w io.Writer, at decor.Statistics) error {
		return head(w, style, s.name, s.figures(time.Now()), columns(at))
	}), mpb.BarBtmExtender(mpb.BarFillerFunc(func(w io.Writer, at decor.Statistics) error {
		f := s.figures(time.Now())
		_, err := io.WriteString(w, runewidth.Truncate("  "+f.words(), columns(at), "…")+"\n")
		return err
	})), mpb.BarFillerTrim())
	if err == nil {
		d.bar = bars
	}
	d.mu.Unlock()
	<-stop
	d.mu.Lock()
	defer d.mu.Unlock()
	if bar != nil {
		bar.Abort(true)
	}
	bars.Wait()
	d.bar = nil
}

// console is what mpb draws on. It moves up from where the cursor is, which has
// to be the line's beginning: a terminal shows a Ctrl-C where the cursor was.
func (d *Display) console() mpb.ConsoleWriter {
	console := cupwriter.New(returning{d.file}, false)
	console.SetTermFd(int(d.file.Fd()))
	return console
}

type returning struct{ out io.Writer }

func (r returning) Write(p []byte) (int, error) {
	n, err := r.out.Write(append([]byte{'\r'}, p...))
	return max(0, n-1), err
}

// columns leaves the last one free, in which some terminals begin a new line.
func columns(at decor.Statistics) int { return min(at.AvailableWidth-1, widest) }

// head is the first row: name, bar, percentage, time left.
func head(w io.Writer, style mpb.BarFiller, name string, f figures, width int) error {
	shown := shorten(escape.Name(shorten(name, nameColumns)), nameColumns)
	if _, err := io.WriteString(w, shown); err != nil || f.reading() {
		return err
	}
	left := width - runewidth.StringWidth(shown)
	if length := left - restColumns - 1; length > len("[>]") {
		if _, err := io.WriteString(w, " "); err != nil {
			return err
		}
		left -= length + 1
		at := decor.Statistics{AvailableWidth: length, RequestedWidth: length, Total: f.total, Current: min(f.done(), f.total)}
		if err := style.Fill(w, at); err != nil {
			return err
		}
	}
	text := fmt.Sprintf(" %3d%%  %s", 100*min(f.done(), f.total)/f.total, f.left())
	_, err := io.WriteString(w, strings.TrimRight(runewidth.Truncate(text, left, ""), " "))
	return err
}

// shorten cuts the middle out of a name that is too wide: it begins like its
// neighbours and ends in what tells them apart.
func shorten(name string, columns int) string {
	if runewidth.StringWidth(name) <= columns {
		return name
	}
	start := runewidth.Truncate(name, columns/2, "…")
	end := runewidth.TruncateLeft(name, runewidth.StringWidth(name)-(columns-runewidth.StringWidth(start)), "")
	return start + end
}
