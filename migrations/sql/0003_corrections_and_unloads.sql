-- +goose Up

CREATE TABLE corrections (
    source_id    integer     NOT NULL,
    batch        bigint      NOT NULL,
    line         bigint      NOT NULL,
    column_name  text,
    reason       text        NOT NULL,
    raw          bytea       NOT NULL,
    length       bigint      NOT NULL,
    digest       bytea,
    rejected_at  timestamptz NOT NULL,
    corrected    bytea       NOT NULL,
    corrected_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT corrections_pkey PRIMARY KEY (source_id, batch, line)
);

COMMENT ON TABLE corrections IS 'Rejects that were corrected: what stood in rejects, and the record that was stored in its place.';
COMMENT ON COLUMN corrections.raw IS 'As in rejects.';
COMMENT ON COLUMN corrections.corrected IS 'The record that became a row, read by the source''s plan.';

ALTER TABLE sources ADD COLUMN retired_at timestamptz;

COMMENT ON COLUMN sources.retired_at IS 'When the load was taken back; null otherwise. Batches of a retired source are ignored.';

-- +goose Down

ALTER TABLE sources DROP COLUMN retired_at;
DROP TABLE corrections;
