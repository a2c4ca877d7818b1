package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/streamgauge/streamgauge/consumer/internal/store"
	"github.com/streamgauge/streamgauge/migrations"
)

const ofPostgres = "PostgreSQL"

// oldestPostgres is what the schema needs: functions with SQL-standard bodies.
const oldestPostgres = 140_000

// right is one that a role may have on a table.
type right struct{ table, privilege string }

// storing are the rights that a running consumer needs, and correcting those
// that the commands need beside them. deploy/postgresql/roles.sql grants them.
var (
	storing = []right{
		{"streamgauge_migrations", "SELECT"},
		{"sources", "SELECT"},
		{"sources", "INSERT"},
		{"sources", "UPDATE"},
		{"batches", "SELECT"},
		{"batches", "INSERT"},
		{"prices", "INSERT"},
		{"rejects", "SELECT"},
		{"rejects", "INSERT"},
		{"dead_batches", "SELECT"},
		{"dead_batches", "INSERT"},
		{"stats", "SELECT"},
		{"stats", "UPDATE"},
		{"stats_by_source", "SELECT"},
		{"stats_by_source", "INSERT"},
		{"stats_by_source", "UPDATE"},
		{"stats_by_day", "SELECT"},
		{"stats_by_day", "INSERT"},
		{"stats_by_day", "UPDATE"},
	}
	correcting = []right{
		{"batches", "DELETE"},
		{"prices", "SELECT"},
		{"prices", "DELETE"},
		{"rejects", "UPDATE"},
		{"rejects", "DELETE"},
		{"corrections", "SELECT"},
		{"corrections", "INSERT"},
		{"corrections", "DELETE"},
		{"dead_batches", "UPDATE"},
		{"dead_batches", "DELETE"},
	}
)

func (f *findings) lookAtPostgres(ctx context.Context, address string) {
	pool, err := store.Connect(ctx, address, 2)
	if err != nil {
		f.addf(Problem, ofPostgres, "", "%s", err)
		return
	}
	defer pool.Close()
	if err := f.server(ctx, pool); err != nil {
		f.addf(Problem, ofPostgres, "", "%s", store.Explain(err))
		return
	}
	if !f.schema(ctx, pool) {
		return
	}
	if err := f.rights(ctx, pool); err != nil {
		f.addf(Problem, ofPostgres, "", "%s", store.Explain(err))
	}
	if err := f.contents(ctx, pool); err != nil {
		f.addf(Problem, ofPostgres, "", "%s", store.Explain(err))
	}
}

func (f *findings) server(ctx context.Context, pool *pgxpool.Pool) error {
	var number int
	var version, fsync, pages, vacuum, commit string
	var standby bool
	var now time.Time
	asked := time.Now()
	err := pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
			current_setting('fsync'), current_setting('full_page_writes'), current_setting('autovacuum'),
			(SELECT coalesce(setting, '') FROM pg_settings WHERE name = 'synchronous_commit'), pg_is_in_recovery(), clock_timestamp()`).
		Scan(&number, &version, &fsync, &pages, &vacuum, &commit, &standby, &now)
	if err != nil {
		return err
	}
	answered := time.Now()
	if number < oldestPostgres {
		f.addf(Problem, ofPostgres, "Upgrade to 14 or newer", "version %s", version)
	} else {
		f.addf(OK, ofPostgres, "", "version %s", version)
	}
	if standby {
		f.addf(Problem, ofPostgres, "Point DATABASE_URL at the primary", "this is a standby: it takes no rows")
	}
	f.clock(ofPostgres, now, asked, answered)
	if fsync != "on" || pages != "on" {
		f.addf(Warning, ofPostgres, "Turn them on where rows matter", "fsync is %s and full_page_writes is %s: a power cut may cost committed rows, or the whole cluster", fsync, pages)
	} else {
		f.addf(OK, ofPostgres, "", "commits are on disk when they are acknowledged (synchronous_commit %s)", commit)
	}
	if vacuum != "on" {
		f.addf(Warning, ofPostgres, "Turn it on", "autovacuum is %s: the index on prices then never learns of new rows", vacuum)
	}
	return nil
}

// schema says whether the tables can be looked at.
func (f *findings) schema(ctx context.Context, pool *pgxpool.Pool) bool {
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	missing, err := migrations.Check(ctx, db)
	switch {
	case err != nil:
		f.addf(Problem, ofPostgres, "", "%s", store.Explain(err))
		return false
	case len(missing) > 0:
		f.addf(Problem, ofPostgres, "Start a consumer, or run 'consumer migrate up'", "migrations that the schema lacks: %d", len(missing))
		return false
	}
	f.addf(OK, ofPostgres, "", "the schema is up to date")
	return true
}

func (f *findings) rights(ctx context.Context, pool *pgxpool.Pool) error {
	lacking, err := lacks(ctx, pool, storing)
	if err != nil {
		return err
	}
	if len(lacking) > 0 {
		f.addf(Problem, ofPostgres, "Grant it to the role, where it is a consumer's", "this role may not %s", strings.Join(lacking, ", "))
		return nil
	}
	if lacking, err = lacks(ctx, pool, correcting); err != nil {
		return err
	}
	if len(lacking) > 0 {
		f.addf(OK, ofPostgres, "", "the role may store batches; to replay, unload and verify takes another one")
		return nil
	}
	f.addf(OK, ofPostgres, "", "the role may store batches, replay, unload and verify")
	return nil
}

// lacks names those of the rights that the role does not have.
func lacks(ctx context.Context, pool *pgxpool.Pool, rights []right) (lacking []string, err error) {
	tables, privileges := make([]string, len(rights)), make([]string, len(rights))
	for i, r := range rights {
		tables[i], privileges[i] = r.table, r.privilege
	}
	err = pool.QueryRow(ctx, `SELECT coalesce(array_agg(lower(privilege) || ' on ' || name ORDER BY number), '{}')
		FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS needed (name, privilege, number)
		WHERE NOT has_table_privilege(name, privilege)`, tables, privileges).Scan(&lacking)
	return lacking, err
}

func (f *findings) contents(ctx context.Context, pool *pgxpool.Pool) error {
	var rejected, dead, incomplete int64
	err := pool.QueryRow(ctx, `SELECT rejected, dead, (SELECT count(*) FROM sources WHERE completed_at IS NULL AND retired_at IS NULL)
		FROM stats WHERE metric = 'price'`).Scan(&rejected, &dead, &incomplete)
	if err != nil {
		return err
	}
	if dead > 0 {
		f.addf(Warning, ofPostgres, "'consumer dead ls' lists them", "messages set aside whole: %d", dead)
	}
	if rejected > 0 {
		f.addf(Warning, ofPostgres, "'consumer rejects ls' lists them", "records rejected: %d", rejected)
	}
	if incomplete > 0 {
		f.addf(OK, ofPostgres, "", "loads that are not complete: %d, and 'consumer loads' says which", incomplete)
	}
	return nil
}
