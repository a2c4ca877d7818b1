package tail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"\n \r\n", ""},
		{"one", ": one"},
		{"1\n2\r\n\n 3 \n4\n5\n6\n", ": 2 | 3 | 4 | 5 | 6"},
	} {
		if got := Lines(c.text); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if got := File(path, 0); got != "" {
		t.Errorf("of no file: %q", got)
	}
	text := strings.Repeat("an old line\n", 10_000)
	if err := os.WriteFile(path, []byte(text+"the end\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := File(path, int64(len(text))); got != ": the end" {
		t.Errorf("from an offset: %q", got)
	}
	if got := File(path, 0); !strings.HasSuffix(got, "an old line | the end") {
		t.Errorf("of a long file: %q", got)
	}
}

func TestBuffer(t *testing.T) {
	var b Buffer
	for range 10_000 {
		if n, err := b.Write([]byte("0123456789")); n != 10 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := b.String(); len(got) != keptBytes || !strings.HasSuffix(got, "0123456789") {
		t.Errorf("kept %d bytes", len(got))
	}
}
