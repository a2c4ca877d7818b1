// Package fetch copies what is at a URL to a file on disk, however often the
// connection breaks on the way. Nothing that it returns or logs holds a URL's
// query, user or password, since links to object stores carry credentials there.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/bytesize"
	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

const (
	// failuresInARow ends a download. The pauses between them come to a quarter of
	// a minute.
	failuresInARow = 6
	// firstPause is what is waited after the first failure, twice as long after
	// each further one, up to longestPause; a server may ask for up to
	// longestAsked.
	firstPause   = 500 * time.Millisecond
	longestPause = 10 * time.Second
	longestAsked = time.Minute
	// silence is how long a server may send nothing.
	silence = 30 * time.Second
)

// Fetcher fetches over HTTP and HTTPS. It is safe for concurrent use.
type Fetcher struct {
	log       *slog.Logger
	far       func(have, size int64)
	transport http.RoundTripper
	// These are the constants', but in tests.
	pause, silence time.Duration
}

// New returns a Fetcher that tells log what it waits for, and far how many bytes
// it has of a file, and of how many: -1 where the server does not say. It goes
// through the proxy that HTTPS_PROXY and HTTP_PROXY name.
func New(log *slog.Logger, far func(have, size int64)) *Fetcher {
	return &Fetcher{log: log, far: far, transport: newTransport(), pause: firstPause, silence: silence}
}

// Fetch writes what is at address to into, which is empty, and returns what the
// server calls it, or else what Name does. A download that breaks goes on where
// it was, if the server can do that and has the same object still; if it can do
// so only from the start, from there. A file that has become another in between
// is an error, and so is an HTML page. Errors give the cause and the remedy; when
// ctx ends, ctx's own.
func (f *Fetcher) Fetch(ctx context.Context, address string, into *os.File) (name string, err error) {
	d, err := f.begin(address, into)
	if err != nil {
		return "", err
	}
	for failures := 0; ; {
		furthest := d.furthest
		err := d.attempt(ctx)
		if err == nil {
			return d.name, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if errors.Is(err, errConfirmed) {
			continue
		}
		var passing *passingError
		if !errors.As(err, &passing) {
			return "", err
		}
		if d.furthest > furthest {
			failures = 0
		}
		if failures++; failures == failuresInARow {
			return "", fmt.Errorf("%w, %d times in a row%s. Try again later, or download it otherwise and name the file", passing, failures, d.reached())
		}
		if err := d.wait(ctx, passing, failures); err != nil {
			return "", err
		}
	}
}

// wait lets the pause after a number of failures pass.
func (d *download) wait(ctx context.Context, passing *passingError, failures int) error {
	pause := min(d.fetcher.pause<<(failures-1), longestPause)
	// Many that were cut off at once shall not come back at once.
	pause += rand.N(pause/4 + 1)
	pause = max(pause, min(passing.asked, longestAsked))
	d.fetcher.log.Info(fmt.Sprintf("%s: %s%s: trying again in %s", escape.Name(d.name), passing, d.reached(), pause.Round(100*time.Millisecond)))
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reached says how far the download has come, in words that follow others.
func (d *download) reached() string {
	if d.have == 0 {
		return ""
	}
	return " after " + d.progress()
}

func (d *download) progress() string {
	if d.version.size < 0 {
		return bytesize.Text(d.have)
	}
	return fmt.Sprintf("%s of %s", bytesize.Text(d.have), bytesize.Text(d.version.size))
}
