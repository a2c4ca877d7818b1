package pipeline

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// signature is what a link carries that nobody may see.
const signature = "0f5ec12e7"

// store answers as an object store: by ETag and range, and 403 without the
// signature. The first breaks connections of it are cut off half-way.
func store(t *testing.T, breaks int32, objects map[string]string) *httptest.Server {
	t.Helper()
	var left atomic.Int32
	left.Store(breaks)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		object, found := objects[strings.TrimPrefix(r.URL.Path, "/bucket/")]
		switch {
		case r.URL.Query().Get("X-Amz-Signature") != signature:
			http.Error(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", http.StatusForbidden)
			return
		case !found:
			http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
			return
		}
		w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprint(len(object))))
		if left.Add(-1) >= 0 {
			w = &halved{w, len(object) / 3}
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(object))
	}))
	t.Cleanup(server.Close)
	return server
}

// halved breaks the connection after so many bytes.
type halved struct {
	http.ResponseWriter
	left int
}

func (h *halved) Write(p []byte) (int, error) {
	n, err := h.ResponseWriter.Write(p[:min(len(p), h.left)])
	if h.left -= n; h.left == 0 {
		h.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// TestURL: a presigned link is loaded as the file it leads to, through broken
// connections; what fails sends nothing; the signature is neither told nor
// stored.
func TestURL(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	path := generate(t, 20_000, 61)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	server := store(t, 2, map[string]string{
		"2012-1.csv": string(content), "other.csv.gz": gzipped(t, string(content)),
		"page.csv": "<!DOCTYPE html><title>Sign in</title>",
	})
	link := func(object string) string { return server.URL + "/bucket/" + object + "?X-Amz-Signature=" + signature }
	// Whoever asks for the signature finds nothing.
	hidden := func(result harness.Result) harness.Result {
		if strings.Contains(result.Stdout+result.Stderr, signature) {
			t.Errorf("the signature is shown:\n%s%s", result.Stdout, result.Stderr)
		}
		return result
	}

	loaded := hidden(env.Producer(t, "--wait", "--file", link("2012-1.csv"))).Exits(t, 0)
	contains(t, "standard output", loaded.Stdout, "2012-1.csv: 20000 new, 0 already loaded, 40 batches, committed: 20000 rows, 0 rejected\n")
	contains(t, "standard error", loaded.Stderr, "2012-1.csv: the connection to ")
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
	again := hidden(env.Producer(t, "--wait", link("other.csv.gz"))).Exits(t, 0)
	contains(t, "standard output", again.Stdout, "other.csv.gz: 0 new, 20000 already loaded")

	for link, want := range map[string]string{
		link("page.csv"): "producer: page.csv: " + server.Listener.Addr().String() + " answers with an HTML page, not with the file. ",
		link("none.csv"): "producer: none.csv: " + server.Listener.Addr().String() + " answers 404 Not Found (NoSuchKey): the file is not there",
		strings.TrimSuffix(link("2012-1.csv"), "7"): "producer: 2012-1.csv: " + server.Listener.Addr().String() + " answers 403 Forbidden: the link has expired. Make a new one\n",
	} {
		failed := hidden(env.Producer(t, "--wait", link)).Exits(t, 1)
		contains(t, "standard error", failed.Stderr, want)
	}
	oracle.Check(t, env, oracle.FromFile(t, path, ""))
	oracle.CheckStreamEmpty(t, env)
	if n := env.Int(t, "SELECT count(*) FROM sources AS s WHERE s::text LIKE '%"+signature+"%' OR name <> '2012-1.csv'"); n != 0 {
		t.Errorf("%d sources are called otherwise, or hold the signature", n)
	}
}

// TestDriveLink: a share link of Google Drive is followed through the page that
// asks once more. Drive stands behind a proxy here, with a certificate that the
// producer is told to trust.
func TestDriveLink(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.StartConsumer(t)
	sample, err := os.ReadFile(env.Sample(t, "2012-1.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var unshared atomic.Bool
	drive := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked := r.Host + r.URL.String(); {
		case strings.HasPrefix(r.Host, "accounts."):
			_, _ = io.WriteString(w, "<html><title>Sign in</title>")
		case unshared.Load():
			http.Redirect(w, r, "https://accounts.google.com/v3/signin", http.StatusFound)
		case asked == "drive.google.com/uc?export=download&id=1AbC":
			_, _ = io.WriteString(w, `<!DOCTYPE html><form id="download-form" action="https://drive.usercontent.google.com/download" method="get">
				<input type="hidden" name="id" value="1AbC"><input type="hidden" name="confirm" value="t"></form>`)
		case asked == "drive.usercontent.google.com/download?confirm=t&id=1AbC":
			w.Header().Set("Content-Disposition", `attachment; filename="2012-1.csv"`)
			_, _ = w.Write(sample)
		default:
			http.Error(w, asked, http.StatusTeapot)
		}
	}))
	certificate, trusted := certify(t, env, "drive.google.com", "drive.usercontent.google.com", "accounts.google.com")
	drive.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	drive.StartTLS()
	defer drive.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnel(r.Context(), t, w, drive.Listener.Addr().String())
	}))
	defer proxy.Close()
	run := func() harness.Result {
		return env.Run(t, harness.Command{
			Program: "producer", Args: []string{"--wait", "https://drive.google.com/file/d/1AbC/view?usp=sharing"},
			Env: []string{"HTTPS_PROXY=" + proxy.URL, "SSL_CERT_FILE=" + trusted},
		})
	}
	contains(t, "standard output", run().Exits(t, 0).Stdout, "2012-1.csv: 22 new, 0 already loaded")
	oracle.Check(t, env, oracle.FromFile(t, env.Sample(t, "2012-1.csv"), ""))
	unshared.Store(true)
	contains(t, "standard error", run().Exits(t, 1).Stderr, "producer: google-drive: it is not shared with everyone: Google Drive wants a login. In Drive, choose Share")
}

// certify makes a certificate for hosts, and the file of one who trusts it.
func certify(t *testing.T, env *harness.Env, hosts ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test"}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, env.File(t, "trusted.pem", file.String())
}

// tunnel connects who asks a proxy for a host with a server here.
func tunnel(ctx context.Context, t *testing.T, w http.ResponseWriter, server string) {
	t.Helper()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		t.Error(err)
		return
	}
	defer to.Close()
	w.WriteHeader(http.StatusOK)
	from, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer from.Close()
	done := make(chan struct{}, 2)
	for _, way := range []struct {
		to   io.Writer
		from io.Reader
	}{{to, buffered}, {from, to}} {
		go func() {
			_, _ = io.Copy(way.to, way.from) // a connection ends however it ends
			done <- struct{}{}
		}()
	}
	<-done
}
