package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// want fails the test unless the download gave just those bytes.
func (f fetched) want(t *testing.T, content []byte) {
	t.Helper()
	if f.err != nil || !bytes.Equal(f.content, content) {
		t.Fatalf("%d bytes, not the %d of the file; error %v; told %s", len(f.content), len(content), f.err, f.log)
	}
}

func TestWhole(t *testing.T) {
	content := csv(200_000)
	o := serve(t, object(content))
	got := o.fetch(t, o.link("/drop/2012-1.csv"))
	got.want(t, content)
	if got.name != "2012-1.csv" || got.log != "" {
		t.Errorf("called %q, told %q", got.name, got.log)
	}
	if o.asked[0].URL.RawQuery != "X-Amz-Signature="+secret+"%2F&sp="+secret {
		t.Errorf("the query arrived as %q", o.asked[0].URL.RawQuery)
	}
	if user, password, _ := o.asked[0].BasicAuth(); user != secret || password != secret {
		t.Errorf("asked as %q, %q", user, password)
	}
}

// A connection that breaks again and again goes on where it was.
func TestResumes(t *testing.T) {
	for name, modern := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			content := csv(600_000)
			o := &origin{modern: modern, silence: time.Minute, handlers: []http.HandlerFunc{
				cut(200_000, object(content)), cut(150_000, object(content)), say(http.StatusServiceUnavailable, ""), object(content),
			}}
			o.start(t)
			got := o.fetch(t, o.link("/2012-1.csv"))
			got.want(t, content)
			ranges := o.headers("Range")
			if len(ranges) != 4 || ranges[0] != "" {
				t.Fatalf("asked for %q", ranges)
			}
			last := int64(0)
			for _, r := range ranges[1:] {
				from, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(r, "bytes="), "-"), 10, 64)
				if err != nil || from < last || from == 0 {
					t.Errorf("asked for %q", ranges)
				}
				last = from
			}
			if conditions := o.headers("If-Range"); conditions[0] != "" || conditions[1] == "" || conditions[1] != conditions[3] {
				t.Errorf("on condition of %q", conditions)
			}
			for _, want := range []string{"2012-1.csv: the connection to 127.0.0.1:", "broke after ", " KiB of 585 KiB: trying again in", "503 Service Unavailable"} {
				if !strings.Contains(got.log, want) {
					t.Errorf("told %s, which lacks %q", got.log, want)
				}
			}
		})
	}
}

// However often a connection breaks, what gets further is not given up.
func TestGetsFurther(t *testing.T) {
	content := csv(2_000_000)
	var handlers []http.HandlerFunc
	for range 3 * failuresInARow {
		handlers = append(handlers, cut(80_000, object(content)))
	}
	handlers = append(handlers, object(content))
	o := serve(t, handlers...)
	o.fetch(t, o.link("/a.csv")).want(t, content)
	if n := len(o.headers("Range")); n <= failuresInARow {
		t.Errorf("asked %d times only", n)
	}
}

// Whatever keeps a server from giving the rest, no bytes are mixed: it gives all
// of them again.
func TestStartsOver(t *testing.T) {
	content := csv(600_000)
	whole := object(content)
	fresh := func(handler http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			now := time.Now().UTC().Format(http.TimeFormat)
			w.Header().Set("Last-Modified", now)
			w.Header().Set("Date", now)
			handler(w, r)
		}
	}
	unmarked := without(whole, "ETag")
	otherPart := say(http.StatusPartialContent, "garbage", "Content-Range", "bytes 7-13/"+strconv.Itoa(len(content)))
	for name, c := range map[string]struct {
		handlers []http.HandlerFunc
		ranges   []string
	}{
		"ignores ranges":              {[]http.HandlerFunc{cut(300_000, whole), cut(100_000, without(whole, "Range")), without(whole, "Range")}, []string{"", "+", "+"}},
		"tells no versions":           {[]http.HandlerFunc{cut(300_000, unmarked), unmarked}, []string{"", ""}},
		"has a weak ETag":             {[]http.HandlerFunc{cut(300_000, say(200, string(content), "ETag", `W/"1"`)), say(200, string(content), "ETag", `W/"1"`)}, []string{"", ""}},
		"was changed this very while": {[]http.HandlerFunc{cut(300_000, fresh(unmarked)), unmarked}, []string{"", ""}},
		"gives another part":          {[]http.HandlerFunc{cut(300_000, whole), otherPart, whole}, []string{"", "+", ""}},
		"does not say how long it is": {[]http.HandlerFunc{cut(300_000, say(200, string(content))), say(200, string(content))}, []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, c.handlers...)
			o.fetch(t, o.link("/a.csv")).want(t, content)
			asked := o.headers("Range")
			for i := range asked {
				if asked[i] != "" {
					asked[i] = "+"
				}
			}
			if diff := cmp.Diff(c.ranges, asked); diff != "" {
				t.Errorf("ranges asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// A time of change that is old enough does for an ETag.
func TestResumesByTime(t *testing.T) {
	content := csv(600_000)
	old := time.Now().Add(-time.Hour)
	dated := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.csv", old, bytes.NewReader(content))
	}
	o := serve(t, cut(300_000, dated), dated)
	o.fetch(t, o.link("/a.csv")).want(t, content)
	if got := o.headers("If-Range")[1]; got != old.UTC().Format(http.TimeFormat) {
		t.Errorf("on condition of %q", got)
	}
}

// A file that becomes another in between is an error, however the server shows it.
func TestChanged(t *testing.T) {
	content, other := csv(600_000), csv(600_001)
	whole, size := object(content), len(content)
	for name, then := range map[string]http.HandlerFunc{
		"whole, with another ETag":   object(other),
		"whole, of another size":     without(object(other), "ETag"),
		"a part, with another ETag":  part(`"other"`, size),
		"a part of another size":     part("", size+1),
		"shorter than what there is": say(http.StatusRequestedRangeNotSatisfiable, "", "Content-Range", "bytes */5"),
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, cut(300_000, whole), then, say(http.StatusTeapot, ""))
			if got := o.fetch(t, o.link("/a.csv")); !errors.Is(got.err, errChanged) {
				t.Errorf("error %v, told %s", got.err, got.log)
			}
		})
	}
}

