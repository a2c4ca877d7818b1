package topology_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// refuser is a NATS server that lets nobody in.
func refuser(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprint(conn, "INFO {\"max_payload\":1048576}\r\n")
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = fmt.Fprint(conn, "-ERR 'Authorization Violation'\r\n")
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

func TestConnectError(t *testing.T) {
	closed := closedPort(t)
	refusing := refuser(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	const start = "Start it with 'docker compose up -d nats', or set NATS_URL"
	const write = "not a NATS address. Write it as nats://user:password@host:4222, with special characters of the password as %XX"
	for _, test := range []struct {
		rule   string
		server topology.Server
		want   string
	}{
		{"nobody listens", topology.Server{URL: "nats://" + closed}, "nats://" + closed + ": connection refused. " + start},
		{"with a password", topology.Server{URL: "nats://user:s3cret@" + closed}, "nats://user:xxxxx@" + closed + ": connection refused. " + start},
		{"without a scheme", topology.Server{URL: "user:s3cret@" + closed}, "user:xxxxx@" + closed + ": connection refused. " + start},
		{"with a token", topology.Server{URL: "nats://s3cret@" + closed}, "nats://xxxxx@" + closed + ": connection refused. " + start},
		{
			"several",
			topology.Server{URL: "nats://a:s3cret@" + closed + ", nats://b:s3cret@" + closed},
			"nats://a:xxxxx@" + closed + ", nats://b:xxxxx@" + closed + ": connection refused. " + start,
		},
		{"password with a bad escape", topology.Server{URL: "nats://user:s3cret%zz@h:1"}, "nats://user:xxxxx@h:1: " + write},
		{"password with a space", topology.Server{URL: "nats://user:s3cret s3cret@h:1"}, "nats://user:xxxxx@h:1: " + write},
		{"password with an @", topology.Server{URL: "nats://user:s3cret@s3cret@" + closed}, "nats://user:xxxxx@" + closed + ": connection refused. " + start},
		{"no scheme before ://", topology.Server{URL: "://user:s3cret@h"}, "://user:xxxxx@h: " + write},
		{
			"refused",
			topology.Server{URL: "nats://user:s3cret@" + refusing},
			"nats://user:xxxxx@" + refusing + ": user or password refused. " +
				"Correct them in the address (nats://user:password@host:4222), or give --creds or --context",
		},
		{
			"credentials missing",
			topology.Server{URL: "nats://" + closed, Creds: filepath.Join(home, "none.creds")},
			"nats://" + closed + ": credentials file or context not found. Check --creds and --context",
		},
		{"unknown context", topology.Server{Context: "prod"}, `context prod: unknown context "prod". 'nats context ls' lists those there are`},
	} {
		t.Run(test.rule, func(t *testing.T) {
			nc, err := topology.Connect(test.server, "test")
			if err == nil {
				nc.Close()
				t.Fatal("connected")
			}
			if _, ok := errors.AsType[*topology.ConnectError](err); !ok {
				t.Fatalf("got a %T", err)
			}
			if diff := cmp.Diff("cannot reach NATS at "+test.want, err.Error()); diff != "" {
				t.Error("want -, got +", diff)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Error("it shows the password")
			}
		})
	}
	t.Run("the cause is kept", func(t *testing.T) {
		_, err := topology.Connect(topology.Server{URL: "nats://" + refusing}, "test")
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("got %v", err)
		}
		_, err = topology.Connect(topology.Server{URL: "nats://" + closed, Creds: filepath.Join(home, "none.creds")}, "test")
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

func TestServerValidate(t *testing.T) {
	for _, server := range []topology.Server{{}, {URL: "nats://h"}, {Creds: "f"}, {URL: "nats://h", Creds: "f"}, {Context: "c"}} {
		if err := server.Validate(); err != nil {
			t.Errorf("%+v: %v", server, err)
		}
	}
	for _, server := range []topology.Server{{Context: "c", URL: "nats://h"}, {Context: "c", Creds: "f"}} {
		if server.Validate() == nil {
			t.Errorf("%+v passes", server)
		}
	}
}
