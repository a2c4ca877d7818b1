package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/streamgauge/streamgauge/consumer/internal/pgcopy"
	"github.com/streamgauge/streamgauge/consumer/internal/tally"
	"github.com/streamgauge/streamgauge/shared/record"
)

func (c Class) String() string {
	return map[Class]string{Fatal: "fatal", Retry: "retry", Poison: "poison"}[c]
}

// Every class of PostgreSQL's appendix of error codes, by one of its codes.
func TestClassifyServerErrors(t *testing.T) {
	for code, want := range map[string]Class{
		"00000": Fatal, "01000": Fatal, "02000": Fatal, "03000": Fatal,
		"08006": Retry, "08P01": Retry,
		"09000": Fatal, "0A000": Retry, "0B000": Fatal, "0F000": Fatal, "0L000": Fatal, "0P000": Fatal, "0Z000": Fatal,
		"20000": Fatal, "21000": Fatal,
		// Outside the COPY of rows a refused value is the program's fault.
		"22000": Fatal, "22003": Fatal, "22021": Fatal, "22P05": Fatal,
		"23505": Fatal, "23514": Fatal,
		"24000": Fatal,
		"25006": Retry, "25P02": Retry, "25P03": Retry,
		"26000": Retry, "27000": Fatal,
		"28000": Retry, "28P01": Retry,
		"2B000": Fatal, "2D000": Fatal, "2F000": Fatal, "34000": Fatal, "38000": Fatal, "39000": Fatal, "3B000": Fatal,
		"3D000": Retry, "3F000": Retry,
		"40001": Retry, "40P01": Retry, "40003": Retry,
		"42501": Retry, "42P01": Retry,
		"44000": Fatal,
		"53100": Retry, "53200": Retry, "53300": Retry,
		"54000": Fatal,
		"55P03": Retry, "55006": Retry,
		"57014": Retry, "57P01": Retry, "57P03": Retry, "57P05": Retry,
		"58030": Retry,
		"72000": Fatal, "F0000": Fatal, "HV000": Fatal, "P0001": Fatal,
		"XX000": Retry, "XX001": Retry,
		"": Fatal, "2": Fatal,
	} {
		t.Run(code, func(t *testing.T) {
			err := &pgconn.PgError{Severity: "ERROR", Code: code, Message: "m"}
			for _, wrapped := range []error{err, fmt.Errorf("write: %w", err), errors.Join(err, errors.New("roll back: no"))} {
				if got := Classify(wrapped); got != want {
					t.Errorf("%v is %s, want %s", wrapped, got, want)
				}
			}
		})
	}
}

func TestClassifyOtherErrors(t *testing.T) {
	refused := &ValueError{&pgconn.PgError{Code: "22008", Message: "timestamp out of range"}}
	for _, test := range []struct {
		rule string
		err  error
		want Class
	}{
		{"value refused by the COPY", refused, Poison},
		{"value refused, and the rollback failed", errors.Join(fmt.Errorf("x: %w", refused), io.ErrUnexpectedEOF), Poison},
		{"other number of rows", &countError{table: "prices", want: 2, have: 1}, Fatal},
		{"other number of rows, and the rollback failed", errors.Join(&countError{}, io.EOF), Fatal},
		{"lost answer to COMMIT", &commitError{io.ErrUnexpectedEOF}, Retry},
		{"refused COMMIT", &commitError{&pgconn.PgError{Code: "23505"}}, Fatal},
		{"unknown", errors.New("what is this"), Fatal},
		{"text of a closed connection", errors.New("the conn closed its eyes"), Fatal},
		{"closed transaction", pgx.ErrTxClosed, Fatal},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, Retry},
		{"no route", syscall.EHOSTUNREACH, Retry},
		{"end of stream", fmt.Errorf("read: %w", io.EOF), Retry},
		{"closed socket", net.ErrClosed, Retry},
		{"deadline", context.DeadlineExceeded, Retry},
		{"canceled", context.Canceled, Retry},
		{"name server", &net.DNSError{Err: "server misbehaving", IsTemporary: true}, Retry},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := Classify(test.err); got != test.want {
				t.Errorf("%v is %s, want %s", test.err, got, test.want)
			}
		})
	}
}

