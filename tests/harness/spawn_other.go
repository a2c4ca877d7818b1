//go:build !linux

package harness

import (
	"os/exec"
	"syscall"
)

// spawn starts a process in a group of its own, so that a Ctrl-C reaches it
// only through the test. Where the kernel does not offer to end it with its
// parent, a killed test run leaves it behind.
func spawn(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = !cmd.SysProcAttr.Setsid
	return cmd.Start()
}
