-- +goose Up

CREATE TABLE sources (
    source_id    integer     GENERATED ALWAYS AS IDENTITY,
    identity     text        NOT NULL,
    name         text        NOT NULL,
    claims_name  boolean     NOT NULL,
    size         bigint      NOT NULL,
    plan         jsonb       NOT NULL,
    batches      bigint      NOT NULL,
    done         bigint      NOT NULL DEFAULT 0,
    rows         bigint      NOT NULL DEFAULT 0,
    rejected     bigint      NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    stats_before jsonb,
    stats_after  jsonb,
    CONSTRAINT sources_pkey PRIMARY KEY (source_id),
    CONSTRAINT sources_identity_key UNIQUE (identity),
    CONSTRAINT sources_size_positive CHECK (size > 0),
    CONSTRAINT sources_done_in_batches CHECK (done BETWEEN 0 AND batches),
    CONSTRAINT sources_rows_not_negative CHECK (rows >= 0 AND rejected >= 0),
    CONSTRAINT sources_completed_when_done CHECK ((completed_at IS NOT NULL) = (done = batches))
) WITH (fillfactor = 50);

CREATE UNIQUE INDEX sources_name_claim_key ON sources (name) WHERE claims_name;
CREATE INDEX sources_name_idx ON sources (name);

COMMENT ON TABLE sources IS 'One row for each CSV source of which something has been stored.';
COMMENT ON COLUMN sources.source_id IS 'Short key used by the other tables.';
COMMENT ON COLUMN sources.identity IS 'SHA-256 of the decompressed content in hex, and +label if one was given.';
COMMENT ON COLUMN sources.name IS 'The file''s name without folders, as its first stored batch gave it. Untrusted text.';
COMMENT ON COLUMN sources.claims_name IS 'Whether the name was taken exclusively: false where the producer allowed other content under it.';
COMMENT ON COLUMN sources.size IS 'Bytes of the decompressed content, header included.';
COMMENT ON COLUMN sources.plan IS 'How the source is read and cut, fixed by the first batch that was committed.';
COMMENT ON COLUMN sources.batches IS 'Batches of the source in all.';
COMMENT ON COLUMN sources.done IS 'Batches in the ledger; equals count(*) of this source in batches.';
COMMENT ON COLUMN sources.rows IS 'Rows stored; equals count(*) of this source in prices.';
COMMENT ON COLUMN sources.rejected IS 'Records rejected; equals count(*) of this source in rejects.';
COMMENT ON COLUMN sources.completed_at IS 'When the last batch was committed; null while batches are missing.';
COMMENT ON COLUMN sources.stats_before IS 'The statistics directly before the first batch of this source.';
COMMENT ON COLUMN sources.stats_after IS 'The statistics directly after its last batch.';

CREATE TABLE batches (
    source_id    integer     NOT NULL,
    batch        bigint      NOT NULL,
    first_line   bigint      NOT NULL,
    records      integer     NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT batches_pkey PRIMARY KEY (source_id, batch)
);

COMMENT ON TABLE batches IS 'The ledger: the batches that have taken effect. Its primary key is what makes every row stored once.';
COMMENT ON COLUMN batches.batch IS 'Number of the batch in its source, from 1.';
COMMENT ON COLUMN batches.first_line IS 'Line of the source at which the first record starts; the first line is 1.';
COMMENT ON COLUMN batches.records IS 'Records in the batch, stored and rejected.';

-- prices has no key and no foreign key: the ledger is what keeps rows from
-- being stored twice, and a check of each row would cost more than storing it.
CREATE TABLE prices (
    source_id   integer     NOT NULL,
    line        bigint      NOT NULL,
    "timestamp" timestamptz NOT NULL,
    price       numeric,
    user_id     bigint      NOT NULL
);

-- One BRIN index for both ways to look rows up, by source and line and by time:
-- PostgreSQL before 17 reads an index's metapage anew for each row, so that a
-- second one costs as much again.
CREATE INDEX prices_source_id_line_timestamp_idx ON prices USING brin (source_id, line, "timestamp") WITH (pages_per_range = 4);

COMMENT ON TABLE prices IS 'The rows of the sources, each once.';
COMMENT ON COLUMN prices.line IS 'Line of the source at which the record starts; the first line is 1.';
COMMENT ON COLUMN prices.price IS 'With the digits and the scale of the file; null where the field was empty.';

CREATE TABLE rejects (
    source_id   integer     NOT NULL,
    batch       bigint      NOT NULL,
    line        bigint      NOT NULL,
    column_name text,
    reason      text        NOT NULL,
    raw         bytea       NOT NULL,
    length      bigint      NOT NULL,
    digest      bytea,
    rejected_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT rejects_pkey PRIMARY KEY (source_id, batch, line),
    CONSTRAINT rejects_digest_with_cut CHECK ((digest IS NOT NULL) = (length > octet_length(raw)))
);

