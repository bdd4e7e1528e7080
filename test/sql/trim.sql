-- SPDX-License-Identifier: PostgreSQL
-- Claim: trim removes the oldest settled frames and only those, says how many,
-- belongs to its transaction, never brings an id back and leaves the summary,
-- the counts and every cursor in order.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.payloads(name text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(payload::text, ' ' ORDER BY id) FROM weir.read(name) $$;

-- keep: the newest n stay.
CREATE TEMP TABLE f AS SELECT i AS n, weir.append('trim.a', to_jsonb(i)) AS id FROM generate_series(1, 10) i;
SELECT weir.trim('trim.a', keep => 20) AS nothing, weir.trim('trim.a', keep => 10) AS nothing_either;
SELECT weir.trim('trim.a', keep => 7) AS three, pg_temp.payloads('trim.a') IS NOT NULL AS readable;
SELECT pg_temp.payloads('trim.a');
-- before: exclusive; no frame needs to stand there.
SELECT weir.trim('trim.a', before => (SELECT id FROM f WHERE n = 6)) AS two;
SELECT pg_temp.payloads('trim.a');
SELECT weir.trim('trim.a', before => (SELECT (id::bigint + 1)::weir.position FROM f WHERE n = 6)) AS one;
SELECT pg_temp.payloads('trim.a');
SELECT weir.trim('trim.a', before => '-') AS nothing, weir.trim('trim.a', before => (SELECT id FROM f WHERE n = 2)) AS nothing_there;
-- A cursor within what was trimmed has missed something, one at its edge has not.
\set VERBOSITY sqlstate
SELECT array_agg(payload) FROM weir.read('trim.a', after => (SELECT id FROM f WHERE n = 2));
\set VERBOSITY default
SELECT array_agg(payload) FROM weir.read('trim.a', after => (SELECT id FROM f WHERE n = 6));
SELECT array_agg(payload) FROM weir.read('trim.a', after => (SELECT id FROM f WHERE n = 8));
SELECT array_agg(payload) FROM weir.read('trim.a', reverse => true, upto => (SELECT id FROM f WHERE n = 8));
SELECT frames, lifetime_frames, first_id = (SELECT id FROM f WHERE n = 7) AS first, last_id = (SELECT id FROM f WHERE n = 10) AS last
FROM weir.stream_info('trim.a');

-- All of it: the stream remains, cursors and head still mean what they meant.
SELECT weir.trim('trim.a', before => '+') AS four;
SELECT count(*) AS frames FROM weir.read('trim.a');
SELECT stream, frames, lifetime_frames FROM weir.stream_info('trim.a');
SELECT count(*) AS cursor_is_not_ahead FROM weir.read('trim.a', after => (SELECT id FROM f WHERE n = 10));
SELECT weir.head('trim.a') AS h \gset
SELECT :'h'::weir.position >= (SELECT id FROM f WHERE n = 10) AS head_holds;
SELECT weir.trim('trim.a', keep => 0) AS nothing;
SELECT weir.append('trim.a', '11') > (SELECT id FROM f WHERE n = 10) AS above;
SELECT payload FROM weir.read('trim.a', after => (SELECT id FROM f WHERE n = 10));
SELECT payload AS from_the_head FROM weir.read('trim.a', after => :'h');
SELECT frames, lifetime_frames FROM weir.stream_info('trim.a');

-- Part of its transaction.
SELECT count(weir.append('trim.b', to_jsonb(i))) FROM generate_series(1, 5) i;
BEGIN;
SELECT weir.trim('trim.b', keep => 2);
SELECT pg_temp.payloads('trim.b');
SELECT frames FROM weir.stream_info('trim.b');
ROLLBACK;
SELECT pg_temp.payloads('trim.b');
BEGIN;
SAVEPOINT s;
SELECT weir.trim('trim.b', keep => 0);
ROLLBACK TO s;
SELECT weir.trim('trim.b', keep => 4);
COMMIT;
SELECT pg_temp.payloads('trim.b');
SELECT frames, lifetime_frames FROM weir.stream_info('trim.b');
-- Own frames of the running transaction are the newest and stay in place.
BEGIN;
SELECT count(weir.append('trim.b', to_jsonb(i))) FROM generate_series(6, 7) i;
SELECT weir.trim('trim.b', keep => 3) AS removed;
SELECT pg_temp.payloads('trim.b');
COMMIT;
SELECT pg_temp.payloads('trim.b');
SELECT frames, lifetime_frames FROM weir.stream_info('trim.b');

-- All modes; the rolling document lives on.
SELECT weir.append('trim.c', '1') IS NOT NULL AS done;
SELECT summary_version FROM weir.append_patch('trim.c', '{"a": 1}');
SELECT weir.append_best_effort('trim.c', '3') IS NOT NULL AS done;
SELECT weir.append('trim.c', '4') AS four \gset
SELECT weir.append_best_effort('trim.c', '5') IS NOT NULL AS done;
SELECT weir.trim('trim.c', before => :'four') >= 2 AS older_ones;
SELECT mode, payload FROM weir.read('trim.c');
SELECT document, version FROM weir.summary('trim.c');
SELECT weir.trim('trim.c', before => '+') >= 1 AS the_rest;
SELECT mode, payload FROM weir.read('trim.c');
SELECT document, version FROM weir.summary('trim.c');
SELECT summary_version FROM weir.append_patch('trim.c', '{"b": 2}');
SELECT document, version FROM weir.summary('trim.c');
-- Lifetime counts stay, whatever mode the trimmed frames had.
SELECT count(weir.append_best_effort('trim.f', to_jsonb(i))) FROM generate_series(1, 20) i;
SELECT count(weir.append('trim.f', to_jsonb(i))) FROM generate_series(1, 20) i;
SELECT frames, lifetime_frames FROM weir.stream_info('trim.f');
SELECT weir.trim('trim.f', keep => 5) AS removed;
SELECT frames, lifetime_frames FROM weir.stream_info('trim.f');
SELECT weir.trim('trim.f', keep => 0) AS removed;
SELECT frames, lifetime_frames FROM weir.stream_info('trim.f');
SELECT weir.append_best_effort('trim.f', '41') IS NOT NULL AS done;
SELECT frames, lifetime_frames FROM weir.stream_info('trim.f');
-- Large streams, in one call; pages afterwards are whole.
SELECT frames FROM weir.append_batch('trim.d', (SELECT array_agg(to_jsonb(i) ORDER BY i) FROM generate_series(1, 10000) i));
SELECT weir.trim('trim.d', keep => 5) AS removed;
SELECT pg_temp.payloads('trim.d');
SELECT frames, lifetime_frames, bytes < lifetime_bytes AS bytes_fell FROM weir.stream_info('trim.d');
-- After vacuum took the rows away, ids still rise.
SELECT weir.append('trim.e', '1') AS one \gset
SELECT weir.trim('trim.e', keep => 0);
VACUUM weir.frame_log;
SELECT count(*) AS cursor_is_not_ahead FROM weir.read('trim.e', after => :'one');
SELECT weir.append('trim.e', '2') > :'one' AS above;
SELECT weir.head('trim.e') > :'one' AS head_above;
SELECT payload FROM weir.read('trim.e', after => :'one');

-- Unknown streams and bad input.
SELECT weir.trim('trim.never', keep => 0) AS unknown, weir.trim('trim.never', before => '+') AS unknown_too;
SELECT count(*) AS not_created FROM weir.streams WHERE stream = 'trim.never';
SELECT n, pg_temp.state_of('SELECT weir.trim(' || call || ')') AS sqlstate
FROM (VALUES (1, '''trim.b'''), (2, '''trim.b'', keep => 1, before => ''1-1'''), (3, '''trim.b'', keep => -1'), (4, '''trim.b'', keep => -9223372036854775808'),
             (5, 'NULL, keep => 1'), (6, ''''', keep => 1'), (7, ''' '', keep => 1'), (8, 'repeat(''x'', 513), keep => 1'), (9, '''trim.b'', NULL, NULL')) v(n, call) ORDER BY n;
SELECT weir.trim('trim.b', keep => 9223372036854775807) AS keep_all;
SELECT weir.trim('trim.b');
SELECT weir.trim('trim.b', keep => -1);
SELECT pg_temp.payloads('trim.b');

DROP TABLE f;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'trim.%';
