-- SPDX-License-Identifier: PostgreSQL
-- Claim: the same key on the same stream within the window returns the result of
-- the first call and writes nothing; another request under the key is an error;
-- a rolled-back call leaves its key free; keys of other streams, and keys older
-- than the window, do not matter.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;

-- Every form: twice the same call, one frame, one answer.
SELECT weir.append('idem.a', '{"n": 1}', 't', '{"h": 1}', 'a') = weir.append('idem.a', '{"n": 1}', 't', '{"h": 1}', 'a') AS append;
SELECT weir.append_text('idem.a', 'x', idempotency_key => 'b') = weir.append_text('idem.a', 'x', idempotency_key => 'b') AS append_text;
SELECT weir.append_bytes('idem.a', '\x00', idempotency_key => 'c') = weir.append_bytes('idem.a', '\x00', idempotency_key => 'c') AS append_bytes;
SELECT weir.append_batch('idem.a', ARRAY['1', '2']::jsonb[], idempotency_key => 'd') = weir.append_batch('idem.a', ARRAY['1', '2']::jsonb[], idempotency_key => 'd') AS batch;
SELECT weir.append_text_batch('idem.a', ARRAY['1', '2']::text[], idempotency_key => 'e') = weir.append_text_batch('idem.a', ARRAY['1', '2']::text[], idempotency_key => 'e') AS text_batch;
SELECT weir.append_bytes_batch('idem.a', ARRAY['1', '2']::bytea[], idempotency_key => 'f') = weir.append_bytes_batch('idem.a', ARRAY['1', '2']::bytea[], idempotency_key => 'f') AS bytes_batch;
SELECT weir.append_patch('idem.a', '{"p": 1}', idempotency_key => 'g') = weir.append_patch('idem.a', '{"p": 1}', idempotency_key => 'g') AS patch;
SELECT weir.append_best_effort('idem.a', '1', idempotency_key => 'h') = weir.append_best_effort('idem.a', '1', idempotency_key => 'h') AS best_effort;
SELECT weir.append_best_effort_batch('idem.a', ARRAY['1', '2']::jsonb[], idempotency_key => 'i') = weir.append_best_effort_batch('idem.a', ARRAY['1', '2']::jsonb[], idempotency_key => 'i') AS best_effort_batch;
SELECT mode, type, payload, bytes, headers FROM weir.read('idem.a');
SELECT document, version FROM weir.summary('idem.a');
SELECT summary_version FROM weir.append_patch('idem.a', '{"p": 1}', idempotency_key => 'g');
SELECT frames FROM weir.append_batch('idem.a', ARRAY['1', '2']::jsonb[], idempotency_key => 'd');
-- In other transactions, later, out of order.
SELECT weir.append('idem.b', '1', idempotency_key => 'k1') AS k1 \gset
SELECT weir.append('idem.b', '2', idempotency_key => 'k2') AS k2 \gset
SELECT weir.append('idem.b', '3') IS NOT NULL AS done;
SELECT weir.append('idem.b', '1', idempotency_key => 'k1') = :'k1' AS k1_again, weir.append('idem.b', '2', idempotency_key => 'k2') = :'k2' AS k2_again;
SELECT payload FROM weir.read('idem.b');
-- Equal requests, not equal spelling: jsonb is a value.
SELECT weir.append('idem.b', '{"a": 1, "b": 2}', idempotency_key => 'spelling') = weir.append('idem.b', '{"b":2,"a":1}', idempotency_key => 'spelling') AS same_value;

-- Another request under the key.
SELECT weir.append('idem.c', '1', 't', '{"h": 1}', 'k') AS first \gset
SELECT n, pg_temp.state_of('SELECT weir.' || call) AS sqlstate
FROM (VALUES (1, 'append(''idem.c'', ''2'', ''t'', ''{"h": 1}'', ''k'')'), (2, 'append(''idem.c'', ''1'', ''u'', ''{"h": 1}'', ''k'')'),
             (3, 'append(''idem.c'', ''1'', ''t'', ''{"h": 2}'', ''k'')'), (4, 'append(''idem.c'', ''1'', ''t'', NULL, ''k'')'),
             (5, 'append(''idem.c'', ''1'', NULL, ''{"h": 1}'', ''k'')'), (6, 'append_best_effort(''idem.c'', ''1'', ''t'', ''{"h": 1}'', ''k'')'),
             (7, 'append_bytes(''idem.c'', ''1'', ''t'', ''{"h": 1}'', ''k'')'), (8, 'append_patch(''idem.c'', ''{}'', ''t'', ''{"h": 1}'', ''k'')'),
             (9, 'append_batch(''idem.c'', ARRAY[''1'', ''1'']::jsonb[], ''t'', ''{"h": 1}'', ''k'')'),
             (10, 'append(''idem.c'', ''1'', ''t'', ''{"h": 1}'', ''k'')'), (11, 'append(''idem.c'', ''1'', ''t'', ''{"h": 1}'', ''K'')')) v(n, call) ORDER BY n;
