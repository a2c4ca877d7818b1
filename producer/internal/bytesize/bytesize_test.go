package bytesize

import "testing"

func TestText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 10<<10 - 1: "10239 bytes", 10 << 10: "10 KiB", 1<<20 - 1: "1023 KiB",
		1 << 20: "1.0 MiB", 3 << 19: "1.5 MiB", 1 << 30: "1.0 GiB", 200 << 30: "200.0 GiB",
	} {
		if got := Text(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
