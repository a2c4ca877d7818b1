package oracle

import "testing"

func TestBucket(t *testing.T) {
	for price, want := range map[string]int16{
		"0": 0, "0.00": 0, "0.0000000000000000001": 1, "0.0000000000000000010": 176, "10": 3501, "10.199": 3501, "10.2": 3502, "19.99": 3550, "20": 3551,
		"49.99": 3625, "50": 3626, "54": 3630, "99.99": 3675, "100.00": 3676, "-5": -3451, "99999999999999999999999999999999999999": 9975,
	} {
		if got := bucket(price); got != want {
			t.Errorf("%s is in bucket %d, not %d", price, got, want)
		}
	}
}
