package page

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/sandbox/gen"
	"github.com/streamgauge/streamgauge/tests/harness"
)

// bad has three records that can't be stored, and a price with 38 digits, more
// than JavaScript's numbers hold.
const bad = `timestamp,price,user_id
1/11/2012,1234567890123456789.0123456789012345678,1
2/11/2012,fifty,2
31/2/2012,40,3
2/12/2012,60.50,2
2/13/2012,55
`

// grouped writes a number as the page does.
func grouped(number string) string {
	whole, fraction, has := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if has {
		whole += "." + fraction
	}
	return whole
}

// selected is the database's own answer, by the id of the page's element.
func (s *site) selected(t *testing.T) map[string]string {
	t.Helper()
	row := s.env.Rows(t, `SELECT count(*)::text, count(price)::text, (count(*) - count(price))::text,
		avg(price)::text, min(price)::text, max(price)::text, stddev_samp(price)::text,
		(SELECT count(*)::text FROM rejects), (SELECT count(*)::text FROM dead_batches) FROM prices`)[0]
	answer := make(map[string]string)
	for i, id := range []string{"rows", "count", "nulls", "mean", "min", "max", "stddev", "rejected", "dead"} {
		answer[id] = grouped(row[i])
	}
	return answer
}

// shows waits until the page shows what the database answers.
func (s *site) shows(t *testing.T) {
	t.Helper()
	want := s.selected(t)
	harness.Eventually(t, soon, "the page shows what the database answers", func() (bool, string) {
		got := make(map[string]string)
		for id := range want {
			got[id] = s.text(t, id)
		}
		diff := cmp.Diff(want, got)
		return diff == "", diff
	})
}

func TestNumbersAreTheDatabases(t *testing.T) {
	s := open(t)
	s.waitForText(t, "empty", "Nothing has been loaded yet")
	for _, name := range []string{"2012-1.csv", "2012-2.csv", "validation.csv"} {
		s.env.Producer(t, "--file", s.env.Sample(t, name), "--batch-size", "5", "--wait").Exits(t, 0)
		s.shows(t)
	}
	s.env.Producer(t, "--file", s.env.File(t, "bad.csv", bad), "--wait").Exits(t, 3)
	s.shows(t)

	s.waitForText(t, "loads-caption", "4 sources, all complete")
	loads := eval[[]string](t, s.browser, `[...document.querySelectorAll("#loads tbody tr")].map((tr) => [...tr.cells].map((c) => c.textContent.replace(/ complete.*/, "")).join("|"))`)
	if diff := cmp.Diff([]string{"bad.csv|1,|2|3", "validation.csv|2,|8|0", "2012-2.csv|6,|29|0", "2012-1.csv|5,|22|0"}, loads); diff != "" {
		t.Error("loads: want -, got +", diff)
	}
	s.waitForText(t, "rejects-caption", "3 records not corrected")
	rejects := eval[[]string](t, s.browser, `[...document.querySelectorAll("#rejects tbody tr")].map((tr) => [...tr.cells].map((c) => c.textContent).join("|"))`)
	for i, want := range []string{"line 6|fewer fields than the source has columns2/13/2012,55", "line 4|timestamp: no such date", "line 3|price: not a decimal number"} {
		if len(rejects) <= i || !strings.HasPrefix(rejects[i], "bad.csv, "+want) {
			t.Errorf("rejects[%d] is not %q: %q", i, want, rejects)
		}
	}
	s.waitForText(t, "lag", "none")

	// Fields of the line that goes to stats.price, with all their digits.
	line := s.get(t, "stats")
	for _, field := range []string{`"mean":` + ungrouped(s.text(t, "mean")) + `,`, `"max":1234567890123456789.0123456789012345678,`, `"rejected":3,`} {
		if !strings.Contains(line, field) {
			t.Errorf("/stats lacks %s: %s", field, line)
		}
	}
	s.quiet(t)
}

func ungrouped(text string) string { return strings.ReplaceAll(text, ",", "") }

