-- SPDX-License-Identifier: PostgreSQL
-- Claim: a best-effort stream keeps the newest K frames that are younger than
-- their ttl, exactly, at every read, K = clamp(2 ceil(rate ttl), floor, ceiling)
-- as of its newest frame; the table behind it stays within 3 K; and no
-- best-effort append ever removes a durable frame.
SET weir.housekeeping = on;

CREATE FUNCTION pg_temp.physical(name text) RETURNS bigint LANGUAGE sql AS
$$ SELECT count(*) FROM weir.frame_best_effort WHERE stream_id IN (SELECT s.id FROM weir.registry s WHERE s.name = $1) $$;
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
SELECT weir.create_stream('best_effort.a', maxlen_floor => 10, maxlen_ceiling => 10);
DO $$
BEGIN
    FOR i IN 1 .. 300 LOOP
        PERFORM weir.append_best_effort('best_effort.a', to_jsonb(i));
        COMMIT;
        INSERT INTO seen SELECT i, min(payload::text::integer), max(payload::text::integer), count(*) FROM weir.read('best_effort.a');
        COMMIT;
    END LOOP;
END
$$;
SELECT count(*) AS steps, count(*) FILTER (WHERE frames <> least(n, 10) OR last <> n OR first <> greatest(1, n - 9)) AS wrong FROM seen;
SELECT payload FROM weir.read('best_effort.a', reverse => true, max => 3);
SELECT payload FROM weir.read('best_effort.a', max => 3);
SELECT maxlen, best_effort_frames, rate_hz >= 0 AS rate_known FROM weir.stream_info('best_effort.a');
-- The newest frame's K counts, not the largest so far.
SELECT weir.alter_stream('best_effort.a', maxlen_floor => 5, maxlen_ceiling => 5);
SELECT weir.append_best_effort('best_effort.a', '301') IS NOT NULL AS done;
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('best_effort.a');
SELECT weir.alter_stream('best_effort.a', maxlen_floor => 1, maxlen_ceiling => 1);
SELECT weir.append_best_effort('best_effort.a', '302') IS NOT NULL AS done;
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('best_effort.a');
-- And grows again; what is read is always the newest without a hole.
SELECT weir.alter_stream('best_effort.a', maxlen_floor => 100, maxlen_ceiling => 100);
SELECT weir.append_best_effort('best_effort.a', '303') IS NOT NULL AS done;
SELECT max(payload::text::integer) AS newest, count(*) BETWEEN 2 AND 100 AS at_most_k, max(payload::text::integer) - min(payload::text::integer) + 1 = count(*) AS no_hole FROM weir.read('best_effort.a');

-- Batches count each frame, and a batch longer than K keeps its newest K.
SELECT weir.create_stream('best_effort.b', maxlen_floor => 7, maxlen_ceiling => 7);
SELECT frames FROM weir.append_best_effort_batch('best_effort.b', (SELECT array_agg(to_jsonb(i) ORDER BY i) FROM generate_series(1, 1000) i));
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('best_effort.b');
SELECT frames FROM weir.append_best_effort_batch('best_effort.b', (SELECT array_agg(to_jsonb(i) ORDER BY i) FROM generate_series(1001, 1003) i));
SELECT array_agg(payload::text::integer ORDER BY id) FROM weir.read('best_effort.b');

-- Defaults: floor 64, ceiling 16384, ttl 30 s.
SELECT weir.append_best_effort('best_effort.c', '1') IS NOT NULL AS done;
SELECT maxlen FROM weir.stream_info('best_effort.c');
-- 256 fast frames raise K above its floor; 512 with a ceiling of 256 hold it there.
SELECT count(weir.append_best_effort('best_effort.d', to_jsonb(i), ttl => '30000 ms')) FROM generate_series(1, 256) i;
SELECT maxlen > 64 AS above_floor, maxlen <= 16384 AS within_ceiling, rate_hz > 1 AS fast FROM weir.stream_info('best_effort.d');
SELECT weir.create_stream('best_effort.e', maxlen_ceiling => 256);
SELECT count(weir.append_best_effort('best_effort.e', to_jsonb(i))) FROM generate_series(1, 512) i;
SELECT maxlen, rate_hz > 1 AS fast FROM weir.stream_info('best_effort.e');
SELECT count(*), min(payload::text::integer), max(payload::text::integer) FROM weir.read('best_effort.e');
-- 100 within five seconds: at least the floor, at most all of them.
SELECT weir.create_stream('best_effort.f', frame_ttl => '5 seconds');
SELECT count(weir.append_best_effort('best_effort.f', to_jsonb(i))) FROM generate_series(1, 100) i;
SELECT best_effort_frames BETWEEN 64 AND 100 AS retained FROM weir.stream_info('best_effort.f');
-- One batch of a single millisecond is not a rate of zero: the next K holds it.
SELECT weir.create_stream('best_effort.g', frame_ttl => '1 minute', maxlen_ceiling => 1000000);
SELECT frames FROM weir.append_best_effort_batch('best_effort.g', (SELECT array_agg(to_jsonb(i)) FROM generate_series(1, 10000) i));
SELECT weir.append_best_effort('best_effort.g', '0') IS NOT NULL AS done;
SELECT maxlen > 10000 AS holds_the_burst FROM weir.stream_info('best_effort.g');
SELECT count(*) FROM weir.read('best_effort.g', max => 10000);
-- The rate decays while nothing is written.
SELECT rate_hz AS before FROM weir.stream_info('best_effort.d') \gset
SELECT pg_temp.becomes(format('SELECT rate_hz < %L::float8 / 2 FROM weir.stream_info(''best_effort.d'')', :'before')) AS decays;

