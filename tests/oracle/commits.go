package oracle

import (
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// CheckCommits has PostgreSQL refuse each commit from now on that would leave
// statistics which are not the table's. The consumer takes that for a mistake of
// its own, and ends. The whole table is read for each commit.
func CheckCommits(t testing.TB, env *harness.Env) {
	t.Helper()
	// The lock on the row of stats is held until after the trigger: what it reads
	// is what will be committed.
	_, err := env.DB.Exec(t.Context(), `
		CREATE FUNCTION check_figures() RETURNS trigger LANGUAGE plpgsql AS $$
		DECLARE
			wrong text;
		BEGIN
			SELECT string_agg(format('stats.%s is %s, the table''s is %s', figure, running, direct), '; ')
			  INTO wrong FROM (`+wrongFigures+`) AS figures;
			IF wrong IS NOT NULL THEN
				RAISE check_violation USING MESSAGE = wrong;
			END IF;
			RETURN NULL;
		END $$;
		CREATE CONSTRAINT TRIGGER stats_are_the_tables AFTER UPDATE ON stats
			DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_figures()`)
	must(t, err)
}
