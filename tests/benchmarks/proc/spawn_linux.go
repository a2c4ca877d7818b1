package proc

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// spawn starts a process that the kernel kills when this one dies. The signal
// is bound to the thread that started the process, so one thread that never
// ends starts them all.
func spawn(cmd *exec.Cmd) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	spawner() <- func() { started <- cmd.Start() }
	return <-started
}

var spawner = sync.OnceValue(func() chan<- func() {
	requests := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range requests {
			start()
		}
	}()
	return requests
})