COMMENT ON TABLE rejects IS 'Records that could not be stored as rows.';
COMMENT ON COLUMN rejects.column_name IS 'The column at fault; null where it is the whole record.';
COMMENT ON COLUMN rejects.raw IS 'The record''s bytes without its line end; the first 64 KiB of a longer one.';
COMMENT ON COLUMN rejects.length IS 'Bytes of the whole record.';
COMMENT ON COLUMN rejects.digest IS 'SHA-256 of the whole record where raw holds only its beginning.';

CREATE TABLE dead_batches (
    dead_batch_id   bigint      GENERATED ALWAYS AS IDENTITY,
    stream_sequence bigint      NOT NULL,
    stream_time     timestamptz NOT NULL,
    subject         text        NOT NULL,
    headers         bytea       NOT NULL,
    payload         bytea       NOT NULL,
    reason          text        NOT NULL,
    claimed_source  text,
    claimed_batch   bigint,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dead_batches_pkey PRIMARY KEY (dead_batch_id),
    CONSTRAINT dead_batches_stream_sequence_stream_time_key UNIQUE (stream_sequence, stream_time)
);

CREATE INDEX dead_batches_claimed_source_idx ON dead_batches (claimed_source) WHERE claimed_source IS NOT NULL;

COMMENT ON TABLE dead_batches IS 'Messages set aside whole: they could not be decoded, or PostgreSQL refused their values.';
COMMENT ON COLUMN dead_batches.stream_sequence IS 'Sequence in the stream ROWS; with stream_time it names the message, also across a stream that was made anew.';
COMMENT ON COLUMN dead_batches.headers IS 'The headers as NATS carries them: a version line, "Name: value" lines ending in CR LF, an empty line; empty where there were none.';
COMMENT ON COLUMN dead_batches.claimed_source IS 'The source identity its headers claim, where they can be read.';

-- The standard deviation of a sample from its running sums, to the last digit
-- of stddev_samp(numeric), whose rules it follows: null below two values, zero
-- where rounding left nothing, else the root taken at the scale of the variance.
-- +goose StatementBegin
CREATE FUNCTION stats_stddev_samp(n bigint, total numeric, squares numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN n < 2 THEN NULL
        WHEN n * squares - total * total <= 0 THEN 0
        ELSE (SELECT round(sqrt(round(v, scale(v) + 30)), scale(v))
                FROM (SELECT (n * squares - total * total) / (n::numeric * (n - 1)::numeric)) AS variance (v))
    END;
-- +goose StatementEnd

COMMENT ON FUNCTION stats_stddev_samp IS 'stddev_samp from count, sum and sum of squares.';

CREATE TABLE stats (
    metric      text        NOT NULL,
    database    uuid        NOT NULL DEFAULT gen_random_uuid(),
    revision    bigint      NOT NULL DEFAULT 0,
    rows        bigint      NOT NULL DEFAULT 0,
    count       bigint      NOT NULL DEFAULT 0,
    rejected    bigint      NOT NULL DEFAULT 0,
    dead        bigint      NOT NULL DEFAULT 0,
    sum         numeric     NOT NULL DEFAULT 0,
    sum_squares numeric     NOT NULL DEFAULT 0,
    mean        numeric     GENERATED ALWAYS AS (CASE WHEN count > 0 THEN sum / count END) STORED,
    min         numeric,
    max         numeric,
    stddev      numeric     GENERATED ALWAYS AS (stats_stddev_samp(count, sum, sum_squares)) STORED,
    first       timestamptz,
    last        timestamptz,
    source      text        NOT NULL DEFAULT '',
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stats_pkey PRIMARY KEY (metric),
    CONSTRAINT stats_count_in_rows CHECK (count BETWEEN 0 AND rows),
    CONSTRAINT stats_bounds_when_counted CHECK ((count > 0) = (min IS NOT NULL AND max IS NOT NULL))
) WITH (fillfactor = 10);

COMMENT ON TABLE stats IS 'The running statistics of prices, brought up to date in the transaction that stores the rows.';
COMMENT ON COLUMN stats.database IS 'Random id of this database: revisions compare only within it.';
COMMENT ON COLUMN stats.revision IS 'Commit order: one more with every transaction that changed the statistics.';
COMMENT ON COLUMN stats.count IS 'Rows with a price, as count(price).';
COMMENT ON COLUMN stats.dead IS 'Messages in dead_batches.';
COMMENT ON COLUMN stats.mean IS 'avg(price), divided by PostgreSQL itself.';
COMMENT ON COLUMN stats.source IS 'Name of a source in the last change. Untrusted text.';

INSERT INTO stats (metric) VALUES ('price');

-- +goose Down

DROP TABLE stats;
DROP FUNCTION stats_stddev_samp;
DROP TABLE dead_batches;
DROP TABLE rejects;
DROP TABLE prices;
DROP TABLE batches;
DROP TABLE sources;
