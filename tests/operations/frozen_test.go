package operations

import (
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
	"github.com/streamgauge/streamgauge/tests/proxy"
)

// TestFrozenCommand: no wedge. An operator's command that stopped while it held the
// statistics holds the consumers up, which may not end another role's session.
// PostgreSQL does; and the command, when it goes on, begins anew.
func TestFrozenCommand(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.Consumer(t, "migrate", "up").Exits(t, 0)
	r := createRoles(t, env)
	consumer := env.Start(t, harness.Command{Program: "consumer", Args: []string{"--migrate=false"}, Env: r.as(t, "consumer")})
	consumer.WaitFor(t, "msg=ready", time.Minute)
	path := env.Sample(t, "2012-1.csv")
	env.Producer(t, "--file", path, "--wait").Exits(t, 0)

	_, operator, _ := strings.Cut(r.as(t, "operator")[0], "=")
	address, err := url.Parse(operator)
	if err != nil {
		t.Fatal(err)
	}
	between := proxy.Postgres(t, address.Host)
	address.Host = between.Address()
	holds, stopped := make(chan struct{}), make(chan struct{})
	var once sync.Once
	between.SetJudge(func(frame *proxy.Frame) proxy.Verdict {
		// The first statement after the lock.
		if frame.Direction == proxy.ToServer && strings.Contains(frame.SQL, "SET retired_at") {
			once.Do(func() { close(holds) })
			<-stopped
		}
		return proxy.Pass
	})
	unload := env.Start(t, harness.Command{Program: "consumer", Args: []string{"unload", "--yes", "2012-1.csv"}, Env: []string{"DATABASE_URL=" + address.String()}})
	select {
	case <-holds:
	case <-unload.Exited():
		close(stopped)
		t.Fatalf("it has ended: %s", unload.Stderr())
	}
	unload.Signal(t, syscall.SIGSTOP)
	close(stopped)

	other := env.Sample(t, "2012-2.csv")
	promise := env.Promised(t, 10*time.Second)
	promise.Ends(t, env.StartProducer(t, "--file", other, "--wait")).Exits(t, 0)
	oracle.CheckTables(t, env, oracle.FromFile(t, path, ""), oracle.FromFile(t, other, ""))

	unload.Signal(t, syscall.SIGCONT)
	contains(t, "standard output", unload.Wait(t).Exits(t, 0).Stdout, "2012-1.csv: 22 rows, 0 rejects, 1 batch taken back\nleft: rows 29, ")
	oracle.CheckTables(t, env, oracle.FromFile(t, other, ""))
}
