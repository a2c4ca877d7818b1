package main

import (
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
)

func TestDatabaseURL(t *testing.T) {
	server, err := postgres.Start(t.Context(), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	u, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	for name, dsn := range map[string]string{
		"URL":      server.URL(),
		"keywords": fmt.Sprintf("host=127.0.0.1 port=%s user=postgres password=%s dbname=postgres sslmode=disable", u.Port(), password),
	} {
		t.Run(name, func(t *testing.T) {
			tmp := folder(t)
			env := settings{env: []string{"TMPDIR=" + tmp, "DATABASE_URL=" + dsn}}
			b := ready(t, env)
			if b.DatabaseURL != dsn || b.Postgres != "DATABASE_URL" {
				t.Errorf("uses %+v", b.Addresses)
			}
			b.signal(t, syscall.SIGTERM)
			if code := b.code(t); code != exitDone {
				t.Errorf("exit %d", code)
			}
			if !answers(dsn) {
				t.Error("ended a server that is not its own")
			}
			leaves(t, tmp)

			p := begin(t, env)
			eventually(t, "it tells how to go on", func() bool { return strings.Contains(p.stdout.String(), "Ctrl-C") })
			if strings.Contains(p.stdout.String(), password) {
				t.Error("shows the password")
			}
		})
	}
	u.User = url.UserPassword("postgres", "wr0ng")
	for name, c := range map[string]struct{ dsn, want string }{
		"wrong password": {u.String(), "password authentication failed"},
		"unreachable":    {"postgres://u:wr0ng@127.0.0.1:1/d", "connection refused"},
		"malformed":      {"postgres://u:wr0ng@127.0.0.1:port/d", "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, settings{env: []string{"DATABASE_URL=" + c.dsn}})
			if code := p.code(t); code != exitFailed {
				t.Errorf("exit %d", code)
			}
			m := p.message(t)
			if !strings.Contains(m, "DATABASE_URL") || !strings.Contains(m, c.want) {
				t.Errorf("no cause in %q", m)
			}
			if strings.Contains(m, "wr0ng") {
				t.Error("shows the password")
			}
		})
	}
}
