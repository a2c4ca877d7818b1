package source

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

func content(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(data)
	return data
}

func fingerprint(t *testing.T, r io.Reader) Fingerprint {
	t.Helper()
	d := NewDigester(r)
	if _, err := io.Copy(io.Discard, d); err != nil {
		t.Fatal(err)
	}
	return d.Fingerprint()
}

func TestBothReadingsSeeTheSame(t *testing.T) {
	for _, size := range []int{0, 1, blockSize - 1, blockSize, blockSize + 1, 3 * blockSize} {
		data := content(size)
		f := fingerprint(t, iotest.HalfReader(bytes.NewReader(data)))
		if f.Size != int64(size) || f.Digest != sha256.Sum256(data) {
			t.Errorf("%d bytes: fingerprint has size %d", size, f.Size)
		}
		again, err := io.ReadAll(f.Verify(bytes.NewReader(data)))
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%d bytes: second reading gave %d, %v", size, len(again), err)
		}
		if same, err := f.Same(bytes.NewReader(data)); !same || err != nil {
			t.Errorf("%d bytes: Same = %v, %v", size, same, err)
		}
	}
}

// No byte of a block that changed may come out, and all before it may.
func TestChangeIsCaughtBeforeItsBlock(t *testing.T) {
	data := content(2*blockSize + 100)
	f := fingerprint(t, bytes.NewReader(data))
	for name, c := range map[string]struct {
		change func([]byte) []byte
		intact int
	}{
		"first byte":    {func(b []byte) []byte { b[0]++; return b }, 0},
		"second block":  {func(b []byte) []byte { b[blockSize]++; return b }, blockSize},
		"last byte":     {func(b []byte) []byte { b[len(b)-1]++; return b }, 2 * blockSize},
		"shorter":       {func(b []byte) []byte { return b[:len(b)-1] }, 2 * blockSize},
		"much shorter":  {func(b []byte) []byte { return b[:10] }, 0},
		"emptied":       {func([]byte) []byte { return nil }, 0},
		"cut at border": {func(b []byte) []byte { return b[:blockSize] }, blockSize},
	} {
		t.Run(name, func(t *testing.T) {
			changed := c.change(bytes.Clone(data))
			got, err := io.ReadAll(f.Verify(bytes.NewReader(changed)))
			if !errors.Is(err, ErrChanged) {
				t.Errorf("error %v, want ErrChanged", err)
			}
			if len(got) != c.intact {
				t.Errorf("%d bytes came out, want %d", len(got), c.intact)
			}
		})
	}
}

func TestGrowthIsSeenAtTheEnd(t *testing.T) {
	data := content(1000)
	f := fingerprint(t, bytes.NewReader(data))
	grown := bytes.NewReader(append(bytes.Clone(data), 'x'))
	if got, err := io.ReadAll(f.Verify(grown)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("second reading gave %d bytes, %v", len(got), err)
	}
	if same, err := f.Same(grown); same || err != nil {
		t.Errorf("Same = %v, %v", same, err)
	}
}

func TestReadErrorIsPassedOn(t *testing.T) {
	data := content(1000)
	f := fingerprint(t, bytes.NewReader(data))
	broken := errors.New("broken disk")
	if _, err := io.ReadAll(f.Verify(brokenFile{broken})); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

type brokenFile struct{ err error }

func (f brokenFile) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestBeginnings(t *testing.T) {
	data := content(200_000)
	sizes := []int64{150_000, 1, 200_000, 1}
	digests, err := Beginnings(bytes.NewReader(data), sizes)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range sizes {
		if digests[size] != sha256.Sum256(data[:size]) {
			t.Errorf("digest of the first %d bytes is wrong", size)
		}
	}
}

func TestSkipMark(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"a":                        "a",
		"\xef\xbb\xbf":             "",
		"\xef\xbb\xbfab":           "ab",
		"\xef\xbbab":               "\xef\xbbab",
		"\xef\xbb\xbf\xef\xbb\xbf": "\xef\xbb\xbf",
	} {
		r, err := SkipMark(iotest.OneByteReader(bytes.NewReader([]byte(in))))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("SkipMark(%q) reads %q, %v", in, got, err)
		}
	}
}
