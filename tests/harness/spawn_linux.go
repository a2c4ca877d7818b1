package harness

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// spawn starts a process that the kernel kills when this one dies, however it
// dies. The signal is bound to the thread that started the process, so that
// one thread, which never ends, starts them all.
func spawn(cmd *exec.Cmd) error {
	spawner.once.Do(func() { go spawner.serve() })
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	// A Ctrl-C is the test's to pass on; a session of its own is a group too.
	cmd.SysProcAttr.Setpgid = !cmd.SysProcAttr.Setsid
	request := spawnRequest{cmd: cmd, started: make(chan error, 1)}
	spawner.requests <- request
	return <-request.started
}

type spawnRequest struct {
	cmd     *exec.Cmd
	started chan error
}

var spawner = &spawnThread{requests: make(chan spawnRequest)}

type spawnThread struct {
	once     sync.Once
	requests chan spawnRequest
}

func (s *spawnThread) serve() {
	runtime.LockOSThread()
	for request := range s.requests {
		request.started <- request.cmd.Start()
	}
}