// fakePool is a pool whose server answers as reply says.
func fakePool(t *testing.T, reply func(s *session, query string) ([]pgproto3.BackendMessage, error)) *pgxpool.Pool {
	t.Helper()
	address := fakeServer(t, func(s *session) {
		s.answer(func(query string) ([]pgproto3.BackendMessage, error) { return reply(s, query) })
	})
	pool, err := Connect(t.Context(), "postgres://u:s3cret@"+address+"/d?sslmode=disable", 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// What pgx makes of a server that goes away, at each point of a transaction.
func TestClassifyBrokenConnections(t *testing.T) {
	terminated := &pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P01", Message: "terminating connection due to administrator command"}
	hangUp := func(*session) ([]pgproto3.BackendMessage, error) { return nil, errEnded }
	faults := map[string]func(*session) ([]pgproto3.BackendMessage, error){
		"hangs up": hangUp,
		"is terminated": func(*session) ([]pgproto3.BackendMessage, error) {
			return []pgproto3.BackendMessage{terminated}, errEnded
		},
		"is killed": func(s *session) ([]pgproto3.BackendMessage, error) {
			_ = s.conn.SetLinger(0) // the close is then a reset
			return nil, errEnded
		},
		"answers half": func(s *session) ([]pgproto3.BackendMessage, error) {
			_, _ = s.conn.Write([]byte{'C', 0, 0})
			return nil, errEnded
		},
	}
	for fault, happen := range faults {
		for _, at := range []string{"begin", "copy", "commit"} {
			t.Run(fault+" at "+at, func(t *testing.T) {
				pool := fakePool(t, func(s *session, query string) ([]pgproto3.BackendMessage, error) {
					switch {
					case strings.HasPrefix(strings.ToLower(query), at):
						return happen(s)
					case strings.HasPrefix(query, "COPY"):
						return s.takeCopy(&pgproto3.CommandComplete{CommandTag: []byte("COPY 1")}, 'T')
					}
					return nil, nil
				})
				err := copyOneRow(t.Context(), pool)
				if err == nil {
					t.Fatal("nothing failed")
				}
				if got := Classify(err); got != Retry {
					t.Errorf("%s: %v (%T)", got, err, err)
				}
				if text := Explain(err); strings.Contains(text, "\n") || strings.Contains(text, "s3cret") {
					t.Errorf("explained as %q", text)
				}
			})
		}
	}
	t.Run("in the middle of a COPY", func(t *testing.T) {
		pool := fakePool(t, func(_ *session, query string) ([]pgproto3.BackendMessage, error) {
			if strings.HasPrefix(query, "COPY") {
				return []pgproto3.BackendMessage{&pgproto3.CopyInResponse{OverallFormat: 1}}, errEnded
			}
			return nil, nil
		})
		if err := copyOneRow(t.Context(), pool); err == nil || Classify(err) != Retry {
			t.Errorf("got %v", err)
		}
	})
	t.Run("on a connection closed before", func(t *testing.T) {
		pool := fakePool(t, func(*session, string) ([]pgproto3.BackendMessage, error) { return nil, nil })
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		if err := conn.Conn().Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Begin(t.Context()); !errors.Is(err, pgconn.ErrConnClosed) || Classify(err) != Retry {
			t.Errorf("got %v", err)
		}
	})
	t.Run("silent", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		pool := fakePool(t, func(s *session, query string) ([]pgproto3.BackendMessage, error) {
			if strings.HasPrefix(query, "begin") {
				_, _ = s.Receive()
				return nil, errEnded
			}
			return nil, nil
		})
		if err := copyOneRow(ctx, pool); err == nil || Classify(err) != Retry {
			t.Errorf("got %v", err)
		}
	})
	t.Run("gone before the session", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = listener.Close()
		_, err = Connect(t.Context(), "postgres://u:s3cret@"+listener.Addr().String()+"/d", 1)
		if err == nil || Classify(err) != Retry {
			t.Errorf("got %v", err)
		}
	})
}

// copyOneRow is a transaction that copies a row.
func copyOneRow(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	if err := copyRows(ctx, tx, oneRow()); err != nil {
		return errors.Join(err, rollback(ctx, tx))
	}
	return tx.Commit(ctx)
}

