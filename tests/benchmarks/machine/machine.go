// Package machine describes what the benchmark runs on.
package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
	"github.com/streamgauge/streamgauge/tests/benchmarks/stage"
)

// settings are the ones that a load's speed depends on most.
var settings = []string{
	"shared_buffers", "wal_level", "fsync", "synchronous_commit", "wal_sync_method", "full_page_writes",
	"wal_compression", "wal_buffers", "max_wal_size", "checkpoint_timeout", "autovacuum", "jit",
}

// Describe fills in all but the load at the end.
func Describe(ctx context.Context, st *stage.Stage, changed map[string]string) (result.Machine, error) {
	m := result.Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Settings: make(map[string]string), Changed: changed}
	var err error
	keep := func(value string, e error) string {
		err = errors.Join(err, e)
		return value
	}
	m.CPU = keep(procLine("/proc/cpuinfo", "model name"))
	total := keep(procLine("/proc/meminfo", "MemTotal"))
	kib, e := strconv.ParseInt(strings.TrimSuffix(total, " kB"), 10, 64)
	err = errors.Join(err, e)
	m.MemoryBytes = kib << 10
	m.System = keep(system(ctx))
	m.Disk = keep(disk(st.Dir))
	m.NATS = strings.TrimPrefix(keep(output(ctx, st.NATS, "--version")), "nats-server: ")
	m.Postgres = st.Postgres.Binaries().Version
	for _, name := range settings {
		m.Settings[name] = keep(st.Setting(ctx, name))
	}
	m.LoadBegan = keep(Load())
	m.Fsync, e = Fsync(ctx, st.Dir)
	return m, errors.Join(err, e)
}

// Load is the average number of processes that ran or waited for the disk,
// over 1, 5 and 15 minutes.
func Load() (string, error) {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return "", err
	}
	return strings.Join(fields[:3], " "), nil
}

// Version is the checkout's, with +changes when it holds what is not committed.
func Version(ctx context.Context, root string) string {
	git := func(args ...string) string {
		text, err := output(ctx, "git", append([]string{"-C", root}, args...)...)
		if err != nil {
			return ""
		}
		return text
	}
	version := git("describe", "--tags", "--always")
	if version == "" {
		return "unknown"
	}
	if git("status", "--porcelain", "--untracked-files=no", "--", "producer", "consumer", "shared", "migrations") != "" {
		version += " and changes"
	}
	return version
}

func system(ctx context.Context) (string, error) {
	release, err := output(ctx, "uname", "-r")
	if err != nil {
		return "", err
	}
	// What stands behind the number is the distributor's own.
	number, _, _ := strings.Cut(release, "-")
	kernel := "Linux " + number + " " + runtime.GOARCH
	name, err := osRelease()
	if err != nil {
		return kernel, nil
	}
	return name + ", " + kernel, nil
}

func osRelease() (string, error) {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "PRETTY_NAME="); found {
			return strings.Trim(strings.TrimSpace(value), `"`), nil
		}
	}
	return "", fmt.Errorf("no name in /etc/os-release")
}

// disk is the file system under dir: its type and device, from proc(5).
func disk(dir string) (string, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	defer file.Close()
	longest, found := "", ""
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		on := fields[1]
		if rest, err := filepath.Rel(on, dir); err != nil || strings.HasPrefix(rest, "..") || len(on) < len(longest) {
			continue
		}
		longest, found = on, fields[2]
		if device, is := strings.CutPrefix(fields[0], "/dev/"); is {
			found += " on " + device
		}
	}
	return found, lines.Err()
}

func procLine(path, name string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), nil
		}
	}
	return "unknown", nil
}

func output(ctx context.Context, program string, args ...string) (string, error) {
	text, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return strings.TrimSpace(string(text)), nil
}