-- ttl: each frame its own, exact at read.
SELECT weir.append_best_effort('best_effort.h', '"short"', ttl => '1 ms') IS NOT NULL AS done;
SELECT weir.append_best_effort('best_effort.h', '"long"', ttl => '86400000 ms') IS NOT NULL AS done;
SELECT pg_temp.becomes($$ SELECT count(*) = 1 FROM weir.read('best_effort.h') $$) AS short_one_went;
SELECT payload FROM weir.read('best_effort.h');
SELECT payload FROM weir.read('best_effort.h', reverse => true);
SELECT best_effort_frames FROM weir.stream_info('best_effort.h');
SELECT weir.append_best_effort('best_effort.i', '"only"', ttl => '1 ms') AS gone \gset
SELECT pg_temp.becomes($$ SELECT count(*) = 0 FROM weir.read('best_effort.i') $$) AS all_went;
-- A cursor on the frame that expired goes on; ids do not go back.
SELECT count(*) FROM weir.read('best_effort.i', after => :'gone');
SELECT weir.append_best_effort('best_effort.i', '"next"') > :'gone' AS above;
SELECT payload FROM weir.read('best_effort.i', after => :'gone');

-- Nobody pushes out others' frames by what he asks for his own.
SELECT count(weir.append_best_effort('best_effort.t', to_jsonb(i))) FROM generate_series(1, 1000) i;
SELECT best_effort_frames AS before FROM weir.stream_info('best_effort.t') \gset
SELECT weir.append_best_effort('best_effort.t', '0', ttl => '1 ms') IS NOT NULL AS done;
SELECT best_effort_frames >= :before - 1 AND :before > 64 AS all_there FROM weir.stream_info('best_effort.t');

-- Never a durable frame: 100 durable, then best effort with K = 1.
SELECT count(weir.append('best_effort.j', to_jsonb(i))) FROM generate_series(1, 100) i;
SELECT weir.alter_stream('best_effort.j', maxlen_floor => 1, maxlen_ceiling => 1);
SELECT count(weir.append_best_effort('best_effort.j', to_jsonb(i), ttl => '1 ms')) FROM generate_series(1, 500) i;
SELECT count(*) FILTER (WHERE mode = 'durable') AS durable, count(*) FILTER (WHERE mode = 'best_effort') <= 1 AS best_effort_at_most_one FROM weir.read('best_effort.j');
-- A durable one, fifty best effort, a durable one: both are there, and all that a filter leaves.
SELECT weir.append('best_effort.k', '"D0"') IS NOT NULL AS done;
SELECT count(weir.append_best_effort('best_effort.k', to_jsonb(i), ttl => '2000 ms')) FROM generate_series(1, 50) i;
SELECT weir.append('best_effort.k', '"D1"') IS NOT NULL AS done;
SELECT payload FROM weir.read('best_effort.k', visibility => 'exclude_best_effort');
SELECT count(*) FILTER (WHERE mode = 'durable') AS durable FROM weir.read('best_effort.k');
-- Durable frames do not use up K.
SELECT weir.create_stream('best_effort.l', maxlen_floor => 3, maxlen_ceiling => 3);
SELECT count(CASE i % 2 WHEN 0 THEN weir.append('best_effort.l', to_jsonb(i)) ELSE weir.append_best_effort('best_effort.l', to_jsonb(i)) END)
FROM generate_series(1, 40) i;
SELECT mode, count(*), min(payload::text::integer) FROM weir.read('best_effort.l') GROUP BY mode ORDER BY mode;

-- The table is trimmed while it grows, one by one and in batches: by the housekeeper, and where its requests
-- are not taken, by who appends. How near it stays to K is the scheduler's business, and measured in bench.
SELECT weir.create_stream('best_effort.m', maxlen_floor => 50, maxlen_ceiling => 50);
SELECT weir.create_stream('best_effort.n', maxlen_floor => 50, maxlen_ceiling => 50);
DO $$
DECLARE
    most bigint := 0;
