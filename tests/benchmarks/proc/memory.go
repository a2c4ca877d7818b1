package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// memory is from /proc/PID/status, in bytes.
type memory struct {
	resident  int64 // VmRSS
	peak      int64 // VmHWM: the most that was resident
	anonymous int64 // RssAnon: its own, shared with nobody
	shared    int64 // RssShmem: a PostgreSQL backend's part of the shared buffers
}

func readMemory(pid int) (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	var m memory
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		var into *int64
		switch name {
		case "VmRSS":
			into = &m.resident
		case "VmHWM":
			into = &m.peak
		case "RssAnon":
			into = &m.anonymous
		case "RssShmem":
			into = &m.shared
		default:
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return memory{}, fmt.Errorf("/proc/%d/status: %q", pid, line)
		}
		*into = kib << 10
	}
	return m, nil
}

// treeMemory is what a server of several processes holds: what is each
// process's own, and the shared memory once.
func treeMemory(pid int) (int64, error) {
	children, err := Children(pid)
	if err != nil {
		return 0, err
	}
	var own, shared int64
	for _, p := range append(children, pid) {
		m, err := readMemory(p)
		if err != nil {
			continue // ended since the list was read
		}
		own += m.anonymous
		shared = max(shared, m.shared)
	}
	return own + shared, nil
}
