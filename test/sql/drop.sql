-- SPDX-License-Identifier: PostgreSQL
-- Claim: drop_stream removes a stream with all it had, in the transaction that
-- called it; the name used again is a new stream: open, version 1, no key
-- remembered, the default sentinel, and every id above all that the old one gave out.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.rows_of(ids bigint[]) RETURNS TABLE (log bigint, best_effort bigint, checkpoints bigint, keys bigint) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM weir.frame_log WHERE stream_id = ANY (ids) AND (payload IS NOT NULL OR bytes IS NOT NULL)), (SELECT count(*) FROM weir.frame_best_effort WHERE stream_id = ANY (ids)),
           (SELECT count(*) FROM weir.checkpoint WHERE stream_id = ANY (ids)), (SELECT count(*) FROM weir.idempotency WHERE stream_id = ANY (ids))
$$;

SELECT weir.drop_stream('drop.never') AS unknown;

-- A stream with everything a stream can have.
SELECT weir.create_stream('drop.a', '<nil>');
SELECT weir.append('drop.a', '1', idempotency_key => 'key') AS first \gset
SELECT summary_version FROM weir.append_patch('drop.a', '{"a": "<nil>"}');
SELECT summary_version FROM weir.append_patch('drop.a', '{"b": 1}');
SELECT weir.append_best_effort('drop.a', '4', ttl => '86400000 ms') IS NOT NULL AS done;
SELECT weir.close('drop.a', 'over') AS last \gset
SELECT array_agg(DISTINCT id) AS ids FROM weir.registry WHERE name = 'drop.a' \gset
SELECT weir.drop_stream('drop.a') AS dropped;
SELECT count(*) AS frames FROM weir.read('drop.a');
SELECT count(*) AS frames FROM weir.read('drop.a', after => :'first');
SELECT count(*) AS reverse FROM weir.read('drop.a', reverse => true);
SELECT count(*) AS summaries FROM weir.summary('drop.a');
SELECT count(*) AS infos FROM weir.stream_info('drop.a');
SELECT count(*) AS listed FROM weir.streams WHERE stream = 'drop.a';
SELECT weir.head('drop.a') AS h \gset
SELECT weir.drop_stream('drop.a') AS dropped_again;
SELECT weir.trim('drop.a', keep => 0) AS trimmed;
SELECT weir.drop_stream('drop.a') AS dropped_after_trim;
-- Not more than a mark is left.
SELECT * FROM pg_temp.rows_of(:'ids');

-- Used again: a new stream above the old one, and a cursor of the old one reads all of it.
SELECT weir.append('drop.a', '"new"', idempotency_key => 'key') AS again \gset
SELECT :'again'::weir.position > :'last' AS above_every_old_id;
SELECT mode, payload FROM weir.read('drop.a');
SELECT mode, payload FROM weir.read('drop.a', after => :'last');
SELECT mode, payload FROM weir.read('drop.a', after => :'h');
SELECT frames, lifetime_frames, closed, close_reason FROM weir.stream_info('drop.a');
SELECT summary_version FROM weir.append_patch('drop.a', '{"s": "<nil>", "d": "__weir_null__"}');
SELECT document, version FROM weir.summary('drop.a');
SELECT count(*) AS listed FROM weir.streams WHERE stream = 'drop.a';

-- What the old one's best-effort frames said of rate, count and K is gone with them.
SELECT weir.create_stream('drop.f', maxlen_ceiling => 1000000);
SELECT count(weir.append_best_effort('drop.f', to_jsonb(i))) FROM generate_series(1, 1000) i;
SELECT lifetime_frames, maxlen > 64 AS fast FROM weir.stream_info('drop.f');
SELECT weir.drop_stream('drop.f') AS dropped;
SELECT weir.append('drop.f', '1') IS NOT NULL AS done, weir.append_best_effort('drop.f', '2') IS NOT NULL AS done;
SELECT frames, lifetime_frames, best_effort_frames, maxlen FROM weir.stream_info('drop.f');

-- Nor do those count that were rolled back before the drop, which cannot delete them.
SELECT weir.create_stream('drop.g', maxlen_ceiling => 1000000);
SELECT count(weir.append_best_effort('drop.g', to_jsonb(i))) FROM generate_series(1, 1000) i;
BEGIN;
SELECT weir.append_best_effort('drop.g', '"rolled back"') IS NOT NULL AS done;
ROLLBACK;
SELECT weir.drop_stream('drop.g') AS dropped;
SELECT weir.append('drop.g', '1') IS NOT NULL AS done, weir.append_best_effort('drop.g', '1') IS NOT NULL AS done;
SELECT frames, lifetime_frames, maxlen FROM weir.stream_info('drop.g');
SELECT weir.append_best_effort('drop.h', '1') IS NOT NULL AS done;
BEGIN;
SELECT weir.trim('drop.h', keep => 0) AS trimmed;
ROLLBACK;
SELECT weir.drop_stream('drop.h') AS dropped;
SELECT weir.append('drop.h', '1') IS NOT NULL AS done, weir.append_best_effort('drop.h', '1') IS NOT NULL AS done;
SELECT frames, lifetime_frames FROM weir.stream_info('drop.h');

