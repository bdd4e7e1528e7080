-- SPDX-License-Identifier: PostgreSQL
-- Claim: every form of append writes exactly what it was given, in the order it
-- was given, under ids that only rise; the caller's own transaction sees its
-- frames at once and loses them when it, or the savepoint, is rolled back.

-- One frame of each form and mode, read back in order.
SELECT weir.append('append.a', '{"n": 1}') AS a1 \gset
SELECT weir.append_text('append.a', 'two') AS a2 \gset
SELECT weir.append_bytes('append.a', '\x00ff') AS a3 \gset
SELECT id AS a4, summary_version FROM weir.append_patch('append.a', '{"n": 4}') \gset
SELECT weir.append_best_effort('append.a', '[5]') AS a5 \gset
SELECT weir.append_best_effort_text('append.a', 'six') AS a6 \gset
SELECT weir.append_best_effort_bytes('append.a', '\xfe00') AS a7 \gset
SELECT weir.append('append.a', 'null', 'tick', '{"k": "v"}') AS a8 \gset
SELECT row_number() OVER (ORDER BY id) AS n, mode, type, payload, bytes, headers, at = id::timestamptz AS at_is_ms_of_id
FROM weir.read('append.a') ORDER BY id;
SELECT :'a1'::weir.position < :'a2' AND :'a2'::weir.position < :'a3' AND :'a3'::weir.position < :'a4' AND :'a4'::weir.position < :'a5'
       AND :'a5'::weir.position < :'a6' AND :'a6'::weir.position < :'a7' AND :'a7'::weir.position < :'a8' AS ids_rise,
       :summary_version AS summary_version,
       (SELECT array_agg(id ORDER BY id) FROM weir.read('append.a'))::text[] =
           ARRAY[:'a1', :'a2', :'a3', :'a4', :'a5', :'a6', :'a7', :'a8'] AS ids_as_returned;
-- The clock of an id is the server's.
SELECT :'a1'::weir.position::timestamptz BETWEEN now() - interval '1 hour' AND now() + interval '1 minute' AS about_now;

-- Any JSON root is a payload; JSON null is not SQL NULL.
SELECT count(weir.append('append.b', p::jsonb)) FROM (VALUES ('null'), ('true'), ('0'), ('""'), ('[]'), ('{}'),
    ('12345678901234567890.10'), ('"\u4e2d\ud83d\ude00"'), ('{"a":{"b":[null,1.50]}}')) v(p);
SELECT payload, payload IS NULL AS is_null, jsonb_typeof(payload) AS root, bytes IS NULL AS no_bytes FROM weir.read('append.b') WHERE payload <> '"\u4e2d\ud83d\ude00"';
SELECT count(*) AS unicode_kept FROM weir.read('append.b') WHERE payload = '"\u4e2d\ud83d\ude00"';