SELECT weir.append('idem.c', '2', idempotency_key => 'k');
SELECT payload FROM weir.read('idem.c');
-- Batches differ in any element, in their order and in where one ends.
SELECT frames FROM weir.append_text_batch('idem.c', ARRAY['ab', 'c']::text[], idempotency_key => 'batch');
SELECT pg_temp.state_of($$ SELECT weir.append_text_batch('idem.c', ARRAY['a', 'bc']::text[], idempotency_key => 'batch') $$) AS other_split,
       pg_temp.state_of($$ SELECT weir.append_text_batch('idem.c', ARRAY['c', 'ab']::text[], idempotency_key => 'batch') $$) AS other_order,
       pg_temp.state_of($$ SELECT weir.append_text_batch('idem.c', ARRAY['ab']::text[], idempotency_key => 'batch') $$) AS shorter,
       pg_temp.state_of($$ SELECT weir.append_text_batch('idem.c', ARRAY['ab', 'c', '']::text[], idempotency_key => 'batch') $$) AS longer,
       pg_temp.state_of($$ SELECT weir.append_bytes_batch('idem.c', ARRAY['ab', 'c']::bytea[], idempotency_key => 'batch') $$) AS as_bytes,
       pg_temp.state_of($$ SELECT weir.append_text_batch('idem.c', ARRAY['ab', 'c']::text[], idempotency_key => 'batch') $$) AS the_same;
-- Type and headers do not run into each other.
SELECT weir.append_text('idem.c', 'xy', 't', idempotency_key => 'run') IS NOT NULL AS done;
SELECT pg_temp.state_of($$ SELECT weir.append_text('idem.c', 'y', 'tx', idempotency_key => 'run') $$) AS shifted;

-- A stream of its own each; no key, no memory.
SELECT weir.append('idem.d', '1', idempotency_key => 'k') IS NOT NULL AS one, weir.append('idem.e', '2', idempotency_key => 'k') IS NOT NULL AS another;
SELECT payload FROM weir.read('idem.e');
SELECT count(weir.append('idem.d', '1')) AS without_key FROM generate_series(1, 2);
SELECT count(*) FROM weir.read('idem.d');

-- Rolled back: the key is free, in a transaction and in a savepoint, also for another request.
BEGIN;
SELECT weir.append('idem.f', '1', idempotency_key => 'k') IS NOT NULL AS done;
SELECT pg_temp.state_of($$ SELECT weir.append('idem.f', '2', idempotency_key => 'k') $$) AS within_the_transaction;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT weir.append('idem.f', '3', idempotency_key => 'k') IS NOT NULL AS done;
ROLLBACK TO s;
SELECT weir.append('idem.f', '4', idempotency_key => 'k') AS four \gset
SELECT weir.append('idem.f', '4', idempotency_key => 'k') = :'four' AS same_within;
COMMIT;
SELECT weir.append('idem.f', '4', idempotency_key => 'k') = :'four' AS same_after;
SELECT payload FROM weir.read('idem.f');
-- A call that failed took its key along.
\set VERBOSITY sqlstate
SELECT weir.append('idem.f', '5', headers => '[]', idempotency_key => 'failed');
\set VERBOSITY default
SELECT weir.append('idem.f', '6', idempotency_key => 'failed') IS NOT NULL AS free;

-- The answer outlives the frame: after trim, and on a closed stream.
SELECT weir.append('idem.g', '1', idempotency_key => 'k') AS g1 \gset
SELECT weir.trim('idem.g', keep => 0);
SELECT weir.append('idem.g', '1', idempotency_key => 'k') = :'g1' AS after_trim;
SELECT count(*) AS nothing_written FROM weir.read('idem.g');
SELECT weir.close('idem.g') IS NOT NULL AS closed;
SELECT weir.append('idem.g', '1', idempotency_key => 'k') = :'g1' AS retry_after_close;
SELECT pg_temp.state_of($$ SELECT weir.append('idem.g', '2', idempotency_key => 'other') $$) AS new_after_close;

-- Keys: one to 512 bytes, exact.
SELECT weir.append('idem.h', '1', idempotency_key => repeat('k', 512)) = weir.append('idem.h', '1', idempotency_key => repeat('k', 512)) AS longest;
SELECT pg_temp.state_of($$ SELECT weir.append('idem.h', '1', idempotency_key => '') $$) AS empty,
       pg_temp.state_of($$ SELECT weir.append('idem.h', '1', idempotency_key => repeat('k', 513)) $$) AS long,
       pg_temp.state_of($$ SELECT weir.append('idem.h', '1', idempotency_key => repeat(U&'\4E2D', 171)) $$) AS long_in_bytes;
SELECT weir.append('idem.h', '1', idempotency_key => ' ') <> weir.append('idem.h', '1', idempotency_key => '  ') AS blanks_differ;
SELECT count(*) FROM weir.read('idem.h');

-- The window: afterwards the key starts anew.
SHOW weir.idempotency_window;
SELECT weir.append('idem.i', '1', idempotency_key => 'k') AS i1 \gset
SET weir.idempotency_window = '1s';
CREATE FUNCTION pg_temp.taken_as_new() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM weir.append('idem.i', '2', idempotency_key => 'k');
    RETURN true;
EXCEPTION WHEN SQLSTATE 'WR005' THEN
    RETURN false;
END
$$;
DO $$
BEGIN
    FOR attempt IN 1 .. 200 LOOP
        EXIT WHEN pg_temp.taken_as_new();
        COMMIT;
        PERFORM pg_sleep(0.05);
    END LOOP;
END
$$;
RESET weir.idempotency_window;
SELECT payload FROM weir.read('idem.i');
SELECT weir.append('idem.i', '2', idempotency_key => 'k') > :'i1' AS second_answer_holds;
SELECT count(*) FROM weir.read('idem.i');

SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'idem.%';
