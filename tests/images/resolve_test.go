package images

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/checkout"
)

// Only a definite no may change what the tests run; the texts are those of
// Docker engines and registries.
func TestUnavailable(t *testing.T) {
	for _, test := range []struct {
		name, pull string
		want       bool
	}{
		{"name does not resolve", `Get "https://registry.example/v2/": dial tcp: lookup registry.example on 192.0.2.53:53: no such host`, true},
		{"name server fails", `dial tcp: lookup registry.example on 192.0.2.53:53: server misbehaving`, true},
		{"nothing listens", `Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: connection refused`, true},
		{"no route", `dial tcp 192.0.2.1:443: connect: no route to host`, true},
		{"no network", `dial tcp 192.0.2.1:443: connect: network is unreachable`, true},
		{"unauthorized", `Head "https://registry.example/v2/library/nats/manifests/2": unauthorized: authentication required`, true},
		{"pull access denied", `pull access denied for nats, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`, true},
		{"forbidden", `unexpected status from HEAD request to https://registry.example/v2/nats/manifests/2: 403 Forbidden`, true},
		{"rate limit", `toomanyrequests: You have reached your unauthenticated pull rate limit`, true},

		{"no error", "", false},
		{"slow registry", `Get "https://registry.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`, false},
		{"slow network", `dial tcp 192.0.2.1:443: i/o timeout`, false},
		{"slow name server", `dial tcp: lookup registry.example on 192.0.2.53:53: read udp 192.0.2.9:4034->192.0.2.53:53: i/o timeout`, false},
		{"own deadline", `context deadline exceeded`, false},
		{"cut off", `unexpected EOF`, false},
		{"broken registry", `received unexpected HTTP status: 503 Service Unavailable`, false},
		{"no such tag", `manifest for nats:0.0.0 not found: manifest unknown: manifest unknown`, false},
		{"disk full", `failed to register layer: write /usr/bin/x: no space left on device`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var err error
			if test.pull != "" {
				err = errors.New(test.pull)
			}
			if got := unavailable(err); got != test.want {
				t.Errorf("unavailable(%q) = %v, want %v", test.pull, got, test.want)
			}
		})
	}
}

func TestPinned(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range []string{"NATS_IMAGE", "POSTGRES_IMAGE", "NATS_BOX_IMAGE", "PGADMIN_IMAGE"} {
		t.Run(variable, func(t *testing.T) {
			ref, err := Pinned(root, variable)
			if err != nil {
				t.Fatal(err)
			}
			_, tag, _ := strings.Cut(ref, ":")
			if !strings.Contains(tag, ".") {
				t.Errorf("%s: the tag of %s is no exact version", variable, ref)
			}
		})
	}
	t.Run("unknown variable", func(t *testing.T) {
		if ref, err := Pinned(root, "NO_SUCH_IMAGE"); err == nil {
			t.Errorf("no error, but %q", ref)
		}
	})
}

// The stand-in of nats-server has the version of the official image.
func TestPinnedNATSIsTheOneRequired(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := Pinned(root, "NATS_IMAGE")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "tests", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(mod), "github.com/nats-io/nats-server/v2 v")
	if !found {
		t.Fatal("tests/go.mod does not require nats-server")
	}
	want := "nats:" + strings.Fields(rest)[0] + "-alpine"
	if diff := cmp.Diff(want, ref); diff != "" {
		t.Errorf("docker-compose.yml and tests/go.mod (-required +pinned):\n%s", diff)
	}
}
