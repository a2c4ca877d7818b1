package postgres

import "syscall"

// dieWithParent has the kernel ask the server for a fast shutdown when this
// process is gone, however it went.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
