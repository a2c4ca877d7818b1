package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// natsProtocol reads NATS's client protocol
// (https://docs.nats.io/reference/reference-protocols/nats-protocol).
type natsProtocol struct{}

func (natsProtocol) link() (toServer, toClient func(*bufio.Reader) (*Frame, error)) {
	return readNATS, readNATS
}

func readNATS(r *bufio.Reader) (*Frame, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	frame := &Frame{Data: line}
	words := bytes.Fields(line)
	if len(words) == 0 {
		return frame, nil
	}
	frame.Kind = string(bytes.ToUpper(words[0]))
	// What stands between the subject and the sizes.
	var before, sizes int
	switch frame.Kind {
	case "PUB":
		before, sizes = 2, 1
	case "HPUB":
		before, sizes = 2, 2
	case "MSG":
		before, sizes = 3, 1
	case "HMSG":
		before, sizes = 3, 2
	default:
		return frame, nil
	}
	if len(words) < before+sizes {
		return nil, fmt.Errorf("proxy: %q", line)
	}
	frame.Subject = string(words[1])
	if len(words) > before+sizes {
		frame.Reply = string(words[before])
	}
	size, err := strconv.Atoi(string(words[len(words)-1]))
	if err != nil {
		return nil, fmt.Errorf("proxy: %q: %w", line, err)
	}
	head := len(frame.Data)
	frame.Data = append(frame.Data, make([]byte, size+len("\r\n"))...)
	_, err = io.ReadFull(r, frame.Data[head:])
	return frame, err
}
