package postgres

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// query runs one query that gives one text.
func query(t *testing.T, s *Server, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var out string
	if err := conn.QueryRow(t.Context(), sql).Scan(&out); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func begin(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// folder is a fresh folder that every user may enter; the one above t.TempDir's
// is closed to others.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestStart(t *testing.T) {
	tmp := folder(t)
	t.Setenv("TMPDIR", tmp)
	t.Setenv("PGHOST", "nowhere.invalid") // must not reach the server
	s := begin(t, Config{Settings: map[string]string{"work_mem": "7MB", "fsync": "off"}})

	for _, c := range []struct{ sql, want string }{
		{"SELECT 'up'", "up"},
		{"SHOW work_mem", "7MB"},
		{"SHOW fsync", "off"},
		{"SHOW server_encoding", "UTF8"},
		{"SHOW lc_messages", "C"},
		{"SHOW listen_addresses", "127.0.0.1"},
		{"SHOW unix_socket_directories", ""},
		{"SELECT left(rolpassword, 13) FROM pg_authid WHERE rolname = 'postgres'", "SCRAM-SHA-256"},
		{"SELECT datcollate FROM pg_database WHERE datname = 'postgres'", "C"},
	} {
		t.Run(c.sql, func(t *testing.T) {
			if got := query(t, s, c.sql); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}

	t.Run("the password is asked for", func(t *testing.T) {
		u, _ := url.Parse(s.URL())
		u.User = url.UserPassword("postgres", "guess")
		if conn, err := pgx.Connect(t.Context(), u.String()); err == nil {
			conn.Close(t.Context())
			t.Error("connected with a wrong password")
		}
		secret, _ := u.User.Password()
		if strings.Contains(s.RedactedURL(), secret) {
			t.Errorf("%s shows the password", s.RedactedURL())
		}
	})
	t.Run("the version is the server's", func(t *testing.T) {
		if got := query(t, s, "SHOW server_version"); !strings.HasPrefix(got, s.Binaries().Version) {
			t.Errorf("server %s, binaries %s", got, s.Binaries().Version)
		}
	})
	t.Run("Close leaves nothing", func(t *testing.T) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		if names := entries(t, tmp); len(names) != 0 {
			t.Errorf("left: %v", names)
		}
		if err := s.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestDirIsReused(t *testing.T) {
	dir := filepath.Join(folder(t), "with a space")
	first := begin(t, Config{Dir: dir})
	query(t, first, "SELECT set_config('a.b', 'c', false)")
	conn, err := pgx.Connect(t.Context(), first.URL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS n"); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())

	t.Run("not by two at once", func(t *testing.T) {
		s, err := Start(t.Context(), Config{Dir: dir})
		if err == nil {
			s.Close()
			t.Fatal("a second server started in the folder")
		}
		if !strings.Contains(err.Error(), "in use") {
			t.Errorf("error does not say so: %v", err)
		}
		query(t, first, "SELECT 'unharmed'")
	})

	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := begin(t, Config{Dir: dir})
	if got := query(t, second, "SELECT n::text FROM kept"); got != "42" {
		t.Errorf("kept %q", got)
	}
	if first.URL()[:30] != second.URL()[:30] {
		t.Error("the password changed")
	}
}

func TestTwoAtOnce(t *testing.T) {
	a, b := begin(t, Config{}), begin(t, Config{})
	if a.URL() == b.URL() {
		t.Fatal("same server")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	query(t, a, "SELECT 'unharmed'")
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Start(t.Context(), Config{Port: l.Addr().(*net.TCPAddr).Port})
	if !errors.Is(err, ErrPortTaken) {
		t.Errorf("got %v", err)
	}
}

func TestNotFound(t *testing.T) {
	_, err := Start(t.Context(), Config{BinDir: t.TempDir()})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestFailureShowsTheLog(t *testing.T) {
	tmp := folder(t)
	t.Setenv("TMPDIR", tmp)
	_, err := Start(t.Context(), Config{Settings: map[string]string{"no_such_parameter": "1"}})
	if err == nil || !strings.Contains(err.Error(), `unrecognized configuration parameter "no_such_parameter"`) {
		t.Errorf("got %v", err)
	}
	if names := entries(t, tmp); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	for _, d := range []time.Duration{time.Nanosecond, 100 * time.Millisecond, 700 * time.Millisecond} {
		t.Run(d.String(), func(t *testing.T) {
			tmp := folder(t)
			t.Setenv("TMPDIR", tmp)
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			if s, err := Start(ctx, Config{}); err == nil {
				s.Close() // faster than the timeout: nothing to see
			}
			if names := entries(t, tmp); len(names) != 0 {
				t.Errorf("left: %v", names)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for name, cfg := range map[string]Config{
		"negative port":  {Port: -1},
		"port too large": {Port: 65536},
		"parameter":      {Settings: map[string]string{"a b": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Start(t.Context(), cfg); err == nil {
				t.Error("accepted")
			}
		})
	}
}