func TestMovesWhileALoadRuns(t *testing.T) {
	s := open(t, "--batches-per-commit", "4")
	path := t.TempDir() + "/many.csv"
	const rows = 200_000
	if err := gen.WriteFile(t.Context(), path, gen.Config{Rows: rows, Seed: 7}); err != nil {
		t.Fatal(err)
	}
	// What the page went through is noted in the page itself.
	eval[bool](t, s.browser, `(() => {
		window.seen = {counts: new Set(), progress: new Set(), rates: new Set()};
		new MutationObserver(() => {
			seen.counts.add(document.getElementById("count").textContent);
			seen.rates.add(document.getElementById("rate").textContent);
			const bar = document.querySelector("#loads progress");
			if (bar) seen.progress.add(bar.value + "/" + bar.max + " " + bar.getAttribute("aria-label"));
		}).observe(document.getElementById("main"), {subtree: true, childList: true, characterData: true});
		return true;
	})()`)
	s.env.StartProducer(t, "--file", path, "--batch-size", "100", "--wait").Wait(t).Exits(t, 0)
	s.shows(t)
	s.waitForText(t, "loads-caption", "1 source, all complete")
	counts, progress := eval[int](t, s.browser, "seen.counts.size"), eval[[]string](t, s.browser, "[...seen.progress]")
	t.Logf("%d different counts; progress %v; rates %v", counts, progress, eval[[]string](t, s.browser, "[...seen.rates]"))
	if counts < 5 {
		t.Errorf("the page showed only %d different counts", counts)
	}
	if len(progress) == 0 || !strings.HasSuffix(progress[0], "/2000 Batches of many.csv committed") {
		t.Errorf("the page showed no progress: %v", progress)
	}
	if points := eval[int](t, s.browser, `document.querySelector("#course polyline").points.numberOfItems`); points < 5 {
		t.Errorf("the plot has %d points", points)
	}
	s.quiet(t)
}

// TestHostileNames: a name is text, whatever it says.
func TestHostileNames(t *testing.T) {
	s := open(t)
	const name = `<img src=x onerror=document.title=1>"&amp;'; alert(1).csv`
	s.env.Producer(t, "--file", s.env.File(t, name, strings.ReplaceAll(bad, "fifty", "<b>fifty</b>\x1b[2J")), "--wait").Exits(t, 3)
	s.waitForText(t, "source", name)
	s.waitForText(t, "loads", name)
	s.waitForText(t, "rejects", `<b>fifty</b>\x1b[2J`)
	if n := eval[int](t, s.browser, `document.querySelectorAll("main img, main b, main script").length`); n > 0 {
		t.Errorf("%d elements were made of text", n)
	}
	s.quiet(t)
}

// TestConnectionLostAndHealed: the page says that it lost the consumer, and goes on with
// the one that is started in its place.
func TestConnectionLostAndHealed(t *testing.T) {
	s := open(t)
	for _, name := range []string{"2012-1.csv", "validation.csv"} {
		s.env.Producer(t, "--file", s.env.Sample(t, name), "--wait").Exits(t, 0)
		s.shows(t)
	}
	address := s.hostPort()

	s.consumer.Kill(t)
	s.waitForText(t, "connection", "Connection lost")
	s.waitForText(t, "lost", "No connection to the consumer since")
	if title := eval[string](t, s.browser, "document.title"); !strings.Contains(title, "lost") {
		t.Errorf("the title says %q", title)
	}
	s.startConsumer(t, address)
	s.waitForText(t, "connection", live)
	s.waitForText(t, "news", "Connected again")
	s.env.Producer(t, "--file", s.env.Sample(t, "2012-2.csv"), "--wait").Exits(t, 0)
	s.shows(t)
	// The plot goes on where it was.
	if points := eval[int](t, s.browser, `document.querySelector("#course polyline").points.numberOfItems`); points < 3 {
		t.Errorf("the plot has %d points after the restart", points)
	}

	// One that hangs closes no connection.
	s.consumer.Signal(t, syscall.SIGSTOP)
	s.waitForText(t, "connection", "Connection lost")
	s.consumer.Signal(t, syscall.SIGCONT)
	s.waitForText(t, "connection", live)

	// Ended in order, the consumer lets go of the page at once.
	told := time.Now()
	s.consumer.Terminate(t).Exits(t, 0)
	if took := time.Since(told); took > 5*time.Second {
		t.Errorf("with a page open the consumer took %s to end", took)
	}
	s.waitForText(t, "connection", "Connection lost")
}

