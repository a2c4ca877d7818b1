package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// postgresProtocol reads PostgreSQL's protocol, version 3, without TLS
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
type postgresProtocol struct{}

// largest bounds a message: more is a mistake in reading.
const largest = 64 << 20

func (postgresProtocol) link() (toServer, toClient func(*bufio.Reader) (*Frame, error)) {
	s := &postgresLink{statements: make(map[string]string)}
	return s.readClient, readServer
}

// postgresLink is what the client has said: whether it has begun, and which text
// a prepared statement has.
type postgresLink struct {
	started    bool
	statements map[string]string
}

func (s *postgresLink) readClient(r *bufio.Reader) (*Frame, error) {
	if !s.started {
		// The first message has no type.
		s.started = true
		return readMessage(r, 0)
	}
	frame, err := readMessage(r, 1)
	if err != nil {
		return nil, err
	}
	body := frame.Data[5:]
	switch frame.Data[0] {
	case 'Q':
		frame.Kind, frame.SQL = "Query", text(&body)
	case 'P':
		frame.Kind = "Parse"
		name := text(&body)
		frame.SQL = text(&body)
		s.statements[name] = frame.SQL
	case 'B':
		frame.Kind = "Bind"
		text(&body) // the portal
		frame.SQL = s.statements[text(&body)]
	case 'd':
		frame.Kind = "CopyData"
	case 'c':
		frame.Kind = "CopyDone"
	}
	return frame, nil
}

func readServer(r *bufio.Reader) (*Frame, error) {
	frame, err := readMessage(r, 1)
	if err != nil {
		return nil, err
	}
	if frame.Data[0] == 'C' {
		body := frame.Data[5:]
		frame.Kind, frame.SQL = "CommandComplete", text(&body)
	}
	return frame, nil
}

// readMessage reads a message whose length stands behind its type.
func readMessage(r *bufio.Reader, typeSize int) (*Frame, error) {
	head := make([]byte, typeSize+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[typeSize:])
	if length < 4 || length > largest {
		return nil, fmt.Errorf("proxy: a message of %d bytes", length)
	}
	data := make([]byte, typeSize+int(length))
	copy(data, head)
	_, err := io.ReadFull(r, data[len(head):])
	return &Frame{Data: data}, err
}

// text takes a string that ends with NUL off b.
func text(b *[]byte) string {
	head, rest, _ := bytes.Cut(*b, []byte{0})
	*b = rest
	return string(head)
}
