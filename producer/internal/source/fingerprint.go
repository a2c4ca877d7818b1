// Package source reads one file twice and makes sure that both readings saw the
// same bytes. The first digests it and notes the digest at the end of each block;
// the second hands out no byte of a block at whose end its digest is another.
package source

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"slices"
)

// blockSize is how many bytes are verified at a time, and so what a second
// reading holds in memory. A block costs 32 bytes of memory from the first
// reading on: 32 KiB for a file of 1 GiB.
const blockSize = 1 << 20

// digest is a SHA-256.
type digest = [sha256.Size]byte

// Fingerprint is what the first reading learnt of a file.
type Fingerprint struct {
	// Size is in bytes.
	Size int64
	// Digest is the SHA-256 of all bytes.
	Digest digest
	// upTo has the digest of all bytes up to the end of each block. With those
	// one reading digests each byte once, for the blocks and for the whole.
	upTo []digest
}

// Verify returns a second reading of the same file. It ends after as many bytes
// as the first, and fails with ErrChanged at the first block that differs.
func (f *Fingerprint) Verify(file io.ReaderAt) io.Reader {
	return &verifier{file: file, size: f.Size, upTo: f.upTo, hash: sha256.New()}
}

// Same reports whether the file still has the size it had at the first reading.
// Its bytes up to there are Verify's to compare.
func (f *Fingerprint) Same(file io.ReaderAt) (bool, error) {
	n, err := file.ReadAt(make([]byte, 1), f.Size)
	if n > 0 || err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return true, nil
}

type verifier struct {
	file   io.ReaderAt
	size   int64
	upTo   []digest
	hash   hash.Hash
	number int // of the block to be read next, from 0
	buffer []byte
	ready  []byte // verified, and not handed out yet
}

func (v *verifier) Read(p []byte) (int, error) {
	if len(v.ready) == 0 {
		if v.number == len(v.upTo) {
			return 0, io.EOF
		}
		if err := v.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, v.ready)
	v.ready = v.ready[n:]
	return n, nil
}

func (v *verifier) fill() error {
	start := int64(v.number) * blockSize
	length := min(blockSize, v.size-start)
	if v.buffer == nil {
		v.buffer = make([]byte, length)
	}
	block := v.buffer[:length]
	n, err := v.file.ReadAt(block, start)
	if n < len(block) {
		if errors.Is(err, io.EOF) {
			return ErrChanged
		}
		return err
	}
	v.hash.Write(block)
	if digest(v.hash.Sum(nil)) != v.upTo[v.number] {
		return ErrChanged
	}
	v.number++
	v.ready = block
	return nil
}

// Beginnings returns the SHA-256 of a file's first sizes[i] bytes for each i,
// in one reading up to the largest of them. The file must not be shorter.
func Beginnings(file io.ReaderAt, sizes []int64) (map[int64][sha256.Size]byte, error) {
	digests := make(map[int64][sha256.Size]byte, len(sizes))
	hash, buffer := sha256.New(), make([]byte, 64<<10)
	at := int64(0)
	for _, size := range slices.Sorted(slices.Values(sizes)) {
		// The bare Writer keeps io.CopyBuffer from choosing a way of its own.
		if _, err := io.CopyBuffer(struct{ io.Writer }{hash}, io.NewSectionReader(file, at, size-at), buffer); err != nil {
			return nil, err
		}
		at = size
		digests[size] = digest(hash.Sum(nil))
	}
	return digests, nil
}

// SkipMark returns r without the UTF-8 byte order mark it may begin with.
func SkipMark(r io.Reader) (io.Reader, error) {
	var start [len(mark)]byte
	n, err := io.ReadFull(r, start[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(bytes.TrimPrefix(start[:n], []byte(mark))), r), nil
}

const mark = "\xef\xbb\xbf"
