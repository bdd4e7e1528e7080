-- SPDX-License-Identifier: PostgreSQL
-- Claim: a best-effort stream keeps the newest K frames that are younger than
-- their ttl, exactly, at every read, K = clamp(2 ceil(rate ttl), floor, ceiling)
-- as of its newest frame; the table behind it stays within 3 K; and no
-- best-effort append ever removes a durable frame.
SET search_path = public, weir;
SET weir.housekeeping = on;

CREATE FUNCTION pg_temp.physical(name text) RETURNS bigint LANGUAGE sql AS
$$ SELECT count(*) FROM weir.frame_live WHERE stream_id IN (SELECT s.id FROM weir.registry s WHERE s.name = $1) $$;
CREATE FUNCTION pg_temp.becomes(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    reached boolean;
BEGIN
    FOR attempt IN 1 .. 400 LOOP
        EXECUTE query INTO reached;
        IF reached THEN
            RETURN true;
        END IF;
        PERFORM pg_sleep(0.05);
    END LOOP;
    RETURN false;
END
$$;

-- K where floor and ceiling leave no choice: the newest K at each step.
CREATE TEMP TABLE seen (n integer, first integer, last integer, frames bigint);
DO $$
BEGIN
    FOR i IN 1 .. 300 LOOP
        PERFORM weir.append_live('live.a', to_jsonb(i), maxlen_floor => 10, maxlen_ceiling => 10);
        COMMIT;
        INSERT INTO seen SELECT i, min(payload::text::integer), max(payload::text::integer), count(*) FROM weir.read('live.a');
        COMMIT;
    END LOOP;
END
$$;
SELECT count(*) AS steps, count(*) FILTER (WHERE frames <> least(n, 10) OR last <> n OR first <> greatest(1, n - 9)) AS wrong FROM seen;
SELECT payload FROM weir.read('live.a', reverse => true, max_frames => 3);
SELECT payload FROM weir.read('live.a', max_frames => 3);
SELECT maxlen, best_effort_frames, rate_hz >= 0 AS rate_known FROM weir.stream_info('live.a');
-- The newest frame's K counts, not the largest so far.
SELECT weir.append_live('live.a', '301', maxlen_floor => 5, maxlen_ceiling => 5) IS NOT NULL AS done;
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('live.a');
SELECT weir.append_live('live.a', '302', maxlen_floor => 1, maxlen_ceiling => 1) IS NOT NULL AS done;
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('live.a');
-- And grows again; what is read is always the newest without a hole.
SELECT weir.append_live('live.a', '303', maxlen_floor => 100, maxlen_ceiling => 100) IS NOT NULL AS done;
SELECT max(payload::text::integer) AS newest, count(*) BETWEEN 2 AND 100 AS at_most_k, max(payload::text::integer) - min(payload::text::integer) + 1 = count(*) AS no_hole FROM weir.read('live.a');

-- Batches count each frame, and a batch longer than K keeps its newest K.
SELECT frames FROM weir.append_live_batch('live.b', (SELECT array_agg(to_jsonb(i) ORDER BY i) FROM generate_series(1, 1000) i), maxlen_floor => 7, maxlen_ceiling => 7);
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('live.b');
SELECT frames FROM weir.append_live_batch('live.b', (SELECT array_agg(to_jsonb(i) ORDER BY i) FROM generate_series(1001, 1003) i), maxlen_floor => 7, maxlen_ceiling => 7);
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('live.b');

-- Defaults: floor 64, ceiling 16384, ttl 30 s.
SELECT weir.append_live('live.c', '1') IS NOT NULL AS done;
SELECT maxlen FROM weir.stream_info('live.c');
-- 256 fast frames raise K above its floor; 512 with a ceiling of 256 hold it there.
SELECT count(weir.append_live('live.d', to_jsonb(i), ttl_ms => 30000)) FROM generate_series(1, 256) i;
SELECT maxlen > 64 AS above_floor, maxlen <= 16384 AS within_ceiling, rate_hz > 1 AS fast FROM weir.stream_info('live.d');
SELECT count(weir.append_live('live.e', to_jsonb(i), maxlen_ceiling => 256)) FROM generate_series(1, 512) i;
SELECT maxlen, rate_hz > 1 AS fast FROM weir.stream_info('live.e');
SELECT count(*), min(payload::text::integer), max(payload::text::integer) FROM weir.read('live.e');
-- 100 within five seconds: at least the floor, at most all of them.
SELECT count(weir.append_live('live.f', to_jsonb(i), ttl_ms => 5000)) FROM generate_series(1, 100) i;
SELECT best_effort_frames BETWEEN 64 AND 100 AS retained FROM weir.stream_info('live.f');
-- One batch of a single millisecond is not a rate of zero: the next K holds it.
SELECT frames FROM weir.append_live_batch('live.g', (SELECT array_agg(to_jsonb(i)) FROM generate_series(1, 10000) i), ttl_ms => 60000, maxlen_ceiling => 1000000);
SELECT weir.append_live('live.g', '0', ttl_ms => 60000, maxlen_ceiling => 1000000) IS NOT NULL AS done;
SELECT maxlen > 10000 AS holds_the_burst FROM weir.stream_info('live.g');
SELECT count(*) FROM weir.read('live.g', max_frames => 10000);
-- The rate decays while nothing is written.
SELECT rate_hz AS before FROM weir.stream_info('live.d') \gset
SELECT pg_temp.becomes(format('SELECT rate_hz < %L::float8 / 2 FROM weir.stream_info(''live.d'')', :'before')) AS decays;

-- ttl: each frame its own, exact at read.
SELECT weir.append_live('live.h', '"short"', ttl_ms => 1) IS NOT NULL AS done;
SELECT weir.append_live('live.h', '"long"', ttl_ms => 86400000) IS NOT NULL AS done;
SELECT pg_temp.becomes($$ SELECT count(*) = 1 FROM weir.read('live.h') $$) AS short_one_went;
SELECT payload FROM weir.read('live.h');
SELECT payload FROM weir.read('live.h', reverse => true);
SELECT best_effort_frames FROM weir.stream_info('live.h');
SELECT weir.append_live('live.i', '"only"', ttl_ms => 1) AS gone \gset
SELECT pg_temp.becomes($$ SELECT count(*) = 0 FROM weir.read('live.i') $$) AS all_went;
-- A cursor on the frame that expired goes on; ids do not go back.
SELECT count(*) FROM weir.read('live.i', after => :'gone');
SELECT weir.append_live('live.i', '"next"') > :'gone' AS above;
SELECT payload FROM weir.read('live.i', after => :'gone');

-- Never a durable frame: 100 durable, then best effort with K = 1.
SELECT count(weir.append('live.j', to_jsonb(i))) FROM generate_series(1, 100) i;
SELECT count(weir.append_live('live.j', to_jsonb(i), maxlen_floor => 1, maxlen_ceiling => 1, ttl_ms => 1)) FROM generate_series(1, 500) i;
SELECT count(*) FILTER (WHERE mode = 'durable') AS durable, count(*) FILTER (WHERE mode = 'best_effort') <= 1 AS best_effort_at_most_one FROM weir.read('live.j');
-- A durable one, fifty best effort, a durable one: both are there, and all that a filter leaves.
SELECT weir.append('live.k', '"D0"') IS NOT NULL AS done;
SELECT count(weir.append_live('live.k', to_jsonb(i), ttl_ms => 2000)) FROM generate_series(1, 50) i;
SELECT weir.append('live.k', '"D1"') IS NOT NULL AS done;
SELECT payload FROM weir.read('live.k', visibility => 'exclude_best_effort');
SELECT count(*) FILTER (WHERE mode = 'durable') AS durable FROM weir.read('live.k');
-- Durable frames do not use up K.
SELECT count(CASE i % 2 WHEN 0 THEN weir.append('live.l', to_jsonb(i)) ELSE weir.append_live('live.l', to_jsonb(i), maxlen_floor => 3, maxlen_ceiling => 3) END)
FROM generate_series(1, 40) i;
SELECT mode, count(*), min(payload::text::integer) FROM weir.read('live.l') GROUP BY mode ORDER BY mode;

-- The table is trimmed while it grows, one by one and in batches: by the housekeeper, and where its requests
-- are not taken, by who appends. How near it stays to K is the scheduler's business, and measured in bench.
DO $$
DECLARE
    most bigint := 0;
BEGIN
    FOR i IN 1 .. 3000 LOOP
        PERFORM weir.append_live('live.m', to_jsonb(i), maxlen_floor => 50, maxlen_ceiling => 50);
        COMMIT;
        IF i % 10 = 0 THEN
            most := greatest(most, pg_temp.physical('live.m'));
        END IF;
    END LOOP;
    RAISE NOTICE 'one by one trimmed meanwhile: %', CASE WHEN most <= 1500 THEN 'yes' ELSE 'no, ' || most END;
    most := 0;
    FOR i IN 1 .. 500 LOOP
        PERFORM weir.append_live_batch('live.n', (SELECT array_agg(to_jsonb(i * 20 + j)) FROM generate_series(1, 20) j), maxlen_floor => 50, maxlen_ceiling => 50);
        COMMIT;
        IF i % 10 = 0 THEN
            most := greatest(most, pg_temp.physical('live.n'));
        END IF;
    END LOOP;
    RAISE NOTICE 'in batches trimmed meanwhile: %', CASE WHEN most <= 5000 THEN 'yes' ELSE 'no, ' || most END;
END
$$;
SELECT pg_temp.becomes($$ SELECT pg_temp.physical('live.m') <= 150 AND pg_temp.physical('live.n') <= 150 $$) AS within_3_k;
-- What one transaction added cannot go before its end.
SELECT count(weir.append_live('live.o', to_jsonb(i), maxlen_floor => 50, maxlen_ceiling => 50)) FROM generate_series(1, 3000) i;
SELECT pg_temp.becomes($$ SELECT pg_temp.physical('live.o') <= 150 $$) AS caught_up;
-- What has outlived its ttl goes as well when others follow.
SELECT count(weir.append_live('live.p', to_jsonb(i), ttl_ms => 1, maxlen_floor => 100000, maxlen_ceiling => 100000)) FROM generate_series(1, 2000) i;
SELECT pg_temp.becomes($$ SELECT count(*) = 0 FROM weir.read('live.p') $$) AS expired;
SELECT count(weir.append_live('live.p', to_jsonb(i), ttl_ms => 60000, maxlen_floor => 100000, maxlen_ceiling => 100000)) FROM generate_series(1, 1000) i;
SELECT pg_temp.becomes($$ SELECT pg_temp.physical('live.p') < 2500 $$) AS expired_were_trimmed;
SELECT count(*) AS live FROM weir.read('live.p');

-- Rollback: a best-effort frame of an aborted transaction is not there.
BEGIN;
SELECT weir.append_live('live.q', '1') IS NOT NULL AS done;
ROLLBACK;
SELECT weir.append_live('live.q', '2') IS NOT NULL AS done;
SELECT payload FROM weir.read('live.q');
SELECT mode FROM weir.read('live.q', visibility => 'all');
-- Nor does it push out others: the newest five that were committed stay.
SELECT count(weir.append_live('live.r', to_jsonb(i), maxlen_floor => 5, maxlen_ceiling => 5)) FROM generate_series(1, 5) i;
BEGIN;
SELECT count(weir.append_live('live.r', to_jsonb(i), maxlen_floor => 5, maxlen_ceiling => 5)) FROM generate_series(6, 26) i;
ROLLBACK;
SELECT array_agg(payload ORDER BY id) FROM weir.read('live.r');
SELECT weir.append_live('live.r', '27', maxlen_floor => 5, maxlen_ceiling => 5) IS NOT NULL AS done;
SELECT array_agg(payload ORDER BY id) FROM weir.read('live.r');
-- Trimming costs a frame as much as the last one, in a long transaction as well: it does not go through what it trimmed.
SELECT pg_stat_force_next_flush();
SELECT idx_tup_read AS before FROM pg_stat_all_indexes WHERE indexrelname = 'frame_live_pkey' \gset
DO $$
BEGIN
    FOR i IN 1 .. 10000 LOOP
        PERFORM weir.append_live('live.s', to_jsonb(i), maxlen_floor => 64, maxlen_ceiling => 64);
    END LOOP;
END
$$;
SELECT pg_stat_force_next_flush();
SELECT idx_tup_read - :before < 50000 AS few_entries_read FROM pg_stat_all_indexes WHERE indexrelname = 'frame_live_pkey';
-- The table of best-effort frames writes no WAL, the other does.
SELECT relname, relpersistence FROM pg_class WHERE oid IN ('weir.frame_live'::regclass, 'weir.frame_log'::regclass) ORDER BY relname;

DROP TABLE seen;
SELECT bool_and(weir.drop_stream(name)) AS dropped FROM weir.streams WHERE name LIKE 'live.%';
SELECT count(*) AS left_behind FROM weir.frame_live l WHERE NOT EXISTS (SELECT FROM weir.registry s WHERE s.id = l.stream_id);
