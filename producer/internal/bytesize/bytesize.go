// Package bytesize writes numbers of bytes as people read them.
package bytesize

import "fmt"

// Text is a number of bytes, which is not negative, in the unit of 1024 that
// leaves few digits: "9 bytes", "146 KiB", "2.9 MiB", "1.0 GiB".
func Text(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
