package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

// bufferSize is how many bytes are taken at once.
const bufferSize = 64 << 10

// download is one file on its way.
type download struct {
	fetcher *Fetcher
	client  *http.Client
	// url is what is asked for: the address given, or what that stands for.
	url   *url.URL
	drive bool
	// host is that of the last request, which a redirect may have led elsewhere.
	host string
	// name is what the file is called as far as is known.
	name string
	into *os.File
	// have is how many bytes of the file are in into, furthest the most there
	// were. version is what the server said of the file they are of, nil before
	// it said anything.
	have, furthest int64
	version        version
	confirmed      bool
}

func (f *Fetcher) begin(address string, into *os.File) (*download, error) {
	given, err := parse(address)
	if err != nil {
		return nil, err
	}
	d := &download{fetcher: f, url: given, name: Name(address), into: into, version: version{size: -1}}
	if d.url, d.drive, err = direct(given); err != nil {
		return nil, err
	}
	// Google Drive answers a confirmation only to who has its cookie.
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("cookies: %w", err)
	}
	d.client = &http.Client{Transport: f.transport, Jar: jar, CheckRedirect: func(next *http.Request, before []*http.Request) error {
		d.host = next.URL.Host
		return checkRedirect(next, before)
	}}
	return d, nil
}

// attempt asks once for what is missing, and takes what comes of it. An error
// that may pass is a *passingError.
func (d *download) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(d.fetcher.silence, func() { cancel(errSilent) })
	defer watch.Stop()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), http.NoBody)
	if err != nil {
		return errBadURL
	}
	request.Header.Set("User-Agent", "streamgauge")
	// Compressed on the way, a part of it would be of no use.
	request.Header.Set("Accept-Encoding", "identity")
	if validator := d.version.validator; d.have > 0 && validator != "" {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.have))
		request.Header.Set("If-Range", validator)
	}
	d.host = d.url.Host
	response, err := d.client.Do(request)
	if err != nil {
		return explain(ctx, err, d.host, d.version.known)
	}
	defer response.Body.Close()
	complete, err := d.judge(response)
	if complete || err != nil {
		return err
	}
	return d.copy(ctx, response, watch)
}

// judge decides what an answer means, and makes room for its bytes behind those
// that are there. It says whether all of them are there already.
func (d *download) judge(response *http.Response) (complete bool, err error) {
	resuming := response.Request.Header.Get("Range") != ""
	switch {
	case resuming && response.StatusCode == http.StatusPartialContent:
		return false, d.version.goesOn(response, d.have)
	case resuming && response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		_, total, ok := contentRange(response)
		whole := versionOf(response)
		whole.size = total
		if !ok || total != d.have || !d.version.same(whole) {
			return false, errChanged
		}
		return true, nil
	case response.StatusCode != http.StatusOK:
		return false, explainStatus(response)
	}
	if isPageType(response.Header.Get("Content-Type")) {
		return false, d.page(response, response.Body)
	}
	if err := checkEncoding(response); err != nil {
		return false, err
	}
	now := versionOf(response)
	if d.version.known && !d.version.same(now) {
		return false, errChanged
	}
	if !d.version.known {
		d.version = now
		if name := suggested(response); name != "" {
			d.name = name
		}
		if isUnbounded(response) {
			d.fetcher.log.Info(escape.Name(d.name) + ": its server does not say where the file ends: if the connection breaks, nothing shows it")
		}
	}
	return false, d.restart()
}

// restart forgets all bytes so far: what comes now is the file from its start.
func (d *download) restart() error {
	if d.have == 0 {
		return nil
	}
	d.have = 0
	if err := d.into.Truncate(0); err != nil {
		return d.unwritten(err)
	}
	if _, err := d.into.Seek(0, io.SeekStart); err != nil {
		return d.unwritten(err)
	}
	return nil
}

// copy takes the bytes of an answer. The watch is wound up with each.
func (d *download) copy(ctx context.Context, response *http.Response, watch *time.Timer) error {
	body := bufio.NewReaderSize(&watched{response.Body, watch, d.fetcher.silence}, bufferSize)
	if d.have == 0 {
		// Whatever keeps the start from being read, reading on meets it again.
		if start, _ := body.Peek(sniffed); IsPage(start) {
			return d.page(response, body)
		}
	}
	buffer := make([]byte, bufferSize)
	for {
		n, err := body.Read(buffer)
		written, writeErr := d.into.Write(buffer[:n])
		d.have += int64(written)
		d.furthest = max(d.furthest, d.have)
		switch {
		case writeErr != nil:
			return d.unwritten(writeErr)
		case errors.Is(err, io.EOF):
			return d.ended()
		case err != nil:
			return broken(ctx, err, d.host, connectionBroke)
		}
		d.fetcher.far(d.have, d.version.size)
	}
}

// watched winds up a watch whenever something comes.
type watched struct {
	from   io.Reader
	watch  *time.Timer
	within time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if n > 0 {
		w.watch.Reset(w.within)
	}
	return n, err
}

// ended is what it means that an answer came to its end.
func (d *download) ended() error {
	switch size := d.version.size; {
	case size < 0 || d.have == size:
		return nil
	case d.have < size:
		return &passingError{text: fmt.Sprintf("%s ended its answer too early", escape.Name(d.host))}
	}
	return errChanged
}

func (d *download) unwritten(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("no room for a copy in the temporary folder%s. Make room, or set TMPDIR to a folder on a larger disk", d.reached())
	}
	return fmt.Errorf("the temporary file for it: %w", errors.Unwrap(err))
}
