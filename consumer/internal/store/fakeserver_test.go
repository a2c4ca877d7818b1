package store

import (
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// fakeServer speaks PostgreSQL's protocol on 127.0.0.1 and gives each session
// to serve, which ends it by returning. It returns its address.
func fakeServer(t *testing.T, serve func(*session)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	var mu sync.Mutex
	open := make(map[net.Conn]struct{})
	sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = struct{}{}
			mu.Unlock()
			sessions.Go(func() {
				defer conn.Close()
				serve(&session{Backend: pgproto3.NewBackend(conn, conn), conn: conn.(*net.TCPConn)})
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		sessions.Wait()
	})
	return listener.Addr().String()
}

// session is one client's.
type session struct {
	*pgproto3.Backend
	conn *net.TCPConn
}

func (s *session) send(messages ...pgproto3.BackendMessage) {
	for _, m := range messages {
		s.Send(m)
	}
	_ = s.Flush() // A client that has gone is what some tests are about.
}

// start reads the startup message, refusing encryption.
func (s *session) start() error {
	for {
		message, err := s.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		if _, startup := message.(*pgproto3.StartupMessage); startup {
			return nil
		}
		if _, err := s.conn.Write([]byte("N")); err != nil {
			return err
		}
	}
}

// refuse ends the session before it has begun.
func (s *session) refuse(code, message string) {
	if s.start() == nil {
		s.send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: message})
	}
}

var errEnded = errors.New("ended")

// answer lets the client in and answers its queries with what reply says of
// each: nil for an empty result, errEnded to hang up, else the messages.
func (s *session) answer(reply func(query string) ([]pgproto3.BackendMessage, error)) {
	if s.start() != nil {
		return
	}
	s.send(&pgproto3.AuthenticationOk{}, &pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
	for {
		message, err := s.Receive()
		if err != nil {
			return
		}
		query, simple := message.(*pgproto3.Query)
		if !simple {
			continue
		}
		messages, err := reply(query.String)
		switch {
		case err != nil:
			s.send(messages...)
			return
		case messages != nil:
			s.send(messages...)
		default:
			s.send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}, &pgproto3.ReadyForQuery{TxStatus: 'T'})
		}
	}
}

// takeCopy reads the rows of a COPY and returns its answer.
func (s *session) takeCopy(end pgproto3.BackendMessage, status byte) ([]pgproto3.BackendMessage, error) {
	s.send(&pgproto3.CopyInResponse{OverallFormat: 1, ColumnFormatCodes: []uint16{1, 1, 1, 1, 1}})
	for {
		message, err := s.Receive()
		if err != nil {
			return nil, err
		}
		if _, done := message.(*pgproto3.CopyDone); done {
			return []pgproto3.BackendMessage{end, &pgproto3.ReadyForQuery{TxStatus: status}}, nil
		}
	}
}
