-- +goose Up

-- The bucket that a price counts in: its decade and its first three digits, of
-- which 2, 5 or 10 neighbours share a bucket, so that no bucket is wider than 2 %
-- of its prices. Numbers rise with prices: 1 is the smallest price there is
-- with 19 digits after the point, 0 is zero, and those below are negative. The
-- consumer counts by the same rule, in package distribution.
-- +goose StatementBegin
CREATE FUNCTION stats_bucket(price numeric) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT CASE WHEN price = 0 THEN 0
                        ELSE sign(price) * ((length(digits) - 1) * 175 + 1 +
                             CASE WHEN lead < 250 THEN (lead - 100) / 2
                                  WHEN lead < 500 THEN (lead - 250) / 5 + 75
                                  ELSE (lead - 500) / 10 + 125 END) END
              FROM (SELECT digits, rpad(left(digits, 3), 3, '0')::integer
                      FROM (SELECT trunc(abs(price) * 10000000000000000000)::text) AS whole (digits)) AS cut (digits, lead));
-- +goose StatementEnd

COMMENT ON FUNCTION stats_bucket IS 'The number of the bucket that a price counts in.';

-- +goose StatementBegin
CREATE FUNCTION stats_buckets(buckets bytea) RETURNS TABLE (bucket integer, count bigint, low numeric, high numeric)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT number, counted,
           CASE WHEN number < 0 THEN -upper ELSE lower END, CASE WHEN number < 0 THEN -lower ELSE upper END
      FROM (SELECT ('x' || encode(substring(buckets FROM at FOR 2), 'hex'))::bit(16)::integer,
                   ('x' || encode(substring(buckets FROM at + 2 FOR 8), 'hex'))::bit(64)::bigint
              FROM generate_series(1, octet_length(buckets), 10) AS at) AS pairs (word, counted),
           LATERAL (SELECT CASE WHEN word >= 32768 THEN word - 65536 ELSE word END) AS signed (number),
           LATERAL (SELECT (abs(number) - 1) / 175, (abs(number) - 1) % 175) AS place (decade, step),
           LATERAL (SELECT CASE WHEN step < 75 THEN 100 + step * 2 WHEN step < 125 THEN 250 + (step - 75) * 5 ELSE 500 + (step - 125) * 10 END,
                           CASE WHEN step < 75 THEN 2 WHEN step < 125 THEN 5 ELSE 10 END) AS lead (least, width),
           LATERAL (SELECT CASE WHEN number = 0 THEN 0 ELSE trim_scale(least * unit) END,
                           CASE WHEN number = 0 THEN 0 ELSE trim_scale((least + width) * unit) END
                      FROM (SELECT CASE WHEN decade < 21 THEN ('1e-' || 21 - decade)::numeric ELSE ('1e' || decade - 21)::numeric END) AS power (unit)) AS bounds (lower, upper)
     ORDER BY number
$$;
-- +goose StatementEnd

COMMENT ON FUNCTION stats_buckets IS 'Buckets as a table: prices from low to below high, of negative ones from above low to high.';

-- What the rows of prices say by themselves, in the form in which the tables
-- below keep it: for each source, each day in UTC (as days since 1970-01-01),
-- each user, or all together under key 0. Prices of equal digits are added up
-- at once; those that are equal with another scale are not of equal digits.
-- +goose StatementBegin
CREATE FUNCTION table_stats(by text)
    RETURNS TABLE (key bigint, rows bigint, count bigint, sum numeric, sum_squares numeric, min numeric, max numeric, buckets bytea)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT key, sum(n)::bigint, coalesce(sum(n) FILTER (WHERE bucket IS NOT NULL), 0)::bigint,
           coalesce(sum(total), 0), coalesce(sum(squares), 0), min(least), max(greatest),
           coalesce(string_agg(int2send(bucket) || int8send(n), '' ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), '')
      FROM (SELECT key, stats_bucket(price) AS bucket, sum(n)::bigint AS n, sum(price * n) AS total,
                   sum(price * price * n) AS squares, min(price) AS least, max(price) AS greatest
              FROM (SELECT key, price, count(*) AS n
                      FROM prices, LATERAL (SELECT CASE by WHEN 'source' THEN source_id
                                                           WHEN 'day' THEN ("timestamp" AT TIME ZONE 'UTC')::date - date '1970-01-01'
                                                           WHEN 'user' THEN user_id
                                                           ELSE 0 END) AS keys (key)
                     GROUP BY key, price, scale(price)) AS same
             GROUP BY key, bucket) AS counted
     GROUP BY key
$$;
-- +goose StatementEnd

COMMENT ON FUNCTION table_stats IS 'Figures by source, day, user or all, from the rows themselves: reads the whole table.';