// part answers with the byte that was asked for, of a file of that size.
func part(etag string, size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := strings.Trim(r.Header.Get("Range"), "bytes=-")
		say(http.StatusPartialContent, "x", "ETag", etag, "Content-Range", fmt.Sprintf("bytes %s-%s/%d", from, from, size))(w, r)
	}
}

// Of what just ends when the connection is closed nobody knows whether it is all;
// that is told.
func TestUnbounded(t *testing.T) {
	content := csv(1000)
	old := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, err := conn.Write(append([]byte("HTTP/1.0 200 OK\r\n\r\n"), content...)); err != nil {
			t.Error(err)
		}
	}
	o := serve(t, old)
	got := o.fetch(t, o.link("/a.csv"))
	got.want(t, content)
	if !strings.Contains(got.log, "a.csv: its server does not say where the file ends") {
		t.Errorf("told %s", got.log)
	}
}

// The rest of a file of which there is none is no change, unless it is another's.
func TestAllThereAlready(t *testing.T) {
	content := csv(100_000)
	// Without a length the end shows only when the connection is closed in order.
	endless := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"1"`)
		_, _ = w.Write(content)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	noMore := func(etag string) http.HandlerFunc {
		return say(http.StatusRequestedRangeNotSatisfiable, "", "ETag", etag, "Content-Range", fmt.Sprintf("bytes */%d", len(content)))
	}
	o := serve(t, endless, noMore(""))
	o.fetch(t, o.link("/a.csv")).want(t, content)
	o = serve(t, endless, noMore(`"2"`), say(http.StatusTeapot, ""))
	if got := o.fetch(t, o.link("/a.csv")); !errors.Is(got.err, errChanged) {
		t.Errorf("error %v of another file as long, told %s", got.err, got.log)
	}
}

func TestSilenceIsBroken(t *testing.T) {
	content := csv(600_000)
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content[:1000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}, object(content))
	o.silence = 300 * time.Millisecond
	got := o.fetch(t, o.link("/a.csv"))
	got.want(t, content)
	if !strings.Contains(got.log, "has gone silent after 1000 bytes of 585 KiB") {
		t.Errorf("told %s", got.log)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(csv(1000))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
		// To return would be to say that this was all.
		panic(http.ErrAbortHandler)
	})
	f := New(slog.New(slog.DiscardHandler), unseen)
	f.transport = o.transport(t)
	into, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	if _, err := f.Fetch(ctx, o.link("/a.csv"), into); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A file without end is bounded by the disk, and says so.
func TestDiskFull(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a file that is always full, /dev/full")
	}
	o := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(csv(10_000)); err != nil {
				return
			}
		}
	})
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	f := New(slog.New(slog.DiscardHandler), unseen)
	f.transport = o.transport(t)
	_, err = f.Fetch(t.Context(), o.link("/a.csv"), full)
	if err == nil || !strings.HasPrefix(err.Error(), "no room for a copy in the temporary folder. Make room, or set TMPDIR") {
		t.Errorf("error %v", err)
	}
}

// A redirect carries neither the link nor the password to another host.
func TestRedirected(t *testing.T) {
	content := csv(1000)
	o := serve(t, redirect("https://elsewhere.example.com/x?y=1"), object(content))
	got := o.fetch(t, o.link("/2012-1.csv"))
	got.want(t, content)
	if got.name != "2012-1.csv" {
		t.Errorf("called %q", got.name)
	}
	if o.asked[1].Host != "elsewhere.example.com" || o.headers("Referer")[1] != "" || o.headers("Authorization")[1] != "" {
		t.Errorf("asked %s with %v", o.asked[1].Host, o.asked[1].Header)
	}
}

func TestServersPauseIsKept(t *testing.T) {
	o := serve(t, say(http.StatusTooManyRequests, "", "Retry-After", "7"))
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	f := New(slog.New(slog.NewTextHandler(notify{&log, cancel}, nil)), unseen)
	f.pause, f.transport = time.Millisecond, o.transport(t)
	if _, err := f.Fetch(ctx, o.link("/a.csv"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(log.String(), "429 Too Many Requests: trying again in 7s") {
		t.Errorf("told %s", log.String())
	}
}

// notify calls back when something is written.
type notify struct {
	to   *bytes.Buffer
	call func()
}

func (n notify) Write(p []byte) (int, error) {
	defer n.call()
	return n.to.Write(p)
}
