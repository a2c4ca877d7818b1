package faults

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// outage is a time during which a consumer does without something it needs.
type outage struct {
	began   time.Time
	lasts   time.Duration
	process int // which life of the consumer
}

// readiness is what /readyz of the first consumer said when.
type readiness struct {
	delays  *harness.Delays // of that consumer
	mu      sync.Mutex
	answers []answer
}

type answer struct {
	asked, came time.Time
	ready       bool
}

const (
	askEvery  = 50 * time.Millisecond
	askWithin = time.Second
)

// outage says that from now on, and for so long, the first consumer does without
// something it needs: it has to say so.
func (w *world) outage(lasts time.Duration) {
	w.outages = append(w.outages, outage{began: time.Now(), lasts: lasts, process: w.consumers[0].process.PID()})
}

// outageTime draws how long an outage lasts: with an odd seed longer than /readyz
// may take to tell of it, since a shorter one need not be told of.
func (w *world) outageTime(least, most time.Duration) time.Duration {
	if w.seed%2 == 1 {
		least = 8 * time.Second
	}
	return w.between(least, most)
}

// askReadiness asks the first consumer whether it is ready, until it is stopped.
func (w *world) askReadiness() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	w.firstLife = w.consumers[0].process.PID()
	w.readiness.delays = harness.WatchDelays(w.t, func() []int { return []int{w.firstLife} })
	address := w.address()
	client := &http.Client{Timeout: askWithin, Transport: &http.Transport{
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			if h := w.parts.programs; h != nil {
				return h.Dial(network, address)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	go func() {
		defer close(ended)
		defer client.CloseIdleConnections()
		tick := time.NewTicker(askEvery)
		defer tick.Stop()
		for {
			w.readiness.ask(ctx, client, address+"readyz")
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// address is that of the first life's page. A consumer that is started again has
// another one, so that only outages of the first life are looked at.
func (w *world) address() string {
	line := w.consumers[0].process.WaitFor(w.t, "live page: ", readyTime)
	_, address, _ := strings.Cut(line, "live page: ")
	return strings.Trim(address, "\"\n")
}

func (r *readiness) ask(ctx context.Context, client *http.Client, address string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return
	}
	asked := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return // it has ended, or does not get to answer
	}
	_ = response.Body.Close()
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusServiceUnavailable {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.answers = append(r.answers, answer{asked, time.Now(), response.StatusCode == http.StatusOK})
	}
}

// checkOutages tells the journal how long the consumer was called ready all the
// same: once more after it had said that it is not is as bad.
func (w *world) checkOutages() {
	w.readiness.mu.Lock()
	defer w.readiness.mu.Unlock()
	for _, o := range w.outages {
		if o.process != w.firstLife {
			continue
		}
		over := o.began.Add(o.lasts)
		ready, told, noticed := o.began, over, false
		for _, a := range w.readiness.answers {
			switch {
			case a.asked.Before(o.began), !a.came.Before(over):
			case a.ready:
				ready, told, noticed = a.asked, over, false
			case !noticed:
				told, noticed = a.came, true
			}
		}
		if !noticed {
			ready = over
		}
		// One that was over first need not have been noticed.
		if noticed || o.lasts > unready.most {
			w.journal.unready(o.began, ready, told, w.readiness.delays)
		}
	}
}
