-- Roles with no more rights than their work takes. Run it in the database, as the
-- role that owns the tables, which is the one that ran 'consumer migrate up'. To make
-- the roles it needs CREATEROLE. Run it again after each upgrade, and in each further
-- database: what is there already stays.
--
--   psql -v ON_ERROR_STOP=1 -f roles.sql "$OWNER_DATABASE_URL"
--
-- Passwords are set with \password.

-- The running consumer: it adds to tables, and deletes nothing.
DO $$ BEGIN IF to_regrole('streamgauge_consumer') IS NULL THEN CREATE ROLE streamgauge_consumer LOGIN; END IF; END $$;
GRANT SELECT                 ON streamgauge_migrations TO streamgauge_consumer;
GRANT SELECT, INSERT, UPDATE ON sources                TO streamgauge_consumer;
GRANT SELECT, INSERT         ON batches                TO streamgauge_consumer;
GRANT INSERT                 ON prices                 TO streamgauge_consumer;
GRANT SELECT, INSERT         ON rejects                TO streamgauge_consumer;
GRANT SELECT, INSERT         ON dead_batches           TO streamgauge_consumer;
GRANT SELECT, UPDATE         ON stats                  TO streamgauge_consumer;
GRANT SELECT, INSERT, UPDATE ON stats_by_source        TO streamgauge_consumer;
GRANT SELECT, INSERT, UPDATE ON stats_by_day           TO streamgauge_consumer;

-- Who looks: stats, loads, verify, rejects ls, dead ls, migrate status.
DO $$ BEGIN IF to_regrole('streamgauge_reader') IS NULL THEN CREATE ROLE streamgauge_reader LOGIN; END IF; END $$;
GRANT SELECT ON streamgauge_migrations, sources, batches, prices, rejects, corrections, dead_batches, stats,
    stats_by_source, stats_by_day TO streamgauge_reader;

-- Who corrects: also rejects replay, dead replay, unload.
DO $$ BEGIN IF to_regrole('streamgauge_operator') IS NULL THEN CREATE ROLE streamgauge_operator LOGIN; END IF; END $$;
GRANT SELECT                 ON streamgauge_migrations TO streamgauge_operator;
GRANT SELECT, UPDATE         ON sources                TO streamgauge_operator;
GRANT SELECT, DELETE         ON batches                TO streamgauge_operator;
GRANT SELECT, INSERT, DELETE ON prices                 TO streamgauge_operator;
GRANT SELECT, UPDATE, DELETE ON rejects                TO streamgauge_operator;
GRANT SELECT, INSERT, DELETE ON corrections            TO streamgauge_operator;
GRANT SELECT, UPDATE, DELETE ON dead_batches           TO streamgauge_operator;
GRANT SELECT, UPDATE         ON stats                  TO streamgauge_operator;
GRANT SELECT, INSERT, UPDATE ON stats_by_source        TO streamgauge_operator;
GRANT SELECT, INSERT, UPDATE ON stats_by_day           TO streamgauge_operator;
