package commit

import (
	"errors"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/shared/wire"
)

// An ack costs no write of its own.
func TestSequencesAreWrittenTogether(t *testing.T) {
	s, err := NewSequences()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for number := range int64(2*chunkBatches + 1) {
		if err := s.Set(number+1, uint64(number)); err != nil {
			t.Fatal(err)
		}
		info, err := s.file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if want := number / chunkBatches * chunkBatches * sequenceSize; info.Size() != want {
			t.Fatalf("%d bytes are written with batch %d, want %d", info.Size(), number+1, want)
		}
	}
}

func TestSequencesFail(t *testing.T) {
	s, err := NewSequences()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set(1, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"set": s.Set(1+chunkBatches, 1),
		"each": s.Each(wire.Range{First: 1, Last: 1}, func(int64, uint64) bool {
			t.Error("visited a batch whose sequence was lost")
			return true
		}),
	} {
		if _, own := errors.AsType[*TemporaryError](err); !own || !strings.HasPrefix(err.Error(), "its temporary file: ") {
			t.Errorf("%s: error %v", what, err)
		}
	}
	var none *Sequences
	if err := errors.Join(none.Set(1, 1), none.Close()); err != nil {
		t.Error(err)
	}
}
