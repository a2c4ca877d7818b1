package page

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/streamgauge/streamgauge/sandbox/gen"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// look is a way to look at the page.
type look struct {
	name   string
	width  int64
	scheme string
	file   string // of its picture; empty is none
}

var looks = []look{
	{"light", 1120, "light", "page.png"},
	{"dark", 1120, "dark", "page-dark.png"},
	{"phone", 360, "light", "page-phone.png"},
	{"phone-dark", 360, "dark", ""},
}

// claim has the browser claim one value of a media feature.
func claim(name, value string) chromedp.Action[chromedp.Void] {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
}

func (s *site) lookAt(t *testing.T, l look) {
	t.Helper()
	s.run(t, l.name, chromedp.EmulateViewport(l.width, 800), claim("prefers-color-scheme", l.scheme))
	// Two frames: one to lay out and one for the plots to follow.
	eval[bool](t, s.browser, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 150))))")
}

// contrasts returns each text that stands out less from its ground than WCAG's
// level AA asks: 4.5 to 1, 3 to 1 for large text.
const contrasts = `(() => {
	const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true});
	const parse = (color) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = color;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const luminance = (rgb) => {
		const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ground = (element) => {
		for (let e = element; e; e = e.parentElement) {
			const [r, g, b, a] = parse(getComputedStyle(e).backgroundColor);
			if (a === 255) return [r, g, b];
			if (a !== 0) throw new Error("half-transparent ground: " + e.outerHTML);
		}
		return [255, 255, 255];
	};
	const ratio = (one, other) => {
		const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
		return (high + 0.05) / (low + 0.05);
	};
	const faint = [];
	let looked = 0;
	const demand = (element, color, least, what) => {
		looked++;
		const got = ratio(parse(color).slice(0, 3), ground(element));
		if (got < least) faint.push(what + ": " + got.toFixed(2) + " to 1");
	};
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let text = walker.nextNode(); text; text = walker.nextNode()) {
		const element = text.parentElement;
		if (!text.data.trim() || !element.checkVisibility()) continue;
		const style = getComputedStyle(element);
		const size = parseFloat(style.fontSize);
		const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
		const color = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
		demand(element, color, large ? 3 : 4.5, element.tagName + " " + text.data.trim());
	}
	for (const shape of document.querySelectorAll("svg .line, svg .dot, svg .bar")) {
		const style = getComputedStyle(shape);
		demand(shape, shape.matches(".line") ? style.stroke : style.fill, 3, "." + shape.className.baseVal);
	}
	const button = document.querySelector("button");
	demand(button.parentElement, getComputedStyle(button).borderTopColor, 3, "the button's edge");
	if (looked < 40) faint.push("only " + looked + " texts were looked at");
	return faint;
})()`

// TestLooks: nothing is cut off or too faint, by day and by night, down to the
// width of a small phone. With SCREENSHOTS it leaves pictures in that folder.
func TestLooks(t *testing.T) {
	// The load that is frozen below stays half done: a stream of this size holds
	// only a fraction of it, and the consumer takes its time.
	s := open(t, "--max-bytes", "1048576", "--batches-per-commit", "1")
	for _, name := range []string{"2012-1.csv", "2012-2.csv", "2012-3.csv", "2012-4.csv", "2012-5.csv", "validation.csv"} {
		s.env.Producer(t, "--file", s.env.Sample(t, name), "--batch-size", "5", "--wait").Exits(t, 0)
		s.shows(t)
	}
	s.env.Producer(t, "--file", s.env.File(t, "bad.csv", "timestamp,price,user_id\n6/9/2012,50,1\n6/10/2012,fifty,2\n31/6/2012,40,3\n6/12/2012,55\n"), "--wait").Exits(t, 3)
	s.shows(t)
	path := filepath.Join(t.TempDir(), "2012-6.csv")
	if err := gen.WriteFile(t.Context(), path, gen.Config{Rows: 200_000, Seed: 6}); err != nil {
		t.Fatal(err)
	}
	loading := s.env.StartProducer(t, "--file", path, "--batch-size", "50", "--wait")
	// Not of one before, which the page may still show.
	s.waitForText(t, "loads-caption", "8 sources, 1 under way")
	harness.Eventually(t, time.Minute, "a third of the load is shown", func() (bool, string) {
		done := eval[float64](t, s.browser, `document.querySelector("#loads progress")?.position ?? 0`)
		return done > 0.3, strconv.FormatFloat(done, 'g', -1, 64)
	})
	loading.Signal(t, syscall.SIGSTOP)
	s.waitForText(t, "lag", "none")
	s.waitForText(t, "loads-caption", "8 sources, 1 under way")
	s.shows(t)
	for _, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			s.lookAt(t, l)
			if over := eval[[]string](t, s.browser, `[...document.querySelectorAll("body *")]
				.filter((e) => e.checkVisibility() && !e.matches(".unseen, .skip") && e.getBoundingClientRect().right > innerWidth)
				.map((e) => e.tagName + " " + e.id)`); len(over) > 0 {
				t.Errorf("wider than the screen: %v", over)
			}
			if wide := eval[int](t, s.browser, "document.documentElement.scrollWidth"); int64(wide) > l.width {
				t.Errorf("the page is %d wide, the screen %d", wide, l.width)
			}
			for _, faint := range eval[[]string](t, s.browser, contrasts) {
				t.Errorf("too faint: %s", faint)
			}
			png := get(t, s.browser, "screenshot", chromedp.FullScreenshot(100))
			if folder := os.Getenv("SCREENSHOTS"); folder != "" && l.file != "" {
				if err := os.WriteFile(filepath.Join(folder, l.file), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if len(png) > 200_000 {
				t.Errorf("a picture of %d bytes", len(png))
			}
		})
	}
	s.quiet(t)
}
