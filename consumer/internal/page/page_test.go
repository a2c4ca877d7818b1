package page

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestStatsIsTheLinePublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		if got := w.get(t, "/stats"); got.status != http.StatusServiceUnavailable {
			t.Errorf("before there is one: %+v", got)
		}
		s := at(7)
		s.Source = "\u202egnp.csv"
		w.Observe(s)
		line, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got := w.get(t, "/stats")
		if diff := cmp.Diff(string(line)+"\n", got.body); diff != "" {
			t.Error("want -, got +", diff)
		}
		if got := got.header.Get("Content-Type"); got != "application/json" {
			t.Error(got)
		}
	})
}

func answer(t *testing.T, method, path, host, local string, headers map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	page, err := New("", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	page.Observe(at(1))
	request := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	request.Host = host
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	if local != "" {
		address := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(local))
		request = request.WithContext(context.WithValue(request.Context(), http.LocalAddrContextKey, net.Addr(address)))
	}
	recorder := httptest.NewRecorder()
	page.ServeHTTP(recorder, request)
	return recorder
}

// A name that someone else owns may turn into 127.0.0.1 (DNS rebinding).
func TestLoopbackAnswersToItsOwnNamesAlone(t *testing.T) {
	for _, test := range []struct {
		host, local string
		want        int
	}{
		{"127.0.0.1:8080", "127.0.0.1:8080", http.StatusOK},
		{"localhost:8080", "127.0.0.1:8080", http.StatusOK},
		{"LOCALHOST", "127.0.0.1:80", http.StatusOK},
		{"localhost:9999", "127.0.0.1:8080", http.StatusOK}, // a forwarded port
		{"127.9.9.9:8080", "127.9.9.9:8080", http.StatusOK},
		{"[::1]:8080", "[::1]:8080", http.StatusOK},
		{"[::1]", "[::1]:80", http.StatusOK},
		{"[::ffff:127.0.0.1]:8080", "[::ffff:127.0.0.1]:8080", http.StatusOK},
		{"evil.example:8080", "127.0.0.1:8080", http.StatusForbidden},
		{"evil.example", "[::1]:8080", http.StatusForbidden},
		{"localhost.evil.example", "127.0.0.1:8080", http.StatusForbidden},
		{"127.0.0.1.evil.example", "127.0.0.1:8080", http.StatusForbidden},
		{"192.0.2.1:8080", "127.0.0.1:8080", http.StatusForbidden},
		{"", "127.0.0.1:8080", http.StatusForbidden},
		{"evil.example", "", http.StatusForbidden},
		{"gauge.example:8080", "192.0.2.1:8080", http.StatusOK},
	} {
		t.Run(test.host+" at "+test.local, func(t *testing.T) {
			for _, path := range []string{"/", "/stats", "/page.js"} {
				if got := answer(t, http.MethodGet, path, test.host, test.local, nil); got.Code != test.want {
					t.Errorf("%s: %d, not %d", path, got.Code, test.want)
				}
			}
		})
	}
}

func TestOtherPagesGetNothing(t *testing.T) {
	for _, test := range []struct {
		site, mode string
		want       int
	}{
		{"none", "navigate", http.StatusOK},
		{"same-origin", "cors", http.StatusOK},
		{"same-origin", "no-cors", http.StatusOK},
		{"cross-site", "navigate", http.StatusOK}, // a link that was followed
		{"cross-site", "cors", http.StatusForbidden},
		{"cross-site", "no-cors", http.StatusForbidden},
		{"same-site", "cors", http.StatusForbidden}, // another port of this machine
	} {
		t.Run(test.site+" "+test.mode, func(t *testing.T) {
			got := answer(t, http.MethodGet, "/stats", "localhost", "", map[string]string{
				"Sec-Fetch-Site": test.site, "Sec-Fetch-Mode": test.mode, "Origin": "https://evil.example",
			})
			if got.Code != test.want {
				t.Errorf("%d, not %d", got.Code, test.want)
			}
			for name := range got.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s is sent", name)
				}
			}
		})
	}
}

func TestMethodsAndPaths(t *testing.T) {
	for path, want := range map[string]int{
		"/": http.StatusOK, "/page.css": http.StatusOK, "/page.js": http.StatusOK, "/plot.js": http.StatusOK,
		"/format.js": http.StatusOK, "/icon.svg": http.StatusOK, "/stats": http.StatusOK,
		"/page.html": http.StatusNotFound, "/assets/page.js": http.StatusNotFound, "/page.go": http.StatusNotFound,
		"/elsewhere": http.StatusNotFound,
	} {
		got := answer(t, http.MethodGet, path, "localhost", "", nil)
		if got.Code != want {
			t.Errorf("%s: %d, not %d", path, got.Code, want)
		}
		policy := got.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if got.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: types may be guessed", path)
		}
	}
	for _, path := range []string{"/", "/stats", "/events", "/page.js"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			if got := answer(t, method, path, "localhost", "", nil); got.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, got.Code)
			}
		}
		if got := answer(t, http.MethodHead, path, "localhost", "", nil); got.Code != http.StatusOK {
			t.Errorf("HEAD %s: %d", path, got.Code)
		}
	}
}

func TestFilesAreAskedForAgainOnlyWhenTheyDiffer(t *testing.T) {
	first := answer(t, http.MethodGet, "/page.css", "localhost", "", nil)
	tag := first.Header().Get("ETag")
	if tag == "" || first.Header().Get("Cache-Control") != "no-cache" {
		t.Fatalf("%v", first.Header())
	}
	if again := answer(t, http.MethodGet, "/page.css", "localhost", "", map[string]string{"If-None-Match": tag}); again.Code != http.StatusNotModified {
		t.Errorf("%d", again.Code)
	}
}

// What a browser would have to refuse, or would fetch from elsewhere, is not in
// the files; nor is what makes markup of text.
func TestFilesKeepThePolicy(t *testing.T) {
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(embedded, name)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(content), `http://www.w3.org/2000/svg`, "")
		for _, pattern := range []string{
			`https?:`, `//[a-z0-9.]+\.[a-z]`, `@import`, `url\(`, ` style=`, `<style`, `<script>`, ` on[a-z]+=`,
			`(?:inner|outer)HTML`, `insertAdjacentHTML`, `document\.write`, `\beval\(`, `new Function`,
		} {
			if found := regexp.MustCompile(pattern).FindString(text); found != "" {
				t.Errorf("%s holds %q", name, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
