-- SPDX-License-Identifier: PostgreSQL
-- Claim: close is the last frame of a stream: delivered once, after every other,
-- through every filter, with its reason; nothing can be appended behind it, in
-- any form; closing again changes nothing; a rolled-back close never was.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;

SELECT weir.append('close.a', '1', 'x', '{"k": 1}') AS one \gset
SELECT weir.append_best_effort('close.a', '2', 'y') AS two \gset
SELECT weir.close('close.a', 'finished') AS mark \gset
SELECT :'mark'::weir.position > :'two' AS after_the_last;
SELECT mode, type, payload, bytes, headers, id = :'mark' AS is_mark FROM weir.read('close.a');
-- Once more, and with another reason: the first mark and the first reason.
SELECT weir.close('close.a') = :'mark' AS same, weir.close('close.a', 'other') = :'mark' AS same_again;
SELECT mode, payload FROM weir.read('close.a', reverse => true, max => 1);
SELECT count(*) AS marks FROM weir.read('close.a') WHERE mode = 'close';

-- Every form of append is refused.
SELECT form, pg_temp.state_of('SELECT weir.' || form) AS sqlstate
FROM (VALUES ('append(''close.a'', ''1'')'), ('append_text(''close.a'', ''1'')'), ('append_bytes(''close.a'', ''1'')'),
             ('append_batch(''close.a'', ARRAY[''1'']::jsonb[])'), ('append_text_batch(''close.a'', ARRAY[''1'']::text[])'),
             ('append_bytes_batch(''close.a'', ARRAY[''1'']::bytea[])'), ('append_patch(''close.a'', ''{}'')'),
             ('append_best_effort(''close.a'', ''1'')'), ('append_best_effort_text(''close.a'', ''1'')'), ('append_best_effort_bytes(''close.a'', ''1'')'),
             ('append_best_effort_batch(''close.a'', ARRAY[''1'']::jsonb[])'), ('append_best_effort_text_batch(''close.a'', ARRAY[''1'']::text[])'),
             ('append_best_effort_bytes_batch(''close.a'', ARRAY[''1'']::bytea[])'), ('append(''close.a'', ''1'', idempotency_key => ''k'')')) v(form);
SELECT weir.append('close.a', '1');
SELECT count(*) AS frames_as_before FROM weir.read('close.a');

-- The mark passes every filter: a reader that drops all else still learns the end.
SELECT what, count(*) AS frames, count(*) FILTER (WHERE mode = 'close') AS marks
FROM (SELECT 1 AS n, 'types' AS what, r.* FROM weir.read('close.a', types => '{absent}') r
      UNION ALL SELECT 2, 'headers', r.* FROM weir.read('close.a', headers => '{"k": 2}') r
      UNION ALL SELECT 3, 'visibility', r.* FROM weir.read('close.a', visibility => 'exclude_best_effort') r
      UNION ALL SELECT 4, 'all of them', r.* FROM weir.read('close.a', types => '{x}', headers => '{"k": 1}', visibility => 'exclude_best_effort') r
      UNION ALL SELECT 5, 'after the last frame', r.* FROM weir.read('close.a', after => :'two') r
      UNION ALL SELECT 6, 'after the mark', r.* FROM weir.read('close.a', after => :'mark') r
      UNION ALL SELECT 7, 'upto the last frame', r.* FROM weir.read('close.a', upto => :'two') r
      UNION ALL SELECT 8, 'reverse', r.* FROM weir.read('close.a', reverse => true, max => 1) r) all_of
GROUP BY n, what ORDER BY n;
SELECT stream, mode FROM weir.read_many(ARRAY['close.a'], types => '{absent}');
SELECT weir.head('close.a') = :'mark' AS head_is_mark;
SELECT closed, close_reason, last_id = :'mark' AS last_is_mark FROM weir.stream_info('close.a');

-- Without a reason; a reason of any text.
SELECT weir.append('close.b', '1') IS NOT NULL AS done, weir.close('close.b') IS NOT NULL AS closed;
SELECT mode, type, payload, headers FROM weir.read('close.b', reverse => true, max => 1);
SELECT closed, close_reason IS NULL AS no_reason FROM weir.stream_info('close.b');
SELECT weir.close('close.c', E'say "why"\n\\') IS NOT NULL AS closed;
SELECT payload, payload ->> 'reason' = E'say "why"\n\\' AS kept FROM weir.read('close.c');
-- A stream never written can be closed: the mark is its only frame.
SELECT weir.close('close.never', 'no use') IS NOT NULL AS closed;
SELECT mode, payload FROM weir.read('close.never');
SELECT pg_temp.state_of('SELECT weir.append(''close.never'', ''1'')') AS append;
SELECT stream, closed FROM weir.streams WHERE stream = 'close.never';
SELECT weir.create_stream('close.created');
SELECT weir.close('close.created') IS NOT NULL AS closed;
SELECT pg_temp.state_of('SELECT weir.append(''close.created'', ''1'')') AS append;

