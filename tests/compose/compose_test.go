// Package compose_test brings docker-compose.yml up, with whatever compose this
// machine has, and loads files through it.
package compose_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/moby/moby/client"
)

func TestComposeLoadsFiles(t *testing.T) {
	s := newStack(t)
	s.succeeds(t, "config", "--quiet")
	s.succeeds(t, "up", "-d", "--build")
	t.Run("ports are published on this machine only", func(t *testing.T) { s.checkPorts(t) })

	const file = "2012-1.csv"
	rows := records(t, filepath.Join(s.dir, "sandbox", "data", file))
	load := []string{"run", "--rm", "-T", "producer", "--file", "/data/" + file, "--wait"}
	s.succeeds(t, load...)
	if got := s.storedRows(t); got != rows {
		t.Fatalf("rows in the database: %d, want %d", got, rows)
	}
	t.Run("the same file again loads nothing", func(t *testing.T) {
		got := s.succeeds(t, load...)
		if said := got.stdout + got.stderr; !strings.Contains(said, "0 new") {
			t.Errorf("output without %q:\n%s", "0 new", said)
		}
		if got := s.storedRows(t); got != rows {
			t.Errorf("rows in the database: %d, want %d", got, rows)
		}
	})
	t.Run("standard input is spooled inside the image", func(t *testing.T) {
		got := s.run(t, strings.NewReader("timestamp,price,user_id\n1/1/2013,7.50,1\n"),
			"run", "--rm", "-T", "producer", "--file", "-", "--wait")
		if got.code != 0 {
			t.Fatalf("exit code %d\n%s\n%s", got.code, got.stdout, got.stderr)
		}
		if got := s.storedRows(t); got != rows+1 {
			t.Errorf("rows in the database: %d, want %d", got, rows+1)
		}
	})
	t.Run("the consumer's statistics agree with the table", func(t *testing.T) {
		s.succeeds(t, "exec", "-T", "consumer", "/consumer", "stats")
	})
	t.Run("data outlives the containers", func(t *testing.T) {
		s.succeeds(t, "down")
		s.succeeds(t, "up", "-d")
		if got := s.storedRows(t); got != rows+1 {
			t.Errorf("rows in the database: %d, want %d", got, rows+1)
		}
	})
}

// records counts the records of a sample file, which has a header, a record a
// line, and no newline at the end.
func records(t *testing.T, path string) int64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return int64(strings.Count(string(text), "\n"))
}

// storedRows counts the rows through the port that PostgreSQL has on this
// machine.
func (s *composed) storedRows(t *testing.T) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	published := strings.TrimSpace(s.succeeds(t, "port", "postgres", "5432").stdout)
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword("streamgauge", s.password()), Host: published,
		Path: "/streamgauge", RawQuery: "sslmode=disable",
	}
	conn, err := pgx.Connect(ctx, address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var rows int64
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM prices").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (s *composed) password() string {
	for _, variable := range s.env {
		if value, found := strings.CutPrefix(variable, "POSTGRES_PASSWORD="); found {
			return value
		}
	}
	return ""
}

func (s *composed) checkPorts(t *testing.T) {
	t.Helper()
	list, err := s.Engine.ContainerList(t.Context(), client.ContainerListOptions{
		Filters: make(client.Filters).Add("label", "com.docker.compose.project="+s.Project),
	})
	if err != nil {
		t.Fatal(err)
	}
	published := 0
	for _, container := range list.Items {
		for _, port := range container.Ports {
			if port.PublicPort == 0 {
				continue
			}
			published++
			if !port.IP.IsLoopback() {
				t.Errorf("%s: port %d is published on %s", container.Names, port.PrivatePort, port.IP)
			}
		}
	}
	if published == 0 {
		t.Error("no port is published")
	}
}
