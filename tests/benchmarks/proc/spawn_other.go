//go:build unix && !linux

package proc

import "os/exec"

func spawn(cmd *exec.Cmd) error { return cmd.Start() }
