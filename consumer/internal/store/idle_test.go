package store

import (
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// PostgreSQL ends a session whose transaction idles, also one that has read all it
// wanted and shows it to somebody who takes his time: nothing of it is lost.
func TestReadOutlivesItsSession(t *testing.T) {
	pool := fakePool(t, func(_ *session, query string) ([]pgproto3.BackendMessage, error) {
		if query == "rollback" {
			return []pgproto3.BackendMessage{&pgproto3.ErrorResponse{
				Severity: "FATAL", Code: "25P03", Message: "terminating connection due to idle-in-transaction timeout",
			}}, errEnded
		}
		return nil, nil
	})
	shown := false
	err := New(pool, slog.New(slog.DiscardHandler)).read(t.Context(), func(pgx.Tx) error {
		shown = true
		return nil
	})
	if err != nil || !shown {
		t.Errorf("shown: %t, %v", shown, err)
	}
}