BEGIN
    FOR i IN 1 .. 3000 LOOP
        PERFORM weir.append_best_effort('best_effort.m', to_jsonb(i));
        COMMIT;
        IF i % 10 = 0 THEN
            most := greatest(most, pg_temp.physical('best_effort.m'));
        END IF;
    END LOOP;
    RAISE NOTICE 'one by one trimmed meanwhile: %', CASE WHEN most <= 1500 THEN 'yes' ELSE 'no, ' || most END;
    most := 0;
    FOR i IN 1 .. 500 LOOP
        PERFORM weir.append_best_effort_batch('best_effort.n', (SELECT array_agg(to_jsonb(i * 20 + j)) FROM generate_series(1, 20) j));
        COMMIT;
        IF i % 10 = 0 THEN
            most := greatest(most, pg_temp.physical('best_effort.n'));
        END IF;
    END LOOP;
    RAISE NOTICE 'in batches trimmed meanwhile: %', CASE WHEN most <= 5000 THEN 'yes' ELSE 'no, ' || most END;
END
$$;
SELECT pg_temp.becomes($$ SELECT pg_temp.physical('best_effort.m') <= 150 AND pg_temp.physical('best_effort.n') <= 150 $$) AS within_3_k;
-- What one transaction added cannot go before its end.
SELECT weir.create_stream('best_effort.o', maxlen_floor => 50, maxlen_ceiling => 50);
SELECT count(weir.append_best_effort('best_effort.o', to_jsonb(i))) FROM generate_series(1, 3000) i;
SELECT pg_temp.becomes($$ SELECT pg_temp.physical('best_effort.o') <= 150 $$) AS caught_up;
-- What has outlived its ttl goes as well when others follow.
SELECT weir.create_stream('best_effort.p', maxlen_floor => 100000, maxlen_ceiling => 100000);
SELECT count(weir.append_best_effort('best_effort.p', to_jsonb(i), ttl => '1 ms')) FROM generate_series(1, 2000) i;
SELECT pg_temp.becomes($$ SELECT count(*) = 0 FROM weir.read('best_effort.p') $$) AS expired;
SELECT count(weir.append_best_effort('best_effort.p', to_jsonb(i), ttl => '60000 ms')) FROM generate_series(1, 1000) i;
SELECT pg_temp.becomes($$ SELECT pg_temp.physical('best_effort.p') < 2500 $$) AS expired_were_trimmed;
SELECT count(*) AS best_effort FROM weir.read('best_effort.p');

-- Rollback: a best-effort frame of an aborted transaction is not there.
BEGIN;
SELECT weir.append_best_effort('best_effort.q', '1') IS NOT NULL AS done;
ROLLBACK;
SELECT weir.append_best_effort('best_effort.q', '2') IS NOT NULL AS done;
SELECT payload FROM weir.read('best_effort.q');
SELECT mode FROM weir.read('best_effort.q', visibility => 'all');
-- Nor does it push out others: the newest five that were committed stay.
SELECT weir.create_stream('best_effort.r', maxlen_floor => 5, maxlen_ceiling => 5);
SELECT count(weir.append_best_effort('best_effort.r', to_jsonb(i))) FROM generate_series(1, 5) i;
BEGIN;
SELECT count(weir.append_best_effort('best_effort.r', to_jsonb(i))) FROM generate_series(6, 26) i;
ROLLBACK;
SELECT array_agg(payload ORDER BY id) FROM weir.read('best_effort.r');
SELECT weir.append_best_effort('best_effort.r', '27') IS NOT NULL AS done;
SELECT array_agg(payload ORDER BY id) FROM weir.read('best_effort.r');
-- Trimming costs a frame as much as the last one, in a long transaction as well: it does not go through what it trimmed.
SELECT pg_stat_force_next_flush();
SELECT idx_tup_read AS before FROM pg_stat_all_indexes WHERE indexrelname = 'frame_best_effort_pkey' \gset
SELECT weir.create_stream('best_effort.s', maxlen_floor => 64, maxlen_ceiling => 64);
DO $$
BEGIN
    FOR i IN 1 .. 10000 LOOP
        PERFORM weir.append_best_effort('best_effort.s', to_jsonb(i));
    END LOOP;
END
$$;
SELECT pg_stat_force_next_flush();
SELECT idx_tup_read - :before < 50000 AS few_entries_read FROM pg_stat_all_indexes WHERE indexrelname = 'frame_best_effort_pkey';
-- The table of best-effort frames writes no WAL, the other does.
SELECT relname, relpersistence FROM pg_class WHERE oid IN ('weir.frame_best_effort'::regclass, 'weir.frame_log'::regclass) ORDER BY relname;

DROP TABLE seen;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'best_effort.%';
SELECT count(*) AS left_behind FROM weir.frame_best_effort l WHERE NOT EXISTS (SELECT FROM weir.registry s WHERE s.id = l.stream_id);