func oneRow() []claimed {
	row := record.Row{Price: record.Decimal{Lo: 1}}
	b := &Batch{Rows: pgcopy.AppendRow(nil, &row), Tally: tally.Sheet{}}
	b.Tally.Add(&row)
	return []claimed{{Batch: b, sourceID: 1}}
}

// What the COPY of rows itself may end with.
func TestClassifyCopy(t *testing.T) {
	for _, test := range []struct {
		rule string
		end  pgproto3.BackendMessage
		want Class
		text string
	}{
		{
			"a value out of range", &pgproto3.ErrorResponse{Severity: "ERROR", Code: "22008", Message: "timestamp out of range"},
			Poison, "PostgreSQL refuses a value: timestamp out of range (SQLSTATE 22008)",
		},
		{
			"a constraint someone added", &pgproto3.ErrorResponse{Severity: "ERROR", Code: "23514", Message: "too cheap"},
			Fatal, "copy rows: ERROR: too cheap (SQLSTATE 23514)",
		},
		{
			"a full disk", &pgproto3.ErrorResponse{Severity: "ERROR", Code: "53100", Message: "could not extend file"},
			Retry, "copy rows: ERROR: could not extend file (SQLSTATE 53100)",
		},
		{"other number of rows", &pgproto3.CommandComplete{CommandTag: []byte("COPY 0")}, Fatal, "0 rows written to prices, not 1: the transaction was rolled back"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			pool := fakePool(t, func(s *session, query string) ([]pgproto3.BackendMessage, error) {
				if !strings.HasPrefix(query, "COPY") {
					return nil, nil
				}
				return s.takeCopy(test.end, 'E')
			})
			err := copyOneRow(t.Context(), pool)
			if err == nil {
				t.Fatal("nothing failed")
			}
			if got := Classify(err); got != test.want {
				t.Errorf("%s, want %s: %v", got, test.want, err)
			}
			if diff := cmp.Diff(test.text, err.Error()); diff != "" {
				t.Error("want -, got +", diff)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		code, message, want string
	}{
		{"42501", "permission denied for table prices", "permission denied for table prices. Grant it to the consumer's role"},
		{"42P01", `relation "prices" does not exist`, `relation "prices" does not exist. Run 'consumer migrate up', or start a consumer`},
		{"53100", "could not extend file", "could not extend file. Make room on PostgreSQL's disk"},
		{"53300", "too many clients already", "too many clients already. Raise max_connections, or stop other clients"},
		{"25006", "cannot execute INSERT in a read-only transaction", "cannot execute INSERT in a read-only transaction. Point DATABASE_URL at the primary"},
		{"P0001", "a trigger's own\nwords", "a trigger's own words (SQLSTATE P0001)"},
		{"57014", "canceling statement due to user request", "canceling statement due to user request (SQLSTATE 57014)"},
	} {
		t.Run(test.code, func(t *testing.T) {
			err := fmt.Errorf("write: %w", &pgconn.PgError{Severity: "ERROR", Code: test.code, Message: test.message, Detail: "a value"})
			if diff := cmp.Diff(test.want, Explain(err)); diff != "" {
				t.Error("want -, got +", diff)
			}
			if diff := cmp.Diff(test.want, Remedy(err).Error()); diff != "" {
				t.Error("Remedy: want -, got +", diff)
			}
		})
	}
	t.Run("more than the server said", func(t *testing.T) {
		err := fmt.Errorf("replay: %w", &KeptDeadError{7, &pgconn.PgError{Code: "55P03", Message: "lock timeout"}})
		want := "replay: dead batch 7 was given back to the stream, but could not be removed from the list: lock timeout (SQLSTATE 55P03). Replay it again, which does no harm"
		if diff := cmp.Diff(want, Explain(err)); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
	t.Run("two errors in one line", func(t *testing.T) {
		err := errors.Join(io.ErrUnexpectedEOF, errors.New("roll back: conn closed"))
		if diff := cmp.Diff("unexpected EOF roll back: conn closed", Explain(err)); diff != "" {
			t.Error("want -, got +", diff)
		}
	})
}
