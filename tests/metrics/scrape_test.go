package metrics

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// scraped is a consumer and where its metrics are.
type scraped struct {
	*harness.Process

	url string
}

// startScraped starts a consumer and does not wait until it is ready.
func startScraped(t *testing.T, env *harness.Env, environ ...string) scraped {
	t.Helper()
	p := env.Start(t, harness.Command{Program: "consumer", Args: []string{"--http", "127.0.0.1:0"}, Env: environ})
	line := p.WaitFor(t, "live page: ", 2*time.Minute)
	_, address, _ := strings.Cut(line, "live page: ")
	return scraped{p, strings.Trim(address, "\"\n")}
}

// text is what the consumer answers a scrape with.
func (s scraped) text(t *testing.T) string {
	t.Helper()
	// Prometheus' own limit is 10 s.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, body)
	}
	return string(body)
}

func (s scraped) families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	text := s.text(t)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return families
}

// value is that of one series, such as batches_total{outcome="stored"}, without
// the prefix that all names have; ok is false where there is none.
func value(families map[string]*dto.MetricFamily, series string) (v float64, ok bool) {
	name, label, labelled := strings.Cut(series, "{")
	family := families["streamgauge_"+name]
	if family == nil {
		return 0, false
	}
	for _, m := range family.GetMetric() {
		if labelled {
			pair := m.GetLabel()[0]
			if label != fmt.Sprintf("%s=%q}", pair.GetName(), pair.GetValue()) {
				continue
			}
		}
		switch {
		case m.GetCounter() != nil:
			return m.GetCounter().GetValue(), true
		case m.GetHistogram() != nil:
			return float64(m.GetHistogram().GetSampleCount()), true
		default:
			return m.GetGauge().GetValue(), true
		}
	}
	return 0, false
}

// becomes waits until series have these values, and fails with what they have.
func (s scraped) becomes(t *testing.T, want map[string]float64) {
	t.Helper()
	harness.Eventually(t, soon, fmt.Sprint(want), func() (bool, string) {
		families, same := s.families(t), true
		have := make(map[string]any)
		for series, wanted := range want {
			v, ok := value(families, series)
			if have[series] = v; !ok {
				have[series] = "not there"
			}
			same = same && ok && v == wanted
		}
		return same, fmt.Sprint(have)
	})
}

// lacks fails the test where the consumer claims to know a series.
func (s scraped) lacks(t *testing.T, series ...string) {
	t.Helper()
	families := s.families(t)
	for _, name := range series {
		if v, ok := value(families, name); ok {
			t.Errorf("%s is %g", name, v)
		}
	}
}
