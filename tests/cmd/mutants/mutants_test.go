package main

import (
	"path/filepath"
	"testing"

	"github.com/streamgauge/streamgauge/tests/checkout"
)

// The mistakes fit the code as it stands. Whether they are caught, make
// chaos-mutants tells.
func TestMutantsFit(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if _, err := apply(root, filepath.Join(t.TempDir(), "overlay"), &m); err != nil {
				t.Error(err)
			}
			if (m.faults == "") == (m.simulation == "") {
				t.Error("it names not one of faults and simulation")
			}
		})
	}
}
