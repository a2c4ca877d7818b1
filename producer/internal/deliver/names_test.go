package deliver

import (
	"fmt"
	"testing"
)

// A source is known by the name it was sent under first, and so many are known at
// a time.
func TestNames(t *testing.T) {
	var n names
	n.add("a", "1", 10)
	n.add("b", "1", 10)
	n.add("a", "2", 20)
	if len(n.under["a"]) != 2 || len(n.under["b"]) != 0 {
		t.Errorf("%d under a, %d under b", len(n.under["a"]), len(n.under["b"]))
	}
	n.forget(n.under["a"][0])
	n.add("b", "1", 10)
	if len(n.under["a"]) != 1 || len(n.under["b"]) != 1 {
		t.Errorf("%d under a, %d under b when one was forgotten", len(n.under["a"]), len(n.under["b"]))
	}
	for i := range maxNames {
		n.add(fmt.Sprint("c", i), fmt.Sprint("c", i), 1)
	}
	if len(n.under) != maxNames || len(n.sources) != maxNames || len(n.oldest) != maxNames || n.under["a"] != nil || n.under["c0"] == nil {
		t.Errorf("%d names, %d sources, %d in their order", len(n.under), len(n.sources), len(n.oldest))
	}
}