-- Within one transaction, and rolled back.
BEGIN;
SELECT weir.append('close.d', '1') IS NOT NULL AS done;
SELECT weir.close('close.d', 'maybe') IS NOT NULL AS closed;
SELECT mode, payload FROM weir.read('close.d');
SAVEPOINT s;
\set VERBOSITY sqlstate
SELECT weir.append('close.d', '2');
\set VERBOSITY default
ROLLBACK TO s;
SELECT closed FROM weir.stream_info('close.d');
ROLLBACK;
SELECT weir.append('close.d', '3') IS NOT NULL AS done;
BEGIN;
SAVEPOINT s;
SELECT weir.close('close.d', 'not this one') IS NOT NULL AS closed;
ROLLBACK TO s;
SELECT weir.append('close.d', '4') IS NOT NULL AS goes_on;
COMMIT;
SELECT weir.close('close.d', 'this one') IS NOT NULL AS closed;
SELECT mode, payload FROM weir.read('close.d');

-- The summary of a closed stream stays; trimming it opens nothing.
SELECT summary_version FROM weir.append_patch('close.e', '{"a": 1}');
SELECT weir.close('close.e', 'done') IS NOT NULL AS closed;
SELECT document, version FROM weir.summary('close.e');
SELECT weir.trim('close.e', keep => 0) >= 1 AS trimmed;
SELECT mode, payload FROM weir.read('close.e');
SELECT pg_temp.state_of('SELECT weir.append(''close.e'', ''1'')') AS append, pg_temp.state_of('SELECT weir.append_best_effort(''close.e'', ''1'')') AS append_best_effort,
       closed, close_reason FROM weir.stream_info('close.e');
SELECT document, version FROM weir.summary('close.e');
SELECT weir.close('close.e', 'again') IS NOT NULL AS still_idempotent;

-- A reason that is stored out of line, twice: nothing stays open.
SELECT weir.close('close.large', r) = weir.close('close.large', r) AS same
FROM (SELECT left(string_agg(md5(i::text), ''), 8000) AS r FROM generate_series(1, 250) i) large;
SELECT length(close_reason) FROM weir.stream_info('close.large');
-- A mark that somebody has locked, alone or together with others, is a mark all the same.
SELECT weir.close('close.locked') IS NOT NULL AS closed, weir.drop_stream('close.large') AS dropped;
BEGIN;
SELECT count(*) FROM (SELECT FROM weir.frame_log JOIN weir.registry r ON r.id = frame_log.stream_id WHERE name IN ('close.locked', 'close.large') FOR UPDATE OF frame_log) locked;
COMMIT;
SET statement_timeout = '10s';
SELECT pg_temp.state_of('SELECT weir.append(''close.locked'', ''1'')') AS locked, pg_temp.state_of('SELECT weir.append(''close.large'', ''1'')') AS dropped_and_locked;
BEGIN;
SELECT count(*) FROM (SELECT FROM weir.frame_log JOIN weir.registry r ON r.id = frame_log.stream_id WHERE name = 'close.locked' FOR KEY SHARE OF frame_log) locked;
SAVEPOINT s;
SELECT count(*) FROM (SELECT FROM weir.frame_log JOIN weir.registry r ON r.id = frame_log.stream_id WHERE name = 'close.locked' FOR UPDATE OF frame_log) locked;
RELEASE s;
SELECT pg_temp.state_of('SELECT weir.append_best_effort(''close.locked'', ''1'')') AS locked;
COMMIT;
SELECT pg_temp.state_of('SELECT weir.append(''close.locked'', ''1'')') AS locked_twice;
RESET statement_timeout;

-- Bad input.
SELECT pg_temp.state_of('SELECT weir.close(NULL)') AS null_stream, pg_temp.state_of('SELECT weir.close('''')') AS empty,
       pg_temp.state_of('SELECT weir.close(''  '')') AS blank, pg_temp.state_of('SELECT weir.close(repeat(''x'', 513))') AS long,
       pg_temp.state_of('SELECT weir.close(''close.big'', repeat(''x'', 2000000))') AS long_reason;
SELECT count(*) AS not_closed FROM weir.read('close.big');

SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'close.%';
