package postgres

import (
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/tail"
)

// stopGrace is how long each way of asking a server to end is given before the
// next harder one.
const stopGrace = 10 * time.Second

// postmaster is the server as a child of this process.
type postmaster struct {
	*child.Process
	log  string
	from int64 // where in the log its lines begin
}

// endedError says that the server ended without being asked to.
type endedError struct {
	state string
	log   string // last lines
}

func (e *endedError) Error() string { return "PostgreSQL ended: " + e.state + e.log }

// start runs the command with its output appended to the file log. It gets a
// fast shutdown when this process ends.
func start(cmd *exec.Cmd, log string) (*postmaster, error) {
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	end, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = out, out
	p, err := child.Start(cmd, syscall.SIGINT)
	if err != nil {
		return nil, err
	}
	return &postmaster{Process: p, log: log, from: end}, nil
}

// stop asks for a fast shutdown, which disconnects clients, and insists with
// an immediate one and SIGKILL. A server that had ended already is no error.
func (p *postmaster) stop() error {
	return p.Stop(stopGrace, syscall.SIGINT, syscall.SIGQUIT)
}

// ended is why the server, which must have ended, did.
func (p *postmaster) ended() error {
	return &endedError{state: p.State().String(), log: p.lastLines()}
}

// lastLines are those of its log, led by ": ", or "".
func (p *postmaster) lastLines() string { return tail.File(p.log, p.from) }
