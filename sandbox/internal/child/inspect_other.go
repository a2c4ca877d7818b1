//go:build unix && !linux

package child

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// inspect returns a process's user and command line, the arguments joined
// by spaces. It fails when there is no such process, or only its zombie.
func inspect(ctx context.Context, pid int) (uid uint32, command string, err error) {
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "stat=", "-o", "uid=", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0, "", fmt.Errorf("ps: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 || strings.HasPrefix(fields[0], "Z") {
		return 0, "", fmt.Errorf("process %d has ended", pid)
	}
	id, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		return 0, "", fmt.Errorf("ps printed the user %q", fields[1])
	}
	return uint32(id), strings.Join(fields[2:], " "), nil
}
