package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// stepTime bounds one step on a server.
const stepTime = 20 * time.Second

var natsFaults = []scenario{
	{
		name: "nats-killed", what: "NATS killed (SIGKILL) and started again after up to 2 s, once or twice", ownNATS: true,
		prepare: func(w *world) {
			for range 1 + w.random.IntN(2) {
				w.restartNATS("killed", func() { w.env.Server.Kill(w.t) }, func() {})
			}
		},
	},
	{
		name: "store-deleted", what: "NATS killed, its JetStream store deleted, NATS started again", ownNATS: true,
		prepare: func(w *world) {
			w.restartNATS("killed, its store deleted", func() { w.env.Server.Kill(w.t) }, func() { w.env.Server.DeleteStore(w.t) })
		},
	},
	{
		name: "flipped-bit", what: "NATS stopped, a bit of a stored block flipped, NATS started again", ownNATS: true, damages: true,
		prepare: func(w *world) {
			w.restartNATS("stopped, a bit flipped", func() { w.env.Server.Stop(w.t) }, w.flipBit)
		},
	},
	{
		name: "stream-purged", what: "stream ROWS purged, once to three times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(3) {
				w.streamFault("stream purged", func(ctx context.Context, js jetstream.JetStream) error {
					stream, err := js.Stream(ctx, topology.StreamRows)
					if err != nil {
						return err
					}
					return stream.Purge(ctx)
				})
			}
		},
	},
	{
		name: "stream-deleted", what: "stream ROWS deleted",
		prepare: func(w *world) {
			w.streamFault("stream deleted", func(ctx context.Context, js jetstream.JetStream) error {
				return js.DeleteStream(ctx, topology.StreamRows)
			})
		},
	},
	{
		name: "durable-deleted", what: "durable consumer deleted, once to three times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(3) {
				w.streamFault("durable consumer deleted", func(ctx context.Context, js jetstream.JetStream) error {
					return js.DeleteConsumer(ctx, topology.StreamRows, topology.Durable)
				})
			}
		},
	},
}

var postgresFaults = []scenario{
	{
		name: "postgres-crash", what: "PostgreSQL stopped (immediate) and started again after up to 2 s, once or twice",
		ownPostgres: func(*world) postgres.Config { return postgres.Config{} },
		prepare: func(w *world) {
			for range 1 + w.random.IntN(2) {
				d := w.between(0, 2*time.Second)
				w.at(w.somewhere(), func() {
					if w.postgres.ended() {
						return // it is not back yet
					}
					w.journal.faultf("PostgreSQL stopped at %d records, for %s", w.stored, d)
					w.postgres.crash()
					w.outage(d)
					w.in(d, func() {
						w.postgres.start()
						w.journal.over()
					})
				})
			}
		},
	},
	{
		name: "backends-terminated", what: "the consumer's sessions terminated (pg_terminate_backend), up to five times",
		prepare: func(w *world) {
			for range 1 + w.random.IntN(5) {
				w.at(w.somewhere(), func() {
					w.journal.faultf("sessions terminated at %d records", w.stored)
					w.terminateSessions()
					w.journal.over()
				})
			}
		},
	},
	{
		name: "too-many-connections", what: "sessions terminated and every connection taken by others for up to 5 s",
		ownPostgres: func(*world) postgres.Config {
			return postgres.Config{Settings: map[string]string{"fsync": "off", "max_connections": "20", "superuser_reserved_connections": "0"}}
		},
		prepare: func(w *world) { w.at(w.somewhere(), w.takeConnections) },
	},
}

// restartNATS ends the server somewhere, does something to what it left, and
// starts it again.
func (w *world) restartNATS(what string, end, meanwhile func()) {
	d := w.between(0, 2*time.Second)
	w.at(w.somewhere(), func() {
		w.journal.faultf("NATS %s at %d records, for %s", what, w.stored, d)
		end()
		w.outage(d)
		meanwhile()
		w.in(d, func() {
			w.env.Server.Start(w.t)
			w.journal.over()
		})
	})
}

// flipBit changes a bit of a message block of the stream ROWS.
func (w *world) flipBit() {
	blocks, err := filepath.Glob(filepath.Join(w.env.Server.Store(), "jetstream", "*", "streams", topology.StreamRows, "msgs", "*.blk"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, i := range w.random.Perm(len(blocks)) {
		content, err := os.ReadFile(blocks[i])
		if err != nil {
			w.t.Fatal(err)
		}
		if len(content) == 0 {
			continue
		}
		at := w.random.IntN(len(content))
		content[at] ^= 1 << w.random.IntN(8)
		if err := os.WriteFile(blocks[i], content, 0o600); err != nil {
			w.t.Fatal(err)
		}
		w.journal.notef("a bit of byte %d of %d in %s", at, len(content), filepath.Base(blocks[i]))
		return
	}
	w.t.Error("no bit was flipped: no block has bytes in it")
}

func (w *world) streamFault(what string, do func(context.Context, jetstream.JetStream) error) {
	w.at(w.somewhere(), func() {
		ctx, cancel := w.context(stepTime)
		defer cancel()
		err := do(ctx, w.env.JetStream(w.t))
		if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			w.t.Fatal(err)
		}
		w.journal.faultf("%s at %d records", what, w.stored)
		w.journal.over()
	})
}

// terminateSessions ends the sessions of the consumers, not the driver's own.
func (w *world) terminateSessions() {
	ctx, cancel := w.context(stepTime)
	defer cancel()
	_, err := w.env.DB.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE 'streamgauge%'`)
	if err != nil {
		w.t.Fatal(err)
	}
}

// takeConnections ends the consumers' sessions and opens as many others as the
// server allows.
func (w *world) takeConnections() {
	ctx, cancel := w.context(stepTime)
	defer cancel()
	w.terminateSessions()
	var taken []*pgx.Conn
	for {
		conn, err := pgx.Connect(ctx, w.env.DatabaseURL)
		if pgErr, refused := errors.AsType[*pgconn.PgError](err); refused && pgErr.Code == "53300" {
			break
		}
		if err != nil {
			w.t.Fatal(err)
		}
		taken = append(taken, conn)
	}
	d := w.between(500*time.Millisecond, 5*time.Second)
	w.journal.faultf("%d connections taken at %d records, for %s", len(taken), w.stored, d)
	w.outage(d)
	w.in(d, func() {
		for _, conn := range taken {
			_ = conn.Close(context.Background())
		}
		w.journal.over()
	})
}
