-- SPDX-License-Identifier: PostgreSQL
-- Claim: a subscription hands out every event that its filter passes, in order, until it
-- is acknowledged, and not after that; its cursor moves by what is acknowledged and by
-- what the filter drops, forward only, and never past what is not settled; every
-- figure of the view is exact.
CREATE FUNCTION pg_temp.fetched(name text, max integer DEFAULT 100) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(f.stream || ' ' || coalesce(f.type, f.mode) || ' ' || (f.payload #>> '{}'), ', ' ORDER BY f.n)
   FROM weir.fetch($1, $2) WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n) $$;
-- The position of an event by its payload.
CREATE FUNCTION pg_temp.at(stream text, payload text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT r.id FROM weir.read($1, max => 10000) r WHERE r.payload #>> '{}' = $2 $$;
CREATE VIEW lag AS SELECT name, stream, lag_frames, lag_seconds > 0 AS waiting, expired, last_seen > now() - interval '1 minute' AS seen FROM weir.subscriptions WHERE name LIKE 'sub.%' ORDER BY name, stream;

SELECT weir.emit('sub.t', '"1"', 'a'), weir.emit('sub.t', '"2"', 'b'), weir.emit('sub.t', '"3"', 'a');
-- From now on, from the oldest, from behind a position, from a time.
SELECT weir.subscribe('sub.now', 'sub.t') AS made;
SELECT weir.subscribe('sub.all', 'sub.t', '-') AS made;
SELECT weir.subscribe('sub.behind', 'sub.t', pg_temp.at('sub.t', '1')) AS made;
SELECT weir.subscribe('sub.plus', 'sub.t', '+') AS made;
SELECT weir.subscribe('sub.since', 'sub.t', since => '-infinity') AS made;
SELECT weir.subscribe('sub.future', 'sub.t', since => now() + interval '1 hour') AS made;
SELECT name, pg_temp.fetched(name) FROM (VALUES ('sub.now'), ('sub.all'), ('sub.behind'), ('sub.plus'), ('sub.since'), ('sub.future')) n(name);
SELECT stream, id = pg_temp.at('sub.t', '2') AS id, at > now() - interval '1 minute' AS at, mode, type, payload, bytes, headers FROM weir.fetch('sub.all', 2) OFFSET 1;
SELECT * FROM lag;
SELECT weir.unsubscribe(name) FROM (VALUES ('sub.plus'), ('sub.since'), ('sub.future')) n(name);

-- Not acknowledged: again. Acknowledged: not again, and with it all before; an ack that is replayed moves nothing back.
SELECT pg_temp.fetched('sub.all', 2) AS first, pg_temp.fetched('sub.all', 2) AS again;
SELECT weir.ack('sub.all', pg_temp.at('sub.t', '2')) AS passed;
SELECT pg_temp.fetched('sub.all');
SELECT weir.ack('sub.all', pg_temp.at('sub.t', '2')) AS replayed, weir.ack('sub.all', pg_temp.at('sub.t', '1')) AS older, weir.ack('sub.all', '-') AS least;
SELECT pg_temp.fetched('sub.all');
SELECT * FROM lag;
SELECT weir.ack('sub.all', pg_temp.at('sub.t', '3')) AS passed, pg_temp.fetched('sub.all');
-- Rolled back with its transaction, committed with it.
SELECT weir.emit('sub.t', '"4"', 'a');
BEGIN;
SELECT weir.ack('sub.all', (SELECT max(id) FROM weir.fetch('sub.all'))) AS passed;
SELECT pg_temp.fetched('sub.all') AS own;
ROLLBACK;
SELECT pg_temp.fetched('sub.all');
BEGIN;
SAVEPOINT s;
SELECT weir.ack('sub.all', (SELECT max(id) FROM weir.fetch('sub.all'))) AS passed;
ROLLBACK TO s;
SELECT pg_temp.fetched('sub.all');
SELECT weir.ack('sub.all', (SELECT max(id) FROM weir.fetch('sub.all'))) AS passed;
COMMIT;
SELECT pg_temp.fetched('sub.all');

-- Subscribing again in the same words is no error, in others it is.
SELECT weir.subscribe('sub.all', 'sub.t') AS made, pg_temp.fetched('sub.all');
SELECT weir.subscribe('sub.all', 'sub.other');
SELECT weir.subscribe('sub.all', 'sub.t', types => '{a}');
SELECT weir.subscribe('sub.all', 'sub.t', headers => '{}');
SELECT weir.subscribe('sub.all', 'sub.t', hold => true);
SELECT weir.subscribe('sub.f', 'sub.t', types => '{a,b}', headers => '{"x": 1, "y": [2]}') AS made, weir.subscribe('sub.f', 'sub.t', types => '{a,b}', headers => '{"y": [2], "x": 1}') AS again;
SELECT weir.unsubscribe('sub.f');

-- Filters: by type, by headers, by both; a close mark passes them all.
SELECT weir.emit('sub.f', to_jsonb(t || i), t, jsonb_build_object('tenant', CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END, 'n', i)) FROM generate_series(1, 4) i, unnest(ARRAY['a', 'b', 'c']) t;
SELECT weir.emit('sub.f', '"no headers"', 'a');
SELECT weir.append_bytes('sub.f', '\x00') IS NOT NULL AS appended, weir.append_best_effort('sub.f', '"lost"', 'a') IS NOT NULL AS best_effort, summary_version FROM weir.append_patch('sub.f', '{"p": 1}', 'a');
SELECT weir.subscribe('sub.f1', 'sub.f', '-', types => '{a}'), weir.subscribe('sub.f2', 'sub.f', '-', headers => '{"tenant": "odd"}'),
       weir.subscribe('sub.f3', 'sub.f', '-', types => '{b,c}', headers => '{"tenant": "even", "n": 4}'), weir.subscribe('sub.f4', 'sub.f', '-', types => '{}'), weir.subscribe('sub.f5', 'sub.f', '-');
SELECT name, pg_temp.fetched(name) FROM (VALUES ('sub.f1'), ('sub.f2'), ('sub.f3'), ('sub.f4')) n(name);
SELECT mode, count(*) FROM weir.fetch('sub.f5') GROUP BY mode ORDER BY mode;
SELECT weir.close('sub.f', 'done') IS NOT NULL AS closed;
SELECT name, pg_temp.fetched(name) FROM (VALUES ('sub.f3'), ('sub.f4')) n(name);
SELECT weir.ack('sub.f4', (SELECT max(id) FROM weir.fetch('sub.f4'))) AS passed, pg_temp.fetched('sub.f4');
SELECT name, lag_frames FROM weir.subscriptions WHERE stream = 'sub.f' ORDER BY name;

-- A filter that drops everything: the cursor advances all the same, and so it does over what is
-- dropped before an event, by that event's ack.
SELECT weir.subscribe('sub.none', 'sub.d', types => '{wanted}');
SELECT count(weir.emit('sub.d', to_jsonb(i), 'noise')) FROM generate_series(1, 500) i;
SELECT lag_frames FROM lag WHERE name = 'sub.none';
SELECT count(*) FROM weir.fetch('sub.none');
SELECT lag_frames, waiting FROM lag WHERE name = 'sub.none';
SELECT weir.emit('sub.d', '"x"', 'wanted'), count(weir.emit('sub.d', to_jsonb(i), 'noise')) FROM generate_series(1, 200) i;
SELECT pg_temp.fetched('sub.none'), pg_temp.fetched('sub.none') AS again;
SELECT lag_frames FROM lag WHERE name = 'sub.none';
SELECT weir.ack('sub.none', pg_temp.at('sub.d', 'x')) AS passed;
SELECT count(*) FROM weir.fetch('sub.none');
SELECT lag_frames FROM lag WHERE name = 'sub.none';
-- Not in a transaction that cannot write; it reads.
SELECT count(weir.emit('sub.d', to_jsonb(i), 'noise')) FROM generate_series(1, 300) i;
BEGIN READ ONLY;
SELECT count(*) FROM weir.fetch('sub.none');
COMMIT;
SELECT lag_frames FROM lag WHERE name = 'sub.none';
-- A few are passed once the cursor has stood for a second.
SELECT weir.seek('sub.none', '+');
SELECT weir.emit('sub.d', '{}', 'noise');
SELECT pg_sleep(1.1), count(*) FROM weir.fetch('sub.none');
SELECT count(*) FROM weir.fetch('sub.none');
SELECT lag_frames FROM lag WHERE name = 'sub.none';

-- Seeking: back, forward, to a time, to the ends.
SELECT weir.emit('sub.s', to_jsonb(i::text), 'n') FROM generate_series(1, 5) i;
SELECT weir.subscribe('sub.seek', 'sub.s');
SELECT weir.seek('sub.seek', pg_temp.at('sub.s', '2')), pg_temp.fetched('sub.seek');
SELECT weir.seek('sub.seek', '-'), pg_temp.fetched('sub.seek');
SELECT weir.seek('sub.seek', '+'), pg_temp.fetched('sub.seek');
SELECT weir.seek('sub.seek', since => now() - interval '1 hour'), pg_temp.fetched('sub.seek');
SELECT weir.seek('sub.seek', since => 'infinity'), pg_temp.fetched('sub.seek');
SELECT weir.seek('sub.seek', pg_temp.at('sub.s', '4'), 'sub.s'), pg_temp.fetched('sub.seek');
SELECT lag_frames FROM lag WHERE name = 'sub.seek';
-- Not where nothing was ever put, neither by seek nor by ack.
\set VERBOSITY sqlstate
SELECT weir.seek('sub.seek', (now() + interval '1 hour')::weir.position);
SELECT weir.ack('sub.seek', (weir.head('sub.s')::bigint + 1)::weir.position);
SELECT weir.ack('sub.seek', '+');
SELECT weir.subscribe('sub.ahead', 'sub.s', (now() + interval '1 hour')::weir.position);
\set VERBOSITY default
SELECT lag_frames FROM lag WHERE name = 'sub.seek';
SELECT name FROM weir.subscriptions WHERE name = 'sub.ahead';
-- A position between two frames can be acknowledged, as can one that was rolled back.
BEGIN;
SELECT weir.append('sub.s', '"gone"') AS gone \gset
ROLLBACK;
SELECT weir.emit('sub.s', '"6"', 'n');
SELECT weir.ack('sub.seek', :'gone') AS passed, pg_temp.fetched('sub.seek');

-- A stream need not be there yet; it is begun at its beginning, also when it was dropped and made anew.
SELECT weir.subscribe('sub.early', 'sub.later'), pg_temp.fetched('sub.early');
SELECT * FROM lag WHERE name = 'sub.early';
SELECT weir.ack('sub.early', '-') AS passed, weir.seek('sub.early', '+'), weir.seek('sub.early', '1-0');
\set VERBOSITY sqlstate
SELECT weir.ack('sub.early', '1-0');
\set VERBOSITY default
SELECT weir.emit('sub.later', '"1"', 'n');
SELECT pg_temp.fetched('sub.early');
SELECT weir.ack('sub.early', pg_temp.at('sub.later', '1')) AS passed;
SELECT weir.drop_stream('sub.later');
SELECT * FROM lag WHERE name = 'sub.early';
SELECT weir.emit('sub.later', '"new 1"', 'n');
SELECT pg_temp.fetched('sub.early'), (SELECT lag_frames FROM lag WHERE name = 'sub.early') AS lag;

-- Many events, in pages.
SELECT count(weir.emit('sub.p', to_jsonb(i), 'n')) FROM generate_series(1, 2500) i;
SELECT weir.subscribe('sub.pages', 'sub.p', '-');
CREATE TEMP TABLE got (n integer);
DO $$
DECLARE
    upto weir.position;
BEGIN
    LOOP
        WITH f AS (SELECT * FROM weir.fetch('sub.pages', 999)), g AS (INSERT INTO got SELECT payload::text::integer FROM f)
        SELECT max(id) INTO upto FROM f;
        EXIT WHEN upto IS NULL;
        PERFORM weir.ack('sub.pages', upto);
        COMMIT;
    END LOOP;
END
$$;
SELECT count(*), count(DISTINCT n), min(n), max(n) FROM got;

-- Gone.
SELECT weir.unsubscribe('sub.pages'), weir.unsubscribe('sub.pages'), weir.unsubscribe('sub.never');
SELECT weir.fetch('sub.pages');
SELECT weir.ack('sub.pages', '-');
SELECT weir.seek('sub.pages', '-');
SELECT weir.subscribe('sub.pages', 'sub.p'), pg_temp.fetched('sub.pages');

-- Bad arguments.
\set VERBOSITY terse
SELECT weir.subscribe(NULL, 't');
SELECT weir.subscribe(' ', 't');
SELECT weir.subscribe(repeat('x', 513), 't');
SELECT weir.subscribe('sub.x', NULL::text);
SELECT weir.subscribe('sub.x', '');
SELECT weir.subscribe('sub.x', repeat('x', 513));
SELECT weir.subscribe('sub.x', 'odd\');
SELECT weir.subscribe('sub.x', 't', types => '{a,NULL}');
SELECT weir.subscribe('sub.x', 't', types => '{{a},{b}}');
SELECT weir.subscribe('sub.x', 't', types => array_fill('a'::text, '{1001}'));
SELECT weir.subscribe('sub.x', 't', headers => '[1]');
SELECT weir.subscribe('sub.x', 't', hold => NULL);
SELECT weir.subscribe('sub.x', 't', '-', since => now());
SELECT weir.subscribe_many('sub.x', '{}'::text[]);
SELECT weir.subscribe_many('sub.x', '{a,NULL}'::text[]);
SELECT weir.subscribe_many('sub.x', '{{a},{b}}'::text[]);
SELECT weir.subscribe_many('sub.x', array_fill('a'::text, '{101}'));
SELECT weir.subscribe_many('sub.x', NULL::text[]);
SELECT weir.fetch(NULL);
SELECT weir.fetch('sub.seek', NULL);
SELECT weir.fetch('sub.seek', 0);
SELECT weir.fetch('sub.seek', 10001);
SELECT weir.fetch('sub.x');
SELECT weir.ack(NULL, '-');
SELECT weir.ack('sub.seek', NULL);
SELECT weir.ack('sub.seek', '-', 'sub.t');
SELECT weir.seek('sub.seek');
SELECT weir.seek('sub.seek', '-', since => now());
SELECT weir.seek('sub.seek', '-', 'sub.t');
SELECT weir.unsubscribe(NULL);
\set VERBOSITY sqlstate
BEGIN READ ONLY;
SELECT weir.subscribe('sub.x', 't');
ROLLBACK;
BEGIN READ ONLY;
SELECT weir.ack('sub.seek', '-');
ROLLBACK;
BEGIN READ ONLY;
SELECT weir.seek('sub.seek', '-');
ROLLBACK;
BEGIN READ ONLY;
SELECT weir.unsubscribe('sub.seek');
ROLLBACK;
\set VERBOSITY default
SELECT name FROM weir.subscriptions WHERE name = 'sub.x';

-- Cursors as bytes: 0x02 and eight bytes, nothing else.
SELECT p, weir.encode_cursor(p) AS bytes, weir.decode_cursor(weir.encode_cursor(p)) = p AS back FROM unnest('{-,+,0-12345,1795171438346-7}'::weir.position[]) p;
SELECT weir.encode_cursor(NULL) IS NULL AND weir.decode_cursor(NULL) IS NULL AS nulls;
SELECT weir.decode_cursor('');
SELECT weir.decode_cursor('\x01000000000000000000000000000003e8');
SELECT weir.decode_cursor('\x0200000000000003');
SELECT weir.decode_cursor('\x02000000000000000303');
\set VERBOSITY sqlstate
SELECT weir.decode_cursor('\x02ffffffffffffffff');
SELECT weir.decode_cursor('\x020000000000003');
\set VERBOSITY default

-- Levels of access.
CREATE ROLE regress_weir_consumer;
SELECT weir.grant_access('regress_weir_consumer', 'read');
SET ROLE regress_weir_consumer;
SELECT weir.subscribe('sub.role', 'sub.s', '-');
SELECT count(*), bool_and(weir.ack('sub.role', id) = 1) FROM weir.fetch('sub.role');
SELECT count(*) FROM weir.subscriptions WHERE name = 'sub.role';
SELECT count(*) FROM weir.retention;
\set VERBOSITY sqlstate
SELECT weir.emit('sub.s', '{}', 'n');
SELECT weir.alter_stream('sub.s', max_frames => 1);
SELECT weir.retain();
SELECT * FROM weir.subscription;
SELECT * FROM weir.subscription_cursor;
DELETE FROM weir.retention;
\set VERBOSITY default
RESET ROLE;
SELECT weir.revoke_access('regress_weir_consumer');
DROP ROLE regress_weir_consumer;

SELECT bool_and(weir.unsubscribe(s.name)) AS unsubscribed FROM (SELECT DISTINCT name FROM weir.subscriptions) s;
SELECT count(*) FROM weir.subscription_cursor;
DROP VIEW lag;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'sub.%';
