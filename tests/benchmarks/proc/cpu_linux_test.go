package proc

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// burn is a shell that uses about as much time as a child that it waits for,
// says so, and goes on living.
const burn = `i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done`

// What a child used is not lost with its end: a server's backends come and go.
func TestTreeCPUCountsChildrenThatHaveEnded(t *testing.T) {
	cmd := exec.Command("sh", "-c", `sh -c '`+burn+`'; echo ended; sh -c '`+burn+`; echo lives; read x' <&0; true`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	said := bufio.NewScanner(out)
	await := func(word string) time.Duration {
		t.Helper()
		if !said.Scan() || strings.TrimSpace(said.Text()) != word {
			t.Fatalf("it said %q, not %q", said.Text(), word)
		}
		used, err := TreeCPU(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		return used
	}
	first := await("ended")
	both := await("lives")
	if first < 2*tick || both < first+first/2 {
		t.Errorf("%s after the first child, %s after the second, which does the same", first, both)
	}
	own, err := CPU(cmd.Process.Pid)
	if err != nil || own >= first {
		t.Errorf("%s without its children, %v", own, err)
	}
}