-- A row has the prices of a source or day, and changes with every transaction
-- that adds to them: there is room on the page for the next version, and the
-- buckets stay on it as long as they fit.
CREATE TABLE stats_by_source (
    source_id   integer NOT NULL,
    revision    bigint  NOT NULL,
    rows        bigint  NOT NULL,
    count       bigint  NOT NULL,
    sum         numeric NOT NULL,
    sum_squares numeric NOT NULL,
    min         numeric,
    max         numeric,
    buckets     bytea   NOT NULL,
    CONSTRAINT stats_by_source_pkey PRIMARY KEY (source_id),
    CONSTRAINT stats_by_source_count_in_rows CHECK (count BETWEEN 0 AND rows),
    CONSTRAINT stats_by_source_bounds_when_counted CHECK ((count > 0) = (min IS NOT NULL AND max IS NOT NULL))
) WITH (fillfactor = 15, toast_tuple_target = 8160);

CREATE TABLE stats_by_day (
    day         date    NOT NULL,
    revision    bigint  NOT NULL,
    rows        bigint  NOT NULL,
    count       bigint  NOT NULL,
    sum         numeric NOT NULL,
    sum_squares numeric NOT NULL,
    min         numeric,
    max         numeric,
    buckets     bytea   NOT NULL,
    CONSTRAINT stats_by_day_pkey PRIMARY KEY (day),
    CONSTRAINT stats_by_day_count_in_rows CHECK (count BETWEEN 0 AND rows),
    CONSTRAINT stats_by_day_bounds_when_counted CHECK ((count > 0) = (min IS NOT NULL AND max IS NOT NULL))
) WITH (fillfactor = 15, toast_tuple_target = 8160);

COMMENT ON TABLE stats_by_source IS 'The running statistics of each source, brought up to date in the transaction that stores the rows.';
COMMENT ON COLUMN stats_by_source.revision IS 'That of stats with the last change of this row.';
COMMENT ON COLUMN stats_by_source.rows IS 'Rows of the source in prices; 0 where the load was taken back.';
COMMENT ON COLUMN stats_by_source.count IS 'Rows with a price.';
COMMENT ON COLUMN stats_by_source.buckets IS 'How many prices are in each bucket, as in stats.';
COMMENT ON TABLE stats_by_day IS 'The running statistics of each day that has rows, brought up to date in the transaction that stores them.';
COMMENT ON COLUMN stats_by_day.day IS 'The day of the timestamp in UTC.';
COMMENT ON COLUMN stats_by_day.revision IS 'That of stats with the last change of this row.';
COMMENT ON COLUMN stats_by_day.rows IS 'Rows of the day in prices; 0 where the loads that had them were taken back.';
COMMENT ON COLUMN stats_by_day.count IS 'Rows with a price.';
COMMENT ON COLUMN stats_by_day.buckets IS 'How many prices are in each bucket, as in stats.';

ALTER TABLE stats
    ADD COLUMN buckets  bytea  NOT NULL DEFAULT '',
    ADD COLUMN bucketed bigint NOT NULL DEFAULT 0,
    ADD COLUMN grouped  bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN stats.buckets IS 'How many prices are in each bucket that has any, in order: two bytes for its number, eight for the count, the high byte first. The function stats_buckets shows them.';
COMMENT ON COLUMN stats.bucketed IS 'Prices in all buckets. A consumer of before there were buckets does not count it up, and is stopped by the constraint.';
COMMENT ON COLUMN stats.grouped IS 'Rows in stats_by_source, and as many in stats_by_day: likewise, for a transaction whose rows have no price.';

INSERT INTO stats_by_source
SELECT key, s.revision, t.rows, t.count, t.sum, t.sum_squares, t.min, t.max, t.buckets
  FROM table_stats('source') AS t, stats AS s WHERE metric = 'price';
INSERT INTO stats_by_day
SELECT date '1970-01-01' + key::integer, s.revision, t.rows, t.count, t.sum, t.sum_squares, t.min, t.max, t.buckets
  FROM table_stats('day') AS t, stats AS s WHERE metric = 'price';
UPDATE stats SET bucketed = t.count, grouped = t.rows, buckets = t.buckets FROM table_stats('all') AS t WHERE metric = 'price';

ALTER TABLE stats
    ADD CONSTRAINT stats_counted_in_groups CHECK (bucketed = count AND grouped = rows),
    SET (toast_tuple_target = 8160);

-- +goose Down

ALTER TABLE stats
    DROP CONSTRAINT stats_counted_in_groups,
    DROP COLUMN grouped,
    DROP COLUMN bucketed,
    DROP COLUMN buckets,
    RESET (toast_tuple_target);
DROP TABLE stats_by_day;
DROP TABLE stats_by_source;
DROP FUNCTION table_stats;
DROP FUNCTION stats_buckets;
DROP FUNCTION stats_bucket;
