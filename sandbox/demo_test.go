package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
)

// tamperEnv makes the test binary a consumer whose database stores other
// prices than it is given. Its value is the path of the real one.
const tamperEnv = "SANDBOX_TEST_TAMPER"

func tamper(genuine string) error {
	migrate := exec.Command(genuine, "migrate", "up")
	if out, err := migrate.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `
		CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.price := NEW.price + 1; RETURN NEW; END';
		CREATE TRIGGER raise BEFORE INSERT ON prices FOR EACH ROW EXECUTE FUNCTION raise()`)
	if err != nil {
		return err
	}
	return syscall.Exec(genuine, append([]string{genuine}, os.Args[1:]...), os.Environ())
}

// made are the folders to remove when all tests have run.
var made []string

// built are the pair's binaries, made once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sandboxtest-bin-")
	if err != nil {
		return "", err
	}
	made = append(made, dir)
	for _, name := range []string{"producer", "consumer"} {
		cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), ".")
		cmd.Dir = filepath.Join("..", name)
		if out, err := cmd.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("build the %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})

// place is a folder to run the demo in: the binaries are in its bin.
func place(t *testing.T) (s settings, tmp string) {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t)
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"producer", "consumer"} {
		if err := os.Symlink(filepath.Join(bin, name), filepath.Join(dir, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	tmp = folder(t)
	return settings{dir: dir, env: []string{"TMPDIR=" + tmp}}, tmp
}

// statistics matches a line of the running statistics: revision, source, rows.
var statistics = regexp.MustCompile(`(?m)^ +(\d+)  (\S+) +(\d+) +(\d+) +([\d.]+) +(\d+) +(\d+)$`)

func TestDemo(t *testing.T) {
	s, tmp := place(t)
	p := begin(t, s, "demo")
	if code := p.code(t); code != exitDone {
		t.Fatalf("exit %d", code)
	}
	leaves(t, tmp)
	text := p.stdout.String()

	t.Run("statistics as they change", func(t *testing.T) {
		lines := statistics.FindAllStringSubmatch(text, -1)
		if len(lines) != 33 { // batches of five: 5 + 6 + 7 + 6 + 7, and 2
			t.Errorf("%d lines of statistics, want one for each of 33 batches", len(lines))
		}
		for i, line := range lines {
			if line[1] != fmt.Sprint(i+1) {
				t.Errorf("line %d is of revision %s", i+1, line[1])
			}
		}
	})
	t.Run("the samples' figures", func(t *testing.T) {
		flat := strings.Join(strings.Fields(text), " ")
		for _, want := range []string{
			"count(*) 143 143 count(price) 137 137 avg(price) 54.1021897810218978 54.1021897810218978 min(price) 10 10 max(price) 100 100 The running statistics agree",
			"before after count(*) 143 151 count(price) 137 144 avg(price) 54.1021897810218978 53.1666666666666667 min(price) 10 10 max(price) 100 100 The running statistics agree",
			"22 new, 0 already loaded", "8 new, 0 already loaded",
		} {
			if !strings.Contains(flat, want) {
				t.Errorf("does not show %s", want)
			}
		}
	})
	t.Run("fits a terminal", func(t *testing.T) {
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
		if strings.Contains(text, "\x1b") {
			t.Error("escape sequences although it is no terminal")
		}
		if said := p.stderr.String(); said != "" {
			t.Errorf("said %q", said)
		}
	})
}

func data(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, rows := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("timestamp,price,user_id\n"+rows), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDemoOfOtherFiles(t *testing.T) {
	s, tmp := place(t)
	dir := data(t, map[string]string{
		"2012-9.csv":     "9/1/2012,1,1",
		"2012-10.csv":    "10/1/2012,2,1\n10/2/2012,x,1",
		"2011-1.csv":     "1/1/2011,9,1",
		"validation.csv": "11/1/2012,3.50,1",
	})
	p := begin(t, s, "demo", "--data", dir)
	if code := p.code(t); code != exitRejects {
		t.Errorf("exit %d with a bad record", code)
	}
	p.message(t)
	text := p.stdout.String()
	if nine, ten := strings.Index(text, "2012-9.csv"), strings.Index(text, "2012-10.csv"); nine < 0 || ten < nine {
		t.Errorf("2012-9.csv is shown at %d, 2012-10.csv at %d", nine, ten)
	}
	if strings.Contains(text, "2011-1.csv") {
		t.Error("loaded a file of another year")
	}
	flat := strings.Join(strings.Fields(text), " ")
	if want := "avg(price) 1.5000000000000000 2.1666666666666667"; !strings.Contains(flat, want) {
		t.Errorf("does not show %s", want)
	}
	leaves(t, tmp)

	for name, files := range map[string]map[string]string{
		"no months":     {"validation.csv": "1/1/2012,1,1"},
		"no validation": {"2012-1.csv": "1/1/2012,1,1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, s, "demo", "--data", data(t, files))
			if code := p.code(t); code != exitFailed {
				t.Errorf("exit %d", code)
			}
			if m := p.message(t); !strings.Contains(m, "--data") {
				t.Errorf("does not name the flag: %s", m)
			}
			leaves(t, tmp)
		})
	}
}

func TestDemoThatDisagrees(t *testing.T) {
	s, tmp := place(t)
	consumer := filepath.Join(s.dir, "bin", "consumer")
	genuine, err := filepath.EvalSymlinks(consumer)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(consumer); err != nil {
		t.Fatal(err)
	}
	copyFile(t, os.Args[0], consumer)
	s.env = append(s.env, tamperEnv+"="+genuine)
	p := begin(t, s, "demo")
	if code := p.code(t); code != exitDisagree {
		t.Errorf("exit %d although the database holds other prices", code)
	}
	if m := p.message(t); !strings.Contains(m, "do not agree") {
		t.Errorf("said %s", m)
	}
	leaves(t, tmp)
}

func TestDemoFails(t *testing.T) {
	t.Run("not built", func(t *testing.T) {
		tmp := folder(t)
		p := begin(t, settings{dir: tmp, env: []string{"TMPDIR=" + tmp, "PATH=" + tmp}}, "demo")
		if code := p.code(t); code != exitFailed {
			t.Errorf("exit %d", code)
		}
		if m := p.message(t); !strings.Contains(m, "make build") {
			t.Errorf("no remedy in %s", m)
		}
		leaves(t, tmp)
	})
	t.Run("a consumer that does not start", func(t *testing.T) {
		s, tmp := place(t)
		script(t, s, "consumer", "echo 'no luck today' >&2; exit 1")
		p := begin(t, s, "demo")
		if code := p.code(t); code != exitFailed {
			t.Errorf("exit %d", code)
		}
		if m := p.message(t); !strings.Contains(m, "no luck today") {
			t.Errorf("does not say why: %s", m)
		}
		leaves(t, tmp)
	})
	t.Run("a producer that fails", func(t *testing.T) {
		s, tmp := place(t)
		script(t, s, "producer", "echo 'no luck today' >&2; exit 1")
		p := begin(t, s, "demo")
		if code := p.code(t); code != exitFailed {
			t.Errorf("exit %d", code)
		}
		if m := p.message(t); !strings.Contains(m, "no luck today") || !strings.Contains(m, "2012-1.csv") {
			t.Errorf("does not say what failed and why: %s", m)
		}
		leaves(t, tmp)
	})
	t.Run("interrupted", func(t *testing.T) {
		s, tmp := place(t)
		script(t, s, "producer", "exec sleep 60")
		p := begin(t, s, "demo")
		eventually(t, "it loads", func() bool { return strings.Contains(p.stdout.String(), "rev  source") })
		p.signal(t, syscall.SIGINT)
		if code := p.code(t); code != exitInterrupted {
			t.Errorf("exit %d", code)
		}
		leaves(t, tmp)
	})
}

func TestDemoWithoutAReader(t *testing.T) {
	s, tmp := place(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr output
	cmd := exec.Command(os.Args[0], "demo")
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), append([]string{selfEnv + "=1", "DATABASE_URL="}, s.env...)...)
	cmd.Stdout, cmd.Stderr = write, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	if _, err := read.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	_ = read.Close()
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(60 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("goes on")
	}
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || stderr.String() != "" {
		t.Errorf("exit %d, said %q", code, &stderr)
	}
	leaves(t, tmp)
}

// script puts a shell script in the place of a binary.
func script(t *testing.T, s settings, name, body string) {
	t.Helper()
	path := filepath.Join(s.dir, "bin", name)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestDemoOnAServerOfTheUsers(t *testing.T) {
	server, err := postgres.Start(t.Context(), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	databases := func() (n int) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_database").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := databases()

	s, tmp := place(t)
	s.env = append(s.env, "DATABASE_URL="+server.URL())
	hanging := s
	hanging.dir = folder(t)
	if err := os.Mkdir(filepath.Join(hanging.dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(s.dir, "bin", "consumer"), filepath.Join(hanging.dir, "bin", "consumer")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(hanging.dir, "bin", "producer"), []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	loads := func(p *process) {
		t.Helper()
		eventually(t, "it loads", func() bool { return strings.Contains(p.stdout.String(), "rev  source") })
	}

	living, killed := begin(t, hanging, "demo"), begin(t, hanging, "demo")
	loads(living)
	loads(killed)
	if n := databases(); n != before+2 {
		t.Fatalf("%d databases more, want one for each demo", n-before)
	}
	killed.signal(t, syscall.SIGKILL)
	killed.code(t)
	eventually(t, "the killed demo's sessions end", func() bool {
		var n int
		err := conn.QueryRow(t.Context(), `SELECT count(DISTINCT datname) FROM pg_stat_activity WHERE datname LIKE 'streamgauge\_demo\_%'`).Scan(&n)
		return err == nil && n == 1
	})

	p := begin(t, s, "demo")
	if code := p.code(t); code != exitDone {
		t.Errorf("exit %d", code)
	}
	if n := databases(); n != before+1 {
		t.Errorf("%d databases more, want the living demo's", n-before)
	}
	living.signal(t, syscall.SIGTERM)
	if code := living.code(t); code != exitInterrupted {
		t.Errorf("exit %d", code)
	}
	if n := databases(); n != before {
		t.Errorf("%d databases more", n-before)
	}
	var tables int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables != 0 {
		t.Errorf("%d tables in the user's own database", tables)
	}
	leaves(t, tmp)
}
