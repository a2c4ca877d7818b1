package shell

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, text := range []string{"", "/tmp/a-1.b", "a b", "it's", `$HOME "x" \`, "a\nb", "*", "~", "!!", "postgres://a:b@c/d?e=f"} {
		out, err := exec.Command("sh", "-c", "printf %s "+Quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q comes back as %q, %v", text, out, err)
		}
	}
	if got := Quote("bin/consumer"); got != "bin/consumer" {
		t.Errorf("plain word became %s", got)
	}
}
