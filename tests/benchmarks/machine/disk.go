package machine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/tests/benchmarks/result"
)

const (
	// syncFile is written over and over as PostgreSQL does with a segment of its
	// log: of that size, and by pages of that size.
	syncFile = 16 << 20
	syncPage = 8 << 10

	syncsMost = 1000
	syncsFor  = 3 * time.Second
)

// Fsync measures how long the disk under dir takes to make one page durable,
// file and room existing.
func Fsync(ctx context.Context, dir string) (times result.Times, err error) {
	path := filepath.Join(dir, "fsync")
	file, err := os.Create(path)
	if err != nil {
		return times, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(path)) }()
	if _, err := file.Write(make([]byte, syncFile)); err != nil {
		return times, err
	}
	if err := file.Sync(); err != nil {
		return times, err
	}
	page := make([]byte, syncPage)
	var taken []time.Duration
	for began := time.Now(); len(taken) < syncsMost && time.Since(began) < syncsFor && ctx.Err() == nil; {
		page[0]++
		from := time.Now()
		if _, err := file.WriteAt(page, int64(len(taken)*syncPage%syncFile)); err != nil {
			return times, err
		}
		if err := fdatasync(file); err != nil {
			return times, err
		}
		taken = append(taken, time.Since(from))
	}
	return result.TimesOf(taken), ctx.Err()
}

func fdatasync(file *os.File) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = syscall.Fdatasync(int(fd)) })
	return errors.Join(err, failed)
}
