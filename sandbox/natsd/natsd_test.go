package natsd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sandboxEnv makes the test binary a process that runs a server until it is
// killed.
const sandboxEnv = "NATSD_TEST_SANDBOX"

func TestMain(m *testing.M) {
	if os.Getenv(sandboxEnv) == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
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

func connect(t *testing.T, url string, opts ...nats.Option) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// store makes a stream that reserves a gibibyte, with one message.
func store(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	cfg := jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}, Storage: jetstream.FileStorage, MaxBytes: 1 << 30}
	if _, err := js.CreateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s.a", []byte("kept")); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, js jetstream.JetStream) uint64 {
	t.Helper()
	s, err := js.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

func left(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestTemporaryStore(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := begin(t, Config{})
	store(t, connect(t, s.URL()))
	if left(t, tmp) != 1 {
		t.Fatal("the store is not in the temporary folder, the test shows nothing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := left(t, tmp); n != 0 {
		t.Errorf("Close left %d entries", n)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestStoreDirAndPortAreReused(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, Config{StoreDir: dir, Accounts: []Account{{"A", "a", "pa"}}})
	store(t, connect(t, first.URL(), nats.UserInfo("a", "pa")))

	if s, err := Start(t.Context(), Config{StoreDir: dir}); err == nil {
		s.Close()
		t.Fatal("a second server started in the folder")
	}

	u, err := url.Parse(first.URL())
	if err != nil {
		t.Fatal(err)
	}
	port, _ := strconv.Atoi(u.Port())
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := begin(t, Config{StoreDir: dir, Port: port, Accounts: []Account{{"A", "a", "pa"}}})
	if second.URL() != first.URL() {
		t.Errorf("now at %s, was at %s", second.URL(), first.URL())
	}
	if n := stored(t, connect(t, second.URL(), nats.UserInfo("a", "pa"))); n != 1 {
		t.Errorf("%d messages survived, want 1", n)
	}
}

func TestAccounts(t *testing.T) {
	var accounts []Account
	for i := range 80 { // together they reserve more than most disks have free
		name := fmt.Sprintf("T-%d", i)
		accounts = append(accounts, Account{Name: name, User: "u." + name, Password: "p_" + name})
	}
	s := begin(t, Config{Accounts: accounts})
	for _, a := range accounts {
		js := connect(t, s.URL(), nats.UserInfo(a.User, a.Password))
		store(t, js)
		if n := stored(t, js); n != 1 {
			t.Fatalf("%s sees %d messages, want its own", a.Name, n)
		}
	}
	for name, opt := range map[string]nats.Option{
		"no user":        nats.Name("x"),
		"wrong password": nats.UserInfo("u.T-1", "p_T-2"),
	} {
		if nc, err := nats.Connect(s.URL(), opt); err == nil {
			nc.Close()
			t.Errorf("%s: connected", name)
		}
	}
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

func TestValidate(t *testing.T) {
	for name, cfg := range map[string]Config{
		"negative port":  {Port: -1},
		"port too large": {Port: 1 << 16},
		"empty password": {Accounts: []Account{{"A", "a", ""}}},
		"quote":          {Accounts: []Account{{"A", "a", `"`}}},
		"variable":       {Accounts: []Account{{"A", "a", "$HOME"}}},
		"same name":      {Accounts: []Account{{"A", "a", "x"}, {"A", "b", "x"}}},
		"same user":      {Accounts: []Account{{"A", "a", "x"}, {"B", "a", "x"}}},
		"system account": {Accounts: []Account{{"SYS", "a", "x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := Start(t.Context(), cfg); err == nil {
				s.Close()
				t.Error("accepted")
			}
		})
	}
}

func TestKilledRunIsReaped(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	living := elsewhere(t)
	dead := elsewhere(t)
	if err := dead.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dead.cmd.Wait()
	if left(t, tmp) != 2 {
		t.Fatal("nothing left to reap, the test shows nothing")
	}
	begin(t, Config{})
	if n := left(t, tmp); n != 2 { // the living run's and ours
		t.Errorf("%d folders, want 2", n)
	}
	store(t, connect(t, living.url))
}

type killable struct {
	cmd *exec.Cmd
	url string
}

// elsewhere runs a server in another process, in this TMPDIR.
func elsewhere(t *testing.T) killable {
	t.Helper()
	k := killable{cmd: exec.Command(os.Args[0])}
	k.cmd.Env = append(os.Environ(), sandboxEnv+"=1")
	k.cmd.Stderr = os.Stderr
	if _, err := k.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = k.cmd.Process.Kill()
		_ = k.cmd.Wait()
	})
	url := make(chan string, 1)
	go func() {
		line, _, _ := bufio.NewReader(out).ReadLine()
		url <- string(line)
	}()
	select {
	case k.url = <-url:
	case <-time.After(20 * time.Second):
		t.Fatal("the other process did not start a server")
	}
	return k
}
