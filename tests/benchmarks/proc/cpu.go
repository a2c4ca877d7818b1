package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of the times in /proc/PID/stat (proc(5)): USER_HZ is 100 on
// every architecture that Go runs on.
const tick = 10 * time.Millisecond

// Positions in /proc/PID/stat after the command, which ends with the last ")":
// the field called state, the third of all, is 0.
const (
	statUser     = 11
	statSystem   = 12
	statChildren = 13 // user and system time of children that were waited for
)

type stat struct {
	own, waitedFor time.Duration
}

// CPU returns the user and system time of a process, all threads and no child.
func CPU(pid int) (time.Duration, error) {
	s, err := readStat(pid)
	return s.own, err
}

// TreeCPU returns the time of a process, of its living children, and of those
// that have ended and been waited for: all that a postmaster's server used,
// whichever backends have come and gone.
func TreeCPU(pid int) (time.Duration, error) {
	// A child that ends while the others are read moves from the one sum to the
	// other. Equal lists before and after say that none did.
	for range 100 {
		before, err := Children(pid)
		if err != nil {
			return 0, err
		}
		parent, err := readStat(pid)
		if err != nil {
			return 0, err
		}
		total, gone := parent.own+parent.waitedFor, false
		for _, child := range before {
			s, err := readStat(child)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
				gone = true
				break
			}
			if err != nil {
				return 0, err
			}
			total += s.own + s.waitedFor
		}
		after, err := Children(pid)
		if err != nil {
			return 0, err
		}
		if !gone && slices.Equal(before, after) {
			return total, nil
		}
	}
	return 0, fmt.Errorf("the children of process %d don't hold still", pid)
}

// Children returns the process ids of a process's living children, sorted.
func Children(pid int) ([]int, error) {
	// The kernel lists the children of each thread.
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	var children []int
	for _, thread := range threads {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, thread.Name()))
		if err != nil {
			return nil, err
		}
		for word := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	slices.Sort(children)
	return children, nil
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < statChildren+2 {
		return stat{}, fmt.Errorf("/proc/%d/stat holds %q", pid, text)
	}
	number := func(i int) int64 {
		n, e := strconv.ParseInt(fields[i], 10, 64)
		err = errors.Join(err, e)
		return n
	}
	s := stat{
		own:       time.Duration(number(statUser)+number(statSystem)) * tick,
		waitedFor: time.Duration(number(statChildren)+number(statChildren+1)) * tick,
	}
	return s, err
}

// OwnCPU returns the user and system time of this process.
func OwnCPU() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
