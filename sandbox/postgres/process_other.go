//go:build unix && !linux

package postgres

import "syscall"

// dieWithParent does nothing: no such signal here. The next run ends a server
// whose parent was killed.
func dieWithParent(*syscall.SysProcAttr) {}
