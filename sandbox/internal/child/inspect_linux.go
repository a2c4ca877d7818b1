package child

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// inspect returns a process's user and command line, the arguments joined
// by spaces. It fails when there is no such process, or only its zombie.
func inspect(_ context.Context, pid int) (uid uint32, command string, err error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	info, err := os.Stat(dir)
	if err != nil {
		return 0, "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, "", fmt.Errorf("%s: no owner", dir)
	}
	b, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return 0, "", err
	}
	if len(b) == 0 {
		return 0, "", fmt.Errorf("process %d has ended", pid)
	}
	return st.Uid, strings.ReplaceAll(string(b), "\x00", " "), nil
}
