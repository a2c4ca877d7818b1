package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/sandbox/gen"
)

// node is one of the accessibility tree, as a screen reader is told of it.
type node struct {
	role, name string
	level      string // of a heading
}

func (s *site) tree(t *testing.T) []node {
	t.Helper()
	answer := reply(t, s.browser, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	word := func(v *accessibility.Value) string {
		if v == nil {
			return ""
		}
		var value any
		if err := json.Unmarshal(v.Value, &value); err != nil {
			t.Fatalf("%s: %v", v.Value, err)
		}
		return fmt.Sprint(value)
	}
	var nodes []node
	for _, n := range answer.Nodes {
		if n.Ignored {
			continue
		}
		one := node{role: word(n.Role), name: word(n.Name)}
		for _, p := range n.Properties {
			if p.Name == "level" {
				one.level = word(p.Value)
			}
		}
		nodes = append(nodes, one)
	}
	return nodes
}

// TestAccessible holds what a screen reader is told to what the page shows.
func TestAccessible(t *testing.T) {
	s := open(t)
	s.env.Producer(t, "--file", s.env.Sample(t, "2012-1.csv"), "--batch-size", "5", "--wait").Exits(t, 0)
	s.env.Producer(t, "--file", s.env.File(t, "bad.csv", bad), "--wait").Exits(t, 3)
	s.shows(t)
	s.waitForText(t, "rejects-caption", "3 records")

	count := make(map[string]int)
	var headings []string
	for _, n := range s.tree(t) {
		count[n.role]++
		switch n.role {
		case "heading":
			headings = append(headings, n.level+" "+n.name)
		case "button", "link", "image", "img", "progressbar", "ProgressIndicator", "table", "region", "columnheader", "rowheader", "Figure", "DisclosureTriangle", "RootWebArea":
			if n.name == "" && n.role != "Figure" {
				t.Errorf("a %s has no name", n.role)
			}
		}
	}
	want := []string{"1 streamgauge", "2 Price", "2 Mean as prices came in", "2 Distribution of prices", "2 Loads", "2 Rejects"}
	if diff := cmp.Diff(want, headings); diff != "" {
		t.Error("headings: want -, got +", diff)
	}
	for role, least := range map[string]int{"banner": 1, "main": 1, "contentinfo": 1, "button": 1, "table": 2, "caption": 2, "region": 4} {
		if count[role] < least || (least == 1 && count[role] > 1) {
			t.Errorf("%d of the role %s: %v", count[role], role, count)
		}
	}
	if count["image"]+count["img"] == 0 {
		t.Errorf("the plot is no image: %v", count)
	}
	if lang := eval[string](t, s.browser, "document.documentElement.lang"); lang != "en" {
		t.Errorf("the language is %q", lang)
	}
	s.quiet(t)
}

// focused says what has the focus, and whether one can see that.
const focused = `(() => {
	const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
	const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.top >= -1 && box.width > 0;
	return e.tagName + " " + e.textContent.trim() + (seen || e === document.body ? "" : ", not to be seen");
})()`

// TestKeyboard: everything that can be done can be done without a mouse, in the
// order of the page, and one sees where one is.
func TestKeyboard(t *testing.T) {
	s := open(t)
	s.env.Producer(t, "--file", s.env.Sample(t, "2012-1.csv"), "--batch-size", "5", "--wait").Exits(t, 0)
	s.shows(t)
	var order []string
	for range 8 {
		s.run(t, "Tab", chromedp.KeyEvent(kb.Tab))
		at := eval[string](t, s.browser, focused)
		if strings.HasPrefix(at, "BODY") || slices.Contains(order, at) {
			break
		}
		order = append(order, at)
	}
	want := []string{"A Skip to the statistics", "BUTTON Pause", "SUMMARY The plot as a table", "A These numbers as JSON"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error("order: want -, got +", diff)
	}

	s.run(t, "pause", chromedp.Focus(chromedp.CSS("#pause")), chromedp.KeyEvent(" "))
	s.waitForText(t, "connection", "Paused")
	before := s.text(t, "rows")
	s.env.Producer(t, "--file", s.env.Sample(t, "2012-2.csv"), "--wait").Exits(t, 0)
	eval[bool](t, s.browser, "new Promise((done) => setTimeout(() => done(true), 1500))")
	if after := s.text(t, "rows"); after != before {
		t.Errorf("while paused %s rows became %s", before, after)
	}
	s.run(t, "go on", chromedp.KeyEvent("\r"))
	s.waitForText(t, "connection", live)
	s.shows(t)

	s.run(t, "open the table", chromedp.Focus(chromedp.CSS("summary")), chromedp.KeyEvent("\r"))
	s.waitForText(t, "course-table", s.text(t, "mean"))
	rows := eval[[]string](t, s.browser, `[...document.querySelectorAll("#course-table tbody tr")].map((tr) => [...tr.cells].map((c) => c.textContent).join(" "))`)
	if len(rows) < 2 || rows[len(rows)-1] != s.text(t, "count")+" "+s.text(t, "mean") {
		t.Errorf("the plot as a table: %q", rows)
	}
	s.quiet(t)
}

// TestCalm: while a load runs, the page reads out little, and with
// prefers-reduced-motion moves little.
func TestCalm(t *testing.T) {
	s := open(t, "--batches-per-commit", "4")
	s.run(t, "reduced motion", claim("prefers-reduced-motion", "reduce"))
	eval[bool](t, s.browser, `(() => {
		window.noted = {read: [], moved: 0};
		for (const region of document.querySelectorAll("[role=status], [aria-live]")) {
			new MutationObserver(() => region.textContent && noted.read.push(region.textContent)).observe(region, {subtree: true, childList: true, characterData: true});
		}
		new MutationObserver(() => noted.moved++).observe(document.getElementById("count"), {subtree: true, childList: true, characterData: true});
		return true;
	})()`)
	path := t.TempDir() + "/many.csv"
	if err := gen.WriteFile(t.Context(), path, gen.Config{Rows: 150_000, Seed: 8}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.env.StartProducer(t, "--file", path, "--batch-size", "100", "--wait").Wait(t).Exits(t, 0)
	s.shows(t)
	took := time.Since(began)
	s.waitForText(t, "news", "many.csv is loaded: 150,000 rows, 0 rejected.")
	if read := eval[[]string](t, s.browser, "noted.read"); len(read) != 1 {
		t.Errorf("read out in %s: %q", took, read)
	}
	if moved := eval[int](t, s.browser, "noted.moved"); moved > int(took/(2*time.Second))+2 {
		t.Errorf("the count changed %d times in %s", moved, took)
	}
	for _, element := range []string{"mean", "count", "loads", "rejects"} {
		if eval[bool](t, s.browser, fmt.Sprintf(`!!document.getElementById(%q).closest("[role=status], [role=alert], [role=log], [aria-live]")`, element)) {
			t.Errorf("#%s is read out whenever it changes", element)
		}
	}
	s.quiet(t)
}
