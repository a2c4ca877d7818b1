package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// nextSubject is where a pull consumer is asked for messages (NATS's ADR-13).
const nextSubject = "$JS.API.CONSUMER.MSG.NEXT." + topology.StreamRows + "." + topology.Durable

// The status lines a server answers a pull with, besides messages.
const (
	statusHeartbeat    = "100"
	statusNoMessages   = "404"
	statusExpired      = "408"
	statusConflict     = "409"
	statusNoResponders = "503"

	// endedByBytes and endedByMessages are the conflicts that end a pull as it
	// was asked to end (consumer.go of nats-server).
	endedByBytes    = "Message Size Exceeds MaxBytes"
	endedByMessages = "Batch Completed"
)

const (
	statusHeader      = "Status"
	descriptionHeader = "Description"
)

// puller asks for messages and takes what comes. nats.go's own ways to pull
// tell a message from a status line by its headers, which whoever published the
// message chose; this one tells them apart by where they were sent to: a status
// line to the inbox of its pull, a message to its own subject. Nor does it drop
// what is on its way when a pull ends (docs/adr/0004). It is not safe for
// concurrent use.
type puller struct {
	server Server
	inbox  string
	stop   func() error
	// arrived has room for all that a pull may deliver and some of an earlier one.
	arrived chan *nats.Msg
	pulls   int
}

func newPuller(server Server) (*puller, error) {
	p := &puller{server: server, inbox: server.NewInbox() + ".", arrived: make(chan *nats.Msg, 4*maxPull)}
	var err error
	if p.stop, err = server.Listen(p.inbox+"*", p.arrived); err != nil {
		return nil, fmt.Errorf("subscribe to an inbox: %w", err)
	}
	return p, nil
}

// close ends the subscription, and with it the pull in the server. What was
// delivered and not taken goes back.
func (p *puller) close() {
	// On a broken connection there is nothing to unsubscribe from, and what the
	// server does not hear of a message it finds out when AckWait has passed.
	_ = p.stop()
	for {
		select {
		case msg := <-p.arrived:
			if !strings.HasPrefix(msg.Subject, p.inbox) {
				_ = receipt{p.server, msg.Reply}.Nak()
			}
		default:
			return
		}
	}
}

// request is the body of a pull, in the server's words.
type request struct {
	Batch     int           `json:"batch"`
	MaxBytes  int           `json:"max_bytes,omitempty"`
	Expires   time.Duration `json:"expires"`
	Heartbeat time.Duration `json:"idle_heartbeat"`
}

// pull asks once for a number of messages of a number of bytes in all, zero
// for any, and gives each message to take. It returns how many came.
// tooLarge says that the pull ended because the next message has more bytes
// than were left. Neither that nor a pull during which nothing came is an error.
func (p *puller) pull(ctx context.Context, messages, bytes int, take func(*nats.Msg) error) (came int, tooLarge bool, err error) {
	p.pulls++
	reply := p.inbox + strconv.Itoa(p.pulls)
	body, err := json.Marshal(request{Batch: messages, MaxBytes: bytes, Expires: pullWait, Heartbeat: heartbeat})
	if err != nil {
		return 0, false, fmt.Errorf("encode a pull: %w", err)
	}
	if err := p.server.PublishRequest(nextSubject, reply, body); err != nil {
		return 0, false, fmt.Errorf("pull: %w", err)
	}
	silence := time.NewTimer(silenceMost)
	defer silence.Stop()
	for came < messages {
		select {
		case <-ctx.Done():
			return came, false, ctx.Err()
		case <-silence.C:
			return came, false, errSilence
		case msg := <-p.arrived:
			silence.Reset(silenceMost)
			if !strings.HasPrefix(msg.Subject, p.inbox) {
				came++
				if err := take(msg); err != nil {
					return came, false, err
				}
				continue
			}
			if msg.Subject != reply {
				continue // of a pull that has ended
			}
			ended, tooLarge, err := readStatus(msg.Header)
			if ended || err != nil {
				return came, tooLarge, err
			}
		}
	}
	return came, false, nil
}

// readStatus says what a status line means for the pull it belongs to.
func readStatus(header nats.Header) (ended, tooLarge bool, err error) {
	description := header.Get(descriptionHeader)
	switch status := header.Get(statusHeader); status {
	case statusHeartbeat:
		return false, false, nil
	case statusNoMessages, statusExpired:
		return true, false, nil
	case statusConflict:
		switch description {
		case endedByBytes:
			return true, true, nil
		case endedByMessages:
			return true, false, nil
		}
		return true, false, fmt.Errorf("pull: the server answers %q", description)
	case statusNoResponders:
		return true, false, errNoConsumer
	default:
		return true, false, fmt.Errorf("pull: the server answers %q %q", status, description)
	}
}
