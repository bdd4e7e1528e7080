-- SPDX-License-Identifier: PostgreSQL
-- Claim: stream_info and the view weir.streams say of a stream what counting its
-- frames says: retained and lifetime counts and bytes, first and last, best
-- effort, version, closed; through appends, rollbacks and trims, at any size,
-- and without a scan of the stream.

-- Unknown: no row. Created: a row of zeros.
SELECT count(*) AS unknown FROM weir.stream_info('info.never');
SELECT weir.create_stream('info.a');
SELECT stream, frames, lifetime_frames, bytes, lifetime_bytes, best_effort_frames, rate_hz, closed, close_reason FROM weir.stream_info('info.a');

-- Against a count after each of many random steps.
CREATE TEMP TABLE wrong (i integer, what text);
DO $$
DECLARE
    s record;
    r record;
    lifetime bigint := 0;
    patches bigint := 0;
    removed bigint;
BEGIN
    FOR i IN 1 .. 400 LOOP
        CASE i * 7919 % 11
            WHEN 0, 1, 2, 3 THEN
                PERFORM weir.append('info.a', to_jsonb(repeat('x', i)));
                lifetime := lifetime + 1;
            WHEN 4, 5 THEN
                PERFORM weir.append_text_batch('info.a', ARRAY['a', 'bb', 'ccc']::text[], 't', '{"h": 1}');
                lifetime := lifetime + 3;
            WHEN 6 THEN
                PERFORM weir.append_patch('info.a', jsonb_build_object('i', i));
                lifetime := lifetime + 1;
                patches := patches + 1;
            WHEN 7 THEN
                PERFORM weir.append('info.a', '"rolled back"');
                ROLLBACK;
            WHEN 8 THEN
                PERFORM weir.append_bytes('info.a', '\x00ff');
                lifetime := lifetime + 1;
            WHEN 9 THEN
                IF i % 2 = 0 THEN
                    PERFORM weir.trim('info.a', keep => 20);
                END IF;
            ELSE
                PERFORM weir.trim('info.a', keep => 5);
                ROLLBACK;
        END CASE;
        COMMIT;
        SELECT * INTO s FROM weir.stream_info('info.a');
        SELECT count(*) AS frames, min(id) AS first_id, max(id) AS last_id INTO r FROM weir.read('info.a', max => 10000);
        IF s.frames <> r.frames THEN INSERT INTO wrong VALUES (i, format('frames %s for %s', s.frames, r.frames)); END IF;
        IF s.lifetime_frames <> lifetime THEN INSERT INTO wrong VALUES (i, format('lifetime %s for %s', s.lifetime_frames, lifetime)); END IF;
        IF s.first_id::bigint <> r.first_id::bigint OR s.last_id::bigint <> r.last_id::bigint THEN INSERT INTO wrong VALUES (i, 'first or last'); END IF;
        IF s.bytes > s.lifetime_bytes OR s.bytes < r.frames THEN INSERT INTO wrong VALUES (i, 'bytes'); END IF;
        IF coalesce(s.version, 0) < patches THEN INSERT INTO wrong VALUES (i, format('version %s for %s', s.version, patches)); END IF;
        IF s.closed OR s.best_effort_frames <> 0 THEN INSERT INTO wrong VALUES (i, 'closed or best effort'); END IF;
        COMMIT;
    END LOOP;
END
$$;
SELECT * FROM wrong ORDER BY i LIMIT 5;
SELECT version = (SELECT version FROM weir.summary('info.a')) AS version_is_the_summary_s FROM weir.stream_info('info.a');
-- Trimmed bytes go, lifetime bytes stay.
SELECT bytes AS before, lifetime_bytes AS ever FROM weir.stream_info('info.a') \gset
SELECT weir.trim('info.a', keep => 0) > 0 AS trimmed;
SELECT frames, bytes, lifetime_bytes = :ever AS same_lifetime, first_id IS NULL AS no_first FROM weir.stream_info('info.a');

-- Best effort is counted apart as well, and only while it is there; a close mark is no frame.
SELECT weir.create_stream('info.b', maxlen_floor => 5, maxlen_ceiling => 5);
SELECT count(weir.append_best_effort('info.b', to_jsonb(i))) FROM generate_series(1, 20) i;
SELECT weir.append('info.b', '1') IS NOT NULL AS done;
SELECT frames, best_effort_frames, maxlen, rate_hz >= 0 AS rate_known, last_id = weir.head('info.b') AS last_is_head, closed FROM weir.stream_info('info.b');
SELECT weir.close('info.b', 'why') IS NOT NULL AS closed;
SELECT closed, close_reason, best_effort_frames FROM weir.stream_info('info.b');

-- Own frames count within the transaction; lead is no lead where the clock is right.
BEGIN;
SELECT weir.append('info.c', '1') IS NOT NULL AS done;
SELECT stream, frames, lifetime_frames FROM weir.stream_info('info.c');
ROLLBACK;
SELECT count(*) AS rolled_back FROM weir.stream_info('info.c');
SELECT weir.append('info.c', '1') IS NOT NULL AS done;
SELECT lead_ms BETWEEN 0 AND 60000 AS lead FROM weir.stream_info('info.c');

-- The view: one row a stream, the same figures.
SELECT stream, frames, closed FROM weir.streams WHERE stream LIKE 'info.%' ORDER BY stream;
SELECT count(*) AS differing FROM weir.streams s, weir.stream_info(s.stream) i
WHERE s.stream LIKE 'info.%' AND (s.frames, s.lifetime_frames, s.bytes, s.best_effort_frames, s.version, s.closed) IS DISTINCT FROM (i.frames, i.lifetime_frames, i.bytes, i.best_effort_frames, i.version, i.closed);

-- A stream of 50,000: right, and again right after the counts were kept.
SELECT count(weir.append_batch('info.d', (SELECT array_agg(to_jsonb(j)) FROM generate_series(1, 10000) j))) FROM generate_series(1, 5) i;
SELECT frames, lifetime_frames FROM weir.stream_info('info.d');
SELECT frames, lifetime_frames FROM weir.stream_info('info.d');
SELECT weir.append('info.d', '1') IS NOT NULL AS done;
SELECT frames, lifetime_frames FROM weir.stream_info('info.d');
BEGIN;
SELECT frames FROM weir.append_batch('info.d', (SELECT array_agg(to_jsonb(j)) FROM generate_series(1, 10000) j));
SELECT frames, lifetime_frames FROM weir.stream_info('info.d');
ROLLBACK;
SELECT frames, lifetime_frames FROM weir.stream_info('info.d');
SELECT weir.trim('info.d', keep => 49999);
SELECT frames, lifetime_frames FROM weir.stream_info('info.d');
-- Read-only transactions may ask.
BEGIN READ ONLY;
SELECT frames FROM weir.stream_info('info.d');
SELECT count(*) >= 4 AS listed FROM weir.streams;
COMMIT;
\set VERBOSITY sqlstate
SELECT * FROM weir.stream_info(NULL);
SELECT * FROM weir.stream_info('');
\set VERBOSITY default

DROP TABLE wrong;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'info.%';
