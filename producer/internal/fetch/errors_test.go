package fetch

import (
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what came out to testdata, to be looked at")

const (
	s3Expired    = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message><Expires>2026-01-01T00:00:00Z</Expires></Error>`
	s3Signature  = `<Error><Code>SignatureDoesNotMatch</Code><StringToSign>` + secret + `</StringToSign></Error>`
	s3Missing    = `<Error><Code>NoSuchKey</Code><Key>` + secret + `</Key></Error>`
	gcsExpired   = `<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>`
	azureExpired = `<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Signature not valid in the specified time frame: Start [` + secret + `]</AuthenticationErrorDetail></Error>`
	page         = "<!DOCTYPE html><title>" + secret + "</title>"
)

// silent is the one that takes time.
const silent = "stays silent"

// failures are what a server may do that ends a download.
var failures = []struct {
	name     string
	handlers []http.HandlerFunc
}{
	{"wants a login", []http.HandlerFunc{say(401, "")}},
	{"refuses", []http.HandlerFunc{say(403, "nothing that is known")}},
	{"S3: expired", []http.HandlerFunc{say(403, s3Expired)}},
	{"S3: signature", []http.HandlerFunc{say(403, s3Signature)}},
	{"S3: no such object", []http.HandlerFunc{say(404, s3Missing)}},
	{"Google Cloud Storage: expired", []http.HandlerFunc{say(400, gcsExpired)}},
	{"Azure: expired", []http.HandlerFunc{say(403, azureExpired)}},
	{"has nothing", []http.HandlerFunc{say(404, "")}},
	{"has nothing any more", []http.HandlerFunc{say(410, "")}},
	{"answers what nobody asked", []http.HandlerFunc{say(206, "a", "Content-Range", "bytes 0-0/9")}},
	{"answers what nobody knows", []http.HandlerFunc{say(499, "")}},
	{"redirects nowhere", []http.HandlerFunc{say(302, "")}},
	{"redirects in a circle", []http.HandlerFunc{redirect("/round/and/round?" + secret)}},
	{"redirects to http", []http.HandlerFunc{redirect("http://127.0.0.1/" + secret)}},
	{"redirects to a file", []http.HandlerFunc{redirect("file:///etc/" + secret)}},
	{"redirects to what is no URL", []http.HandlerFunc{say(302, "", "Location", "http://[::1/"+secret)}},
	{"is overloaded", []http.HandlerFunc{say(503, "")}},
	{"breaks off at once", []http.HandlerFunc{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}},
	{"never gets further", []http.HandlerFunc{cut(150_000, object(csv(300_000))), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}},
	{"says more than it gives", []http.HandlerFunc{say(200, "timestamp,price,user_id\n", "Content-Length", "1000")}},
	{silent, []http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // to return is to answer, with nothing
	}}},
	{"has another file by now", []http.HandlerFunc{cut(150_000, object(csv(300_000))), object(csv(300_001))}},
	{"has an expired link by now", []http.HandlerFunc{cut(150_000, object(csv(300_000))), say(403, s3Expired)}},
	{"compresses strangely", []http.HandlerFunc{say(200, "x", "Content-Encoding", "br")}},
	{"answers with a page", []http.HandlerFunc{say(200, page, "Content-Type", "text/html; charset=utf-8")}},
	{"answers with a page that it calls CSV", []http.HandlerFunc{say(200, "\ufeff\n <HTML>"+secret, "Content-Type", "text/csv")}},
	{"answers with a page to sign in", []http.HandlerFunc{redirect("/sso/login?next=" + secret), say(200, page)}},
	{"answers with a page to sign in elsewhere", []http.HandlerFunc{redirect("https://login.example.com/?" + secret), say(200, page)}},
	{"leads to where nobody listens", []http.HandlerFunc{redirect("https://127.0.0.1:9/" + secret)}},
	{"leads to what breaks off", []http.HandlerFunc{redirect("https://elsewhere.example.com/" + secret), cut(150_000, object(csv(300_000))), redirect("https://127.0.0.1:9/" + secret)}},
	{"answers with a page after all", []http.HandlerFunc{cut(150_000, object(csv(300_000))), say(200, page, "Content-Type", "text/html")}},
}

// driveFailures are the same for a link to Google Drive.
var driveFailures = []struct {
	name     string
	handlers []http.HandlerFunc
}{
	{"Drive: not shared", []http.HandlerFunc{redirect("https://accounts.google.com/v3/signin/identifier?continue=" + secret), say(200, page)}},
	{"Drive: too many downloads", []http.HandlerFunc{say(200, "<html><title>Google Drive - Quota exceeded</title>")}},
	{"Drive: some page", []http.HandlerFunc{say(200, page)}},
	{"Drive: asks without end", []http.HandlerFunc{say(200, confirmationPage("/again"))}},
	{"Drive: leads elsewhere", []http.HandlerFunc{say(200, confirmationPage("http://127.0.0.1/"+secret))}},
	{"Drive: no such file", []http.HandlerFunc{say(404, "")}},
}

// Every failure is one line with cause and remedy.
func TestErrors(t *testing.T) {
	var all strings.Builder
	note := func(name string, err error, host string) {
		if err == nil {
			t.Errorf("%s: no error", name)
			return
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %s", name, err)
		}
		all.WriteString(name + "\n  " + strings.ReplaceAll(err.Error(), host, "HOST") + "\n")
	}
	for _, c := range failures {
		o := serve(t, c.handlers...)
		if c.name == silent {
			o.silence = 100 * time.Millisecond
		}
		note(c.name, o.fetch(t, o.link("/a.csv")).err, hostOf(t, o.URL))
	}
	for _, c := range driveFailures {
		o := serve(t, c.handlers...)
		note(c.name, o.fetch(t, "https://drive.google.com/file/d/"+secret+"/view?usp="+secret).err, "HOST")
	}
	o, unencrypted := serve(t, object(csv(10))), httptest.NewServer(object(csv(10)))
	defer unencrypted.Close()
	for _, c := range []struct{ name, link string }{
		{"nobody listens", "https://" + secret + "@127.0.0.1:9/a.csv?" + secret},
		{"speaks no https", strings.Replace(unencrypted.URL, "http://", "https://"+secret+"@", 1) + "/a.csv?" + secret},
		{"a folder on Drive", "https://drive.google.com/drive/folders/" + secret},
		{"a spreadsheet", "https://docs.google.com/spreadsheets/d/" + secret + "/edit#gid=0"},
		{"no URL", "https://%zz" + secret},
		{"no host", "https:///" + secret},
		{"a port that is none", "https://" + secret + ":" + secret + "/x@host/"},
	} {
		note(c.name, o.fetch(t, c.link).err, hostOf(t, o.URL))
	}
	stranger := New(slog.New(slog.DiscardHandler), unseen)
	_, err := stranger.Fetch(t.Context(), o.link("/a.csv"), nil)
	note("can't prove who it is", err, hostOf(t, o.URL))
	golden(t, "errors.golden", all.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not as in %s; -update writes it anew (-want +got):\n%s", path, diff)
	}
}
