package unpack

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
)

// members is a gzip file: one member or several, and behind the last one any number
// of zeros, which fill up what was on a tape or a disk and which gunzip and tar skip
// as well.
type members struct {
	from *bufio.Reader
	one  *gzip.Reader
	err  error // of what is behind the last member, once that is known
}

func openGzip(from io.Reader) (io.ReadCloser, error) {
	m := &members{from: bufio.NewReader(from)}
	var err error
	if m.one, err = gzip.NewReader(m.from); err != nil {
		return nil, err
	}
	m.one.Multistream(false)
	return m, nil
}

// Read implements io.Reader.
func (m *members) Read(p []byte) (int, error) {
	for m.err == nil {
		n, err := m.one.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		m.err = m.next()
	}
	return 0, m.err
}

// next goes on with the next member, and returns io.EOF if there is none.
func (m *members) next() error {
	start, err := m.from.Peek(1)
	if err != nil {
		return err
	}
	if start[0] != 0 {
		err = m.one.Reset(m.from)
		m.one.Multistream(false)
		return err
	}
	for {
		switch padding, err := m.from.ReadByte(); {
		case err != nil:
			return err
		case padding != 0:
			return gzip.ErrHeader
		}
	}
}

// Close implements io.Closer.
func (m *members) Close() error { return m.one.Close() }
