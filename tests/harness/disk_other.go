//go:build !linux

package harness

import "testing"

// SmallDisk would mount a small file system in memory.
func SmallDisk(t testing.TB, _ int64) string {
	t.Helper()
	Unable(t, "a disk that gets full needs root on Linux, to mount one")
	return ""
}