// TestOpenedBeforeTheConsumerIsReady: a page that is opened while the consumer
// waits for PostgreSQL says so, and goes on with the consumer that gets through.
func TestOpenedBeforeTheConsumerIsReady(t *testing.T) {
	s := &site{browser: startBrowser(t), env: harness.New(t)}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s.consumer = s.env.Start(t, harness.Command{
		Program: "consumer", Args: []string{"--http", anyPort},
		Env: []string{"DATABASE_URL=postgres://postgres@" + silent.Addr().String() + "/x?sslmode=disable"},
	})
	s.readAddress(t)
	s.run(t, "open the page", chromedp.Navigate(s.address))
	s.waitForText(t, "problems", "The consumer is starting")
	s.consumer.Kill(t)
	s.waitForText(t, "connection", "Connection lost")
	s.startConsumer(t, s.hostPort())
	s.waitForText(t, "connection", live)
	s.env.Producer(t, "--file", s.env.Sample(t, "2012-1.csv"), "--wait").Exits(t, 0)
	s.shows(t)
	if said := s.text(t, "problems"); said != "" {
		t.Errorf("it still says %q", said)
	}
}

// TestDistribution: the percentiles are those that were published, and the bars
// hold every price about where it lies: a bucket may lie across two of them.
func TestDistribution(t *testing.T) {
	s := open(t)
	if eval[bool](t, s.browser, `document.getElementById("prices-section").checkVisibility()`) {
		t.Error("a distribution of nothing is shown")
	}
	for _, name := range []string{"2012-1.csv", "2012-2.csv", "validation.csv"} {
		s.env.Producer(t, "--file", s.env.Sample(t, name), "--wait").Exits(t, 0)
	}
	s.shows(t)
	published := s.get(t, "stats")
	for _, id := range []string{"p50", "p95", "p99"} {
		_, value, _ := strings.Cut(published, `"`+id+`":`)
		value, _, _ = strings.Cut(value, ",")
		if value == "" || value == "null" {
			t.Fatalf("/stats lacks %s: %s", id, published)
		}
		s.waitForText(t, id, value)
	}
	eval[bool](t, s.browser, `(() => { document.getElementById("prices-table").closest("details").open = true; return true })()`)
	want := s.env.Rows(t, `SELECT low::text, (low + 10)::text, count(price)::text
		FROM generate_series(10, 90, 10) AS low LEFT JOIN prices ON floor(price / 10) * 10 = low GROUP BY low ORDER BY low`)
	harness.Eventually(t, soon, "the bars hold the table's prices", func() (bool, string) {
		bars := eval[[]string](t, s.browser, `[...document.querySelectorAll("#prices-table tbody tr")].map((tr) => tr.cells[0].textContent + " " + tr.cells[1].textContent)`)
		if len(bars) != 2*len(want) {
			return false, strings.Join(bars, "\n")
		}
		for i, row := range want {
			var low, middle, high, first, second, all int
			_, err := fmt.Sscanf(bars[2*i]+" "+bars[2*i+1]+" "+row[2], "%d to %d %d %d to %d %d %d", &low, &middle, &first, &middle, &high, &second, &all)
			if err != nil || fmt.Sprint(low) != row[0] || fmt.Sprint(high) != row[1] || max(first+second-all, all-first-second) > 1 {
				return false, fmt.Sprintf("%v: %s, %s, not %v", err, bars[2*i], bars[2*i+1], row)
			}
		}
		return true, ""
	})
	if n := eval[int](t, s.browser, `document.querySelectorAll("#prices rect.bar").length`); n != 2*len(want) {
		t.Errorf("%d bars are drawn", n)
	}
	s.quiet(t)
}

// TestPricesNextToEachOther: prices and means that floating point hardly tells
// apart are shown like others.
func TestPricesNextToEachOther(t *testing.T) {
	s := open(t)
	for i, prices := range [][]string{{"999999999999999", "1000000000000001"}, {"1000000000000000", "1000000000000001"}} {
		content := "timestamp,price,user_id\n"
		for _, price := range prices {
			content += "1/10/2012," + price + ",1\n"
		}
		s.env.Producer(t, "--file", s.env.File(t, fmt.Sprintf("%d.csv", i), content), "--wait").Exits(t, 0)
		s.shows(t)
	}
	s.waitForText(t, "prices-text", "of the prices")
	s.quiet(t)
}

// TestEmptyAgain: what is taken back is no longer drawn.
func TestEmptyAgain(t *testing.T) {
	s := open(t)
	s.env.Producer(t, "--wait", s.env.Sample(t, "2012-1.csv")).Exits(t, 0)
	s.waitForText(t, "course-text", " at ")
	s.env.Consumer(t, "unload", "--yes", "2012-1.csv").Exits(t, 0)
	s.waitForText(t, "course-text", "No prices.")
	s.waitForText(t, "count", "0")
	if drawn := eval[int](t, s.browser, `document.querySelectorAll("#course *, #course-table tbody tr").length`); drawn != 0 {
		t.Errorf("%d elements are drawn", drawn)
	}
	s.quiet(t)
}
