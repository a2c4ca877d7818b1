package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// livePage matches the line that says where the live page stays.
var livePage = regexp.MustCompile(`stays at (http://127\.0\.0\.1:\d+/)`)

func TestDemoWithLivePage(t *testing.T) {
	s, tmp := place(t)
	p := begin(t, s, "demo", "--page")
	var address string
	eventually(t, "the demo stays for its page", func() bool {
		if found := livePage.FindStringSubmatch(p.stdout.String()); found != nil {
			address = found[1]
		}
		return address != ""
	})
	client := &http.Client{Timeout: 10 * time.Second}
	for path, want := range map[string]string{"": "<h1>streamgauge</h1>", "stats": `"mean":53.1666666666666667,`} {
		response, err := client.Get(address + path) //nolint:noctx // the client has a timeout
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(body), want) {
			t.Errorf("%s%s lacks %q: %s", address, path, want, body)
		}
	}
	for line := range strings.Lines(p.stdout.String()) {
		if len(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("more than 80 columns: %s", line)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.code(t); code != exitDone {
		t.Errorf("exit %d after Ctrl-C", code)
	}
	leaves(t, tmp)
}