-- A name is forgotten a day after the drop, by the housekeeper (not before it is asked to here); those in use again
-- are kept, however many, and keep no others waiting.
SELECT count(weir.append('drop.revived' || i, '1')), count(weir.append('drop.old' || i, '1')) FROM generate_series(1, 20) i;
SELECT bool_and(weir.drop_stream('drop.revived' || i)) AND bool_and(weir.drop_stream('drop.old' || i)) AS dropped FROM generate_series(1, 20) i;
SELECT count(weir.append('drop.revived' || i, '2')) FROM generate_series(1, 20) i;
UPDATE weir.registry SET dropped_at = CASE WHEN name LIKE 'drop.old%' THEN '2000-0' ELSE '1000-0' END::weir.position WHERE name ~ '^drop.(old|revived)';
SELECT steps > 1 AS several_steps, failures, last_error FROM weir.housekeep('names');
SELECT count(*) FILTER (WHERE name LIKE 'drop.old%') AS forgotten, count(*) FILTER (WHERE name LIKE 'drop.revived%') AS kept FROM weir.registry;
SELECT count(*) AS frames FROM generate_series(1, 20) i, weir.read('drop.revived' || i) WHERE payload = '2';

-- Over and over, in one transaction as well.
BEGIN;
SELECT weir.append('drop.b', '1') AS b1 \gset
SELECT weir.drop_stream('drop.b') AS dropped;
SELECT count(*) AS frames FROM weir.read('drop.b');
SELECT weir.append('drop.b', '2') AS b2 \gset
SELECT payload FROM weir.read('drop.b');
SELECT weir.drop_stream('drop.b') AS dropped, weir.drop_stream('drop.b') AS nothing_left;
SELECT weir.append('drop.b', '3') AS b3 \gset
COMMIT;
SELECT :'b1'::weir.position < :'b2' AND :'b2'::weir.position < :'b3' AS ids_rise;
SELECT payload FROM weir.read('drop.b');
DO $$
DECLARE
    last weir.position := '-';
    p weir.position;
BEGIN
    FOR i IN 1 .. 200 LOOP
        p := weir.append('drop.c', to_jsonb(i));
        ASSERT p > last, 'an id went back';
        ASSERT (SELECT array_agg(payload) FROM weir.read('drop.c')) = ARRAY[to_jsonb(i)], 'frames of the old stream';
        last := p;
        ASSERT weir.drop_stream('drop.c');
        IF i % 3 > 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$$;
SELECT count(*) AS listed FROM weir.streams WHERE stream = 'drop.c';

-- Rolled back, it was not dropped.
SELECT weir.append('drop.d', '1') IS NOT NULL AS done;
BEGIN;
SELECT weir.drop_stream('drop.d') AS dropped;
SELECT weir.append('drop.d', '"other"') IS NOT NULL AS done;
SELECT payload FROM weir.read('drop.d');
ROLLBACK;
SELECT weir.append('drop.d', '2') IS NOT NULL AS done;
SELECT payload FROM weir.read('drop.d');
BEGIN;
SAVEPOINT s;
SELECT weir.drop_stream('drop.d') AS dropped;
ROLLBACK TO s;
SELECT weir.append('drop.d', '3') IS NOT NULL AS done;
COMMIT;
SELECT payload FROM weir.read('drop.d');

-- create_stream after a drop; create_stream of what exists.
SELECT weir.drop_stream('drop.d') AS dropped;
SELECT weir.create_stream('drop.d');
SELECT count(*) AS frames FROM weir.read('drop.d');
SELECT stream, frames, closed FROM weir.stream_info('drop.d');
SELECT weir.create_stream('drop.d');
SELECT pg_temp.state_of('SELECT weir.create_stream(''drop.b'')') AS by_append;
SELECT weir.drop_stream('drop.d') AS dropped_without_a_frame;
-- A stream of ten thousand goes with one call.
SELECT frames FROM weir.append_batch('drop.e', (SELECT array_agg(to_jsonb(i)) FROM generate_series(1, 10000) i));
SELECT array_agg(DISTINCT id) AS ids FROM weir.registry WHERE name = 'drop.e' \gset
SELECT weir.drop_stream('drop.e') AS dropped;
SELECT * FROM pg_temp.rows_of(:'ids');

SELECT pg_temp.state_of('SELECT weir.drop_stream(NULL)') AS null_stream, pg_temp.state_of('SELECT weir.drop_stream('''')') AS empty,
       pg_temp.state_of(E'SELECT weir.drop_stream(E'' \\t\\n'')') AS blank, pg_temp.state_of('SELECT weir.drop_stream(repeat(''x'', 513))') AS long;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'drop.%';