-- Text is a JSON string, to the byte.
SELECT count(weir.append_text('append.c', t)) FROM (VALUES (''), (' '), (E'a\nb\tc\\d"e'), (E'\x01\x1f\x7f'), ('{"not": "parsed"}'), (U&'\4E2D\+01F600')) v(t);
SELECT jsonb_typeof(payload) AS root, count(*) AS frames, count(*) FILTER (WHERE bytes IS NOT NULL) AS with_bytes FROM weir.read('append.c') GROUP BY 1;
SELECT array_agg(payload #>> '{}' ORDER BY id) = ARRAY['', ' ', E'a\nb\tc\\d"e', E'\x01\x1f\x7f', '{"not": "parsed"}', U&'\4E2D\+01F600'] AS kept
FROM weir.read('append.c');

-- Bytes are bytes: every value, NUL and invalid UTF-8, none at all, and many.
CREATE TEMP TABLE raw (n serial, b bytea);
INSERT INTO raw (b) VALUES ('\x'), ('\x00'), ('\xff'), ('\xc328'), ('\xeda080'), ('\xf8a1a1a1a1'), ('\x0000000000'), ('\x5c5c786162');
INSERT INTO raw (b) SELECT string_agg(set_byte('\x00'::bytea, 0, i), ''::bytea ORDER BY i) FROM generate_series(0, 255) i;
INSERT INTO raw (b) SELECT string_agg(decode(md5(i::text), 'hex'), ''::bytea ORDER BY i) FROM generate_series(1, 50000) i;
SELECT count(weir.append_bytes('append.d', b)) FROM (SELECT b FROM raw ORDER BY n) r;
SELECT r.n, octet_length(r.b) AS octets, r.b = f.bytes AS same, f.payload IS NULL AS no_payload
FROM raw r JOIN (SELECT bytes, payload, row_number() OVER (ORDER BY id) AS n FROM weir.read('append.d')) f USING (n) ORDER BY n;
DROP TABLE raw;

-- Frames that need TOAST come back whole.
SELECT count(weir.append('append.toast', jsonb_build_object('n', i, 'pad', (SELECT string_agg(md5((i * 1000 + j)::text), '') FROM generate_series(1, 1000) j))))
FROM generate_series(1, 20) i;
SELECT count(*) AS frames, bool_and(payload ->> 'pad' = (SELECT string_agg(md5(((payload ->> 'n')::integer * 1000 + j)::text), '') FROM generate_series(1, 1000) j)) AS whole
FROM weir.read('append.toast');

-- type and headers: kept as given, absent when not given.
SELECT count(weir.append('append.e', '1', t, h::jsonb)) FROM (VALUES
    (NULL, NULL), ('build.line', '{}'), (' ', '{"a": {"b": [1, null]}}'), (repeat('t', 512), NULL), (U&'\4E2D', '{"": 0}')) v(t, h);
SELECT length(type) AS type_length, headers FROM weir.read('append.e') ORDER BY id;
SELECT count(*) AS unicode_type FROM weir.read('append.e', types => ARRAY[U&'\4E2D']);

-- Batch: one call, array order, first and last id, the count; text and bytes as well.
SELECT first_id AS f, last_id AS l, frames FROM weir.append_batch('append.f', ARRAY['{"i": 1}', '2', 'null', '"4"']::jsonb[], 'b', '{"h": 1}') \gset
SELECT :frames AS frames, (SELECT min(id) FROM weir.read('append.f')) = :'f' AS first_matches, (SELECT max(id) FROM weir.read('append.f')) = :'l' AS last_matches;
SELECT frames FROM weir.append_text_batch('append.f', ARRAY['x', '', 'z']::text[]);
SELECT frames FROM weir.append_bytes_batch('append.f', ARRAY['\x00', '\x', '\xff']::bytea[]);
SELECT frames, first_id = last_id AS one FROM weir.append_batch('append.f', ARRAY['"alone"']::jsonb[]);
SELECT frames FROM weir.append_best_effort_batch('append.f', ARRAY['10', '11']::jsonb[], 'l');
SELECT frames FROM weir.append_best_effort_text_batch('append.f', ARRAY['t']::text[]);
SELECT frames FROM weir.append_best_effort_bytes_batch('append.f', ARRAY['\xab']::bytea[]);
SELECT mode, type, payload, bytes, headers FROM weir.read('append.f') ORDER BY id;
SELECT frames FROM weir.append_batch('append.g', (SELECT array_agg(to_jsonb(i) ORDER BY i) FROM generate_series(1, 10000) i));
SELECT count(*) AS frames, count(DISTINCT id) AS ids, bool_and(payload = to_jsonb(n)) AS in_order
FROM (SELECT id, payload, row_number() OVER (ORDER BY id) AS n FROM weir.read('append.g', max => 10000)) f;
-- Lower bounds and one-element-wide arrays are arrays all the same.
SELECT frames FROM weir.append_batch('append.h', '[3:5]={1,2,3}'::jsonb[]);
SELECT payload FROM weir.read('append.h') ORDER BY id;

-- Within the transaction: own frames at once, order kept over statements.
BEGIN;
SELECT weir.append('append.i', '1') IS NOT NULL AS done;
SELECT weir.append('append.i', '2') IS NOT NULL AS done;
SELECT payload FROM weir.read('append.i');
SAVEPOINT s;
SELECT weir.append('append.i', '3') IS NOT NULL AS done;
SELECT weir.append_best_effort('append.i', '4') IS NOT NULL AS done;
SELECT payload FROM weir.read('append.i');
ROLLBACK TO s;
SELECT payload FROM weir.read('append.i');
SELECT weir.append('append.i', '5') IS NOT NULL AS done;
SELECT weir.head('append.i') = (SELECT max(id) FROM weir.read('append.i')) AS head_is_own;
COMMIT;
SELECT payload FROM weir.read('append.i');
BEGIN;
SELECT weir.append('append.i', '6') IS NOT NULL AS done;
SELECT frames FROM weir.append_batch('append.new', ARRAY['1', '2']::jsonb[]);
ROLLBACK;
SELECT payload FROM weir.read('append.i');
SELECT count(*) AS never_was FROM weir.read('append.new');
-- A rolled-back id is not given out again.
BEGIN;
SELECT weir.append('append.i', '7') AS lost \gset
ROLLBACK;
SELECT weir.append('append.i', '8') > :'lost' AS above_the_lost;
-- Not even where the whole stream was rolled back with it, so that the next one is another log; nor while tables of
-- somebody's own are ahead of the clock under every lock. They pull no stream along.
CREATE TEMP TABLE append_ahead (k integer, id weir.position);
INSERT INTO append_ahead SELECT k, (now() + interval '1 hour')::weir.position FROM generate_series(1, 2000) k;
CREATE INDEX ON append_ahead (k, id);
CREATE TRIGGER mint BEFORE INSERT ON append_ahead FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=k');
INSERT INTO append_ahead (k) SELECT generate_series(1, 2000);
SELECT count(DISTINCT id) AS ahead FROM append_ahead WHERE id > (now() + interval '50 minutes')::weir.position;
DO $$
DECLARE
    p weir.position;
    last weir.position := '-';
BEGIN
    FOR i IN 1 .. 300 LOOP
        p := weir.append('append.k', '1');
        ASSERT p > last, 'an id was given out again';
        last := p;
        ROLLBACK;
    END LOOP;
    ASSERT last < (clock_timestamp() + interval '1 minute')::weir.position, 'a stream was pulled along';
END
$$;
DROP TABLE append_ahead;

-- A failing statement takes its frames along, whole batches too.
\set VERBOSITY sqlstate
SELECT weir.append('append.i', to_jsonb(i)), 1 / (3 - i) FROM generate_series(1, 3) i;
SELECT weir.append_batch('append.i', ARRAY['1', NULL]::jsonb[]);
\set VERBOSITY default
SELECT payload FROM weir.read('append.i');

-- As a value: in INSERT … SELECT, RETURNING, CREATE TABLE AS, CTEs and loops.
CREATE TEMP TABLE job (n integer, frame weir.position DEFAULT weir.append('append.j', '"default"'));
INSERT INTO job (n, frame) SELECT i, weir.append('append.j', to_jsonb(i)) FROM generate_series(1, 3) i;
INSERT INTO job (n) VALUES (4);
DO $$
DECLARE
    p weir.position;
    last weir.position := '-';
    total integer := 0;
BEGIN
    FOR p IN INSERT INTO job (n, frame) SELECT i, weir.append('append.j', to_jsonb(i)) FROM generate_series(5, 7) i RETURNING frame LOOP
        ASSERT p > last;
        last := p;
        total := total + 1;
    END LOOP;
    FOR i IN 8 .. 10 LOOP
        p := weir.append('append.j', to_jsonb(i));
        ASSERT p > last;
        ASSERT (SELECT count(*) FROM weir.read('append.j')) = i;
        last := p;
    END LOOP;
    RAISE NOTICE 'looped over % rows', total;
END
$$;
WITH w AS (SELECT weir.append('append.j', '11') AS id) SELECT id IS NOT NULL AS appended FROM w;
CREATE TEMP TABLE made AS SELECT weir.append('append.j', to_jsonb(i)) AS id FROM generate_series(12, 13) i;
SELECT payload FROM weir.read('append.j');
SELECT count(*) AS rows_with_their_frame FROM job JOIN weir.read('append.j') f ON f.id = job.frame;
-- A failing block in plpgsql drops its own frames only.
DO $$
BEGIN
    PERFORM weir.append('append.k', '"kept"');
    BEGIN
        PERFORM weir.append('append.k', '"dropped"');
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        PERFORM weir.append('append.k', '"handled"');
    END;
END
$$;
SELECT payload FROM weir.read('append.k');

-- In triggers: immediate, statement and deferred; the frame goes with the row.
CREATE TEMP TABLE audited (id integer PRIMARY KEY, v text);
CREATE FUNCTION pg_temp.to_stream() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM weir.append('append.l', CASE WHEN TG_LEVEL = 'ROW' THEN to_jsonb(NEW) ELSE '"statement"' END, TG_NAME);
    RETURN NULL;
END
$$;
CREATE TRIGGER now_row AFTER INSERT ON audited FOR EACH ROW EXECUTE FUNCTION pg_temp.to_stream();
CREATE TRIGGER now_statement AFTER INSERT ON audited FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.to_stream();
CREATE CONSTRAINT TRIGGER late_row AFTER INSERT ON audited DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.to_stream();
INSERT INTO audited VALUES (1, 'a'), (2, 'b');
INSERT INTO audited VALUES (1, 'again') ON CONFLICT DO NOTHING;
\set VERBOSITY sqlstate
INSERT INTO audited VALUES (3, 'c'), (1, 'dup');
\set VERBOSITY default
BEGIN;
INSERT INTO audited VALUES (4, 'd');
ROLLBACK;
SELECT type, payload FROM weir.read('append.l');

-- Named notation works in every form.
SELECT weir.append(stream => 'append.m', payload => '1', type => 't', headers => '{}', idempotency_key => NULL) IS NOT NULL AS append,
       weir.append_text(stream => 'append.m', payload => 't', type => 't', headers => '{}', idempotency_key => NULL) IS NOT NULL AS append_text,
       weir.append_bytes(stream => 'append.m', payload => 'b', type => 't', headers => '{}', idempotency_key => NULL) IS NOT NULL AS append_bytes,
       (weir.append_batch(stream => 'append.m', payloads => ARRAY['1']::jsonb[], type => 't', headers => '{}', idempotency_key => NULL)).frames AS batch,
       (weir.append_patch(stream => 'append.m', patch => '{}', type => 't', headers => '{}', idempotency_key => NULL)).summary_version AS patch,
       weir.append_best_effort(stream => 'append.m', payload => '1', type => 't', headers => '{}', idempotency_key => NULL, ttl => '1 s') IS NOT NULL AS best_effort;
-- Names: any text that is not blank, compared by bytes, 512 of them.
SELECT count(weir.append(n, to_jsonb(n))) FROM (VALUES ('append.N'), ('append.n'), (' append.n'), ('append.n '), (U&'append.\00E9'), (U&'append.e\0301'),
    ('append.%'), ('append.''"\'), (rpad('append.', 512, 'x'))) v(n);
SELECT bool_and((SELECT array_agg(payload) FROM weir.read(n)) = ARRAY[to_jsonb(n)]) AS each_its_own
FROM (VALUES ('append.N'), ('append.n'), (' append.n'), ('append.n '), (U&'append.\00E9'), (U&'append.e\0301'),
    ('append.%'), ('append.''"\'), (rpad('append.', 512, 'x'))) v(n);

-- Thousands of streams in one transaction: nothing is held for each until its end.
DO $$
BEGIN
    FOR i IN 1 .. 5000 LOOP
        PERFORM weir.append('append.many ' || i, to_jsonb(i)), weir.append_best_effort('append.many ' || i, '0');
    END LOOP;
END
$$;
SELECT count(*), min(frames), max(frames) FROM weir.streams WHERE stream LIKE 'append.many %';
SELECT count(*) FILTER (WHERE weir.drop_stream('append.many ' || i)) AS dropped FROM generate_series(1, 5000) i;

-- Not durable at once, but ordered: synchronous_commit changes nothing of it.
SET synchronous_commit = off;
SELECT count(weir.append('append.o', to_jsonb(i))) FROM generate_series(1, 100) i;
RESET synchronous_commit;
SELECT count(*), bool_and(payload = to_jsonb(n)) AS in_order FROM (SELECT payload, row_number() OVER (ORDER BY id) AS n FROM weir.read('append.o')) f;

SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE btrim(stream) LIKE 'append.%';
