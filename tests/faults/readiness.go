package faults

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// outage is a time during which a consumer does without something it needs.
type outage struct {
	began   time.Time
	lasts   time.Duration
	process int // which life of the consumer
}

// readiness is when /readyz of the first consumer said what.
type readiness struct {
	mu      sync.Mutex
	unready []time.Time
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

// askReadiness asks the first consumer whether it is ready, until it is stopped.
func (w *world) askReadiness() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	w.firstLife = w.consumers[0].process.PID()
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
	response, err := client.Do(request)
	if err != nil {
		return // it has ended, or does not get to answer
	}
	_ = response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unready = append(r.unready, time.Now())
	}
}

// checkOutages tells the journal how long the consumer was called ready all the
// same.
func (w *world) checkOutages() {
	w.readiness.mu.Lock()
	defer w.readiness.mu.Unlock()
	for _, o := range w.outages {
		if o.process != w.firstLife {
			continue
		}
		told := o.began.Add(o.lasts)
		for _, at := range w.readiness.unready {
			if after := at.Sub(o.began); after >= 0 && after < o.lasts {
				told = at
				break
			}
		}
		// One that was over first need not have been noticed.
		if told.Before(o.began.Add(o.lasts)) || o.lasts > unready.most {
			w.journal.unready(o.began, told)
		}
	}
}
