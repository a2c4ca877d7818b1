package harness

import (
	"os"
	"strconv"
	"syscall"
	"testing"
)

// SmallDisk mounts a file system in memory that has room for size bytes, and
// returns where, until the test ends. It needs root, as the container of CI has it.
func SmallDisk(t testing.TB, size int64) string {
	t.Helper()
	if os.Getuid() != 0 {
		Unable(t, "a disk that gets full needs root on Linux, to mount one")
	}
	dir, err := os.MkdirTemp("", "streamgauge-disk-*")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755,size="+strconv.FormatInt(size, 10)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
