package doctor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestClock: what the question itself took is no difference.
func TestClock(t *testing.T) {
	asked := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	const agrees = "its clock agrees with this machine's"
	for _, test := range []struct {
		name         string
		took, server time.Duration
		level        Level
		text         string
	}{
		{"the same", 2 * time.Millisecond, time.Millisecond, OK, agrees},
		{"a second behind", 0, -time.Second, OK, agrees},
		{"more than a second behind", 0, -1001 * time.Millisecond, Warning, "its clock is -1.001s off this machine's"},
		{"an hour ahead", 10 * time.Millisecond, time.Hour + 5*time.Millisecond, Warning, "its clock is 1h0m0s off this machine's"},
		{"a slow answer", 4 * time.Second, 4 * time.Second, OK, agrees},
	} {
		t.Run(test.name, func(t *testing.T) {
			var f findings
			f.clock("NATS", asked.Add(test.server), asked, asked.Add(test.took))
			if f.list[0].Level != test.level || f.list[0].Text != test.text || (f.list[0].Remedy == "") != (test.level == OK) {
				t.Errorf("%+v", f.list[0])
			}
		})
	}
}

func TestPayload(t *testing.T) {
	var f findings
	f.payload(1 << 20)
	f.payload(540_672)
	if len(f.list) > 0 {
		t.Errorf("%+v", f.list)
	}
	f.payload(540_671)
	want := []Finding{{Problem, "NATS", "it takes messages of 540671 bytes at most, and a batch may be larger", "Set max_payload to 540672 or more"}}
	if diff := cmp.Diff(want, f.list); diff != "" {
		t.Error("want -, got +", diff)
	}
}
