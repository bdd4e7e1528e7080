-- SPDX-License-Identifier: PostgreSQL
-- Claim: each call on keys does what its comment says, and refuses what it says with that SQLSTATE. Of the vectors of
-- the original's live tests these are the server's: 5 put and get, 6 an absent key, 7 create twice, 8 update and a lost
-- one, 9 delete, 10 a conditional delete, 12 to 15 scans and keys beside deleted ones, 23 and 38 a history of one,
-- 26 to 28 create after each kind of tombstone, 30 1,500 keys, 31 an empty value, 32 a conditional delete of a key
-- that never was, 33 a bucket that is there.
SET timezone = 'UTC';
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null '(null)'
CREATE FUNCTION pg_temp.state(sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- Put and get, in three forms.
SELECT weir.kv_put('kv.a', 'node.a', '{"v": "hello"}', headers => '{"by": "x"}') AS r1 \gset
SELECT weir.kv_get('kv.a', 'node.a'), weir.kv_get('kv.a', 'absent'), weir.kv_get('kv.nowhere', 'k');
SELECT key, revision = :'r1' AS is_it, at = revision::timestamptz AS at, op, value, bytes, headers, expires_at
FROM weir.kv_entry('kv.a', 'node.a');
SELECT weir.kv_put_text('kv.a', 't', 'a "text" with ✓') > :'r1' AS above;
SELECT weir.kv_get('kv.a', 't'), weir.kv_get_text('kv.a', 't'), weir.kv_get_text('kv.a', 'node.a');
SELECT weir.kv_put_bytes('kv.a', 'b', '\x00ff00') IS NOT NULL AS put;
SELECT weir.kv_get_bytes('kv.a', 'b');
SELECT pg_temp.state($$SELECT weir.kv_get('kv.a', 'b')$$), pg_temp.state($$SELECT weir.kv_get_text('kv.a', 'b')$$),
       pg_temp.state($$SELECT weir.kv_get_bytes('kv.a', 't')$$);
-- An empty value is a value, as is JSON null; a key may be empty, or hold whatever text can.
SELECT weir.kv_put_bytes('kv.a', 'empty', '') IS NOT NULL, weir.kv_put_text('kv.a', '', '') IS NOT NULL,
       weir.kv_put('kv.a', 'null', 'null') IS NOT NULL;
SELECT weir.kv_get_bytes('kv.a', 'empty') = '' AS bytes, weir.kv_get_text('kv.a', '') = '' AS text,
       weir.kv_get('kv.a', 'null'), weir.kv_get_text('kv.a', 'null');
SELECT key, value, bytes FROM weir.kv_get_many('kv.a', ARRAY['empty', 'nope', '', 'node.a', 'empty']);

-- Compare and set.
SELECT * FROM weir.kv_create('kv.c', 'lock', '1') \gset c_
SELECT :'c_created' AS created;
SELECT created, revision = :'c_revision' AS is_it FROM weir.kv_create('kv.c', 'lock', '2');
SELECT updated, revision > :'c_revision' AS above FROM weir.kv_update('kv.c', 'lock', '3', :'c_revision');
SELECT updated, revision > :'c_revision' AS actual FROM weir.kv_update('kv.c', 'lock', '4', :'c_revision');
SELECT weir.kv_get('kv.c', 'lock');
SELECT * FROM weir.kv_update('kv.c', 'never', '1', :'c_revision');
SELECT updated FROM weir.kv_update('kv.c', 'by update', '1', '-');
SELECT updated FROM weir.kv_update('kv.c', 'by update', '2', '-');
SELECT * FROM weir.kv_update('kv.none', 'k', '1', '1-0');
SELECT count(*) FROM weir.list_buckets('kv.none');
-- Delete, at a revision and not.
SELECT deleted, revision > '0-0' AS actual FROM weir.kv_delete('kv.c', 'lock', '999999-0');
SELECT revision AS r2 FROM weir.kv_entry('kv.c', 'lock') \gset
SELECT deleted, revision > :'r2' AS above FROM weir.kv_delete('kv.c', 'lock', :'r2');
SELECT weir.kv_get('kv.c', 'lock');
SELECT * FROM weir.kv_delete('kv.c', 'lock');
SELECT * FROM weir.kv_delete('kv.c', 'never.existed', '1-0');
SELECT * FROM weir.kv_delete('kv.none', 'k');
-- Create succeeds over each tombstone; none of them has a revision to update at.
SELECT revision AS tombstone FROM weir.kv_history('kv.c', 'lock', max => 1) \gset
SELECT * FROM weir.kv_update('kv.c', 'lock', '5', :'tombstone');
SELECT created FROM weir.kv_create('kv.c', 'lock', '"after delete"');
SELECT purged FROM weir.kv_purge('kv.c', 'lock');
SELECT created FROM weir.kv_create('kv.c', 'lock', '"after purge"');
SELECT deleted FROM weir.kv_delete('kv.c', 'lock');
SELECT updated FROM weir.kv_update('kv.c', 'lock', '"over delete"', '-');
SELECT weir.kv_get('kv.c', 'lock');
-- A purge takes what there was of a key that is deleted, too, once.
SELECT deleted FROM weir.kv_delete('kv.c', 'lock');
SELECT purged FROM weir.kv_purge('kv.c', 'lock');
SELECT purged FROM weir.kv_purge('kv.c', 'lock');
SELECT purged FROM weir.kv_purge('kv.c', 'never');
SELECT purged FROM weir.kv_purge('kv.c', 'by update', '1-0');
SELECT weir.kv_get('kv.c', 'by update');

-- Within one transaction, and undone with a savepoint.
BEGIN;
SELECT created FROM weir.kv_create('kv.t', 'k', '1');
SAVEPOINT s;
SELECT created FROM weir.kv_create('kv.t', 'k', '2');
SELECT deleted FROM weir.kv_delete('kv.t', 'k');
SELECT created FROM weir.kv_create('kv.t', 'k', '3');
SELECT weir.kv_get('kv.t', 'k');
ROLLBACK TO s;
SELECT weir.kv_get('kv.t', 'k');
SELECT holds FROM weir.kv_entry('kv.t', 'k') e, weir.kv_check('kv.t', 'k', e.revision);
SELECT * FROM weir.kv_check('kv.t', 'nothing', '-');
SELECT holds, revision > '0-0' FROM weir.kv_check('kv.t', 'k', '-');
COMMIT;
-- Two compare-and-sets of one statement see each other.
SELECT i, created FROM generate_series(1, 3) i, weir.kv_create('kv.t', 'once', to_jsonb(i)) ORDER BY i;

-- Scans: in the order of bytes, by pages, without what is deleted.
SELECT weir.kv_put('kv.s', k, '1') IS NULL FROM unnest(ARRAY['node.a', 'node.a', 'node.b', 'other.c', 'Zebra', 'é', 'e' || chr(769)]) k;
SELECT deleted FROM weir.kv_delete('kv.s', 'node.b');
SELECT key, op FROM weir.kv_scan('kv.s', 'node.');
SELECT k FROM weir.kv_keys('kv.s') k;
SELECT k FROM weir.kv_keys('kv.s', max => 2) k;
SELECT k FROM weir.kv_keys('kv.s', max => 2, after => 'node.a') k;
SELECT k FROM weir.kv_keys('kv.s', 'other', after => 'a') k;
SELECT k FROM weir.kv_keys('kv.s', 'node.', after => 'node.a') k;
-- A prefix may end where a character would go on for a reader.
SELECT k FROM weir.kv_keys('kv.s', 'e') k;
SELECT first_revision < last_revision AS in_order, changes FROM weir.kv_put_many('kv.m',
    ARRAY(SELECT 'k' || lpad(i::text, 5, '0') FROM generate_series(1, 1500) i),
    ARRAY(SELECT to_jsonb(i) FROM generate_series(1, 1500) i));
SELECT count(*), min(key), max(key), sum(value::integer) FROM weir.kv_scan('kv.m', max => 10000);
SELECT count(*) FROM weir.kv_keys('kv.m');
SELECT changes FROM weir.kv_put_text_many('kv.m', ARRAY['same', 'same'], ARRAY['first', 'second']);
SELECT changes FROM weir.kv_put_bytes_many('kv.m', ARRAY['bytes'], ARRAY['\x01'::bytea]);
SELECT weir.kv_get_text('kv.m', 'same'), weir.kv_get_bytes('kv.m', 'bytes');
-- Many versions of a key, which a scan passes.
SELECT count(weir.kv_put('kv.m', 'k00700', to_jsonb(i))) FROM generate_series(1, 100) i;
SELECT key, value FROM weir.kv_scan('kv.m', 'k007', max => 2);
SELECT key, value FROM weir.kv_scan('kv.m', 'k00', max => 3, after => 'k00698');

-- History and states of the past.
SELECT weir.create_bucket('kv.h', history => 3);
SELECT array_agg(weir.kv_put('kv.h', 'k', to_jsonb(i)) ORDER BY i) AS r FROM generate_series(1, 5) i \gset
SELECT weir.kv_put('kv.h', 'other', '0') AS r6 \gset
SELECT op, value FROM weir.kv_history('kv.h', 'k');
SELECT op, value FROM weir.kv_history('kv.h', 'k', after => (:'r'::weir.position[])[4]);
SELECT op, value FROM weir.kv_history('kv.h', 'k', upto => (:'r'::weir.position[])[4], max => 1);
SELECT weir.kv_get('kv.h', 'k', (:'r'::weir.position[])[3]), weir.kv_get('kv.h', 'k', (:'r'::weir.position[])[4]);
SELECT pg_temp.state(format('SELECT weir.kv_get(%L, %L, %L)', 'kv.h', 'k', (:'r'::weir.position[])[2])) ~ '^WR004' AS expired;
SELECT weir.kv_get('kv.h', 'other', (:'r'::weir.position[])[5]);
SELECT key, value FROM weir.kv_scan('kv.h', revision => (:'r'::weir.position[])[4]);
-- It is the same whether housekeeping has been there or not.
SELECT steps > 0 AS ran, failures FROM weir.housekeep('buckets');
SELECT op, value FROM weir.kv_history('kv.h', 'k');
SELECT weir.kv_get('kv.h', 'k', (:'r'::weir.position[])[3]), weir.kv_get('kv.h', 'k', (:'r'::weir.position[])[4]);
SELECT pg_temp.state(format('SELECT weir.kv_get(%L, %L, %L)', 'kv.h', 'k', (:'r'::weir.position[])[2])) ~ '^WR004' AS expired;
SELECT count(*) FROM weir.kv_log l JOIN weir.registry n ON n.id = l.bucket_id AND n.name = 'kv.h' WHERE l.key = 'k';
SELECT deleted FROM weir.kv_delete('kv.h', 'k');
SELECT op, value FROM weir.kv_history('kv.h', 'k');
SELECT weir.kv_get('kv.h', 'k', (:'r'::weir.position[])[5]);
SELECT purged FROM weir.kv_purge('kv.h', 'k');
SELECT op FROM weir.kv_history('kv.h', 'k');
SELECT pg_temp.state(format('SELECT weir.kv_get(%L, %L, %L)', 'kv.h', 'k', (:'r'::weir.position[])[5])) ~ '^WR004' AS purged;

-- What is refused.
SELECT pg_temp.state(c) FROM unnest(ARRAY[
    $$SELECT weir.kv_put(NULL, 'k', '1')$$, $$SELECT weir.kv_put('b', NULL, '1')$$, $$SELECT weir.kv_put('b', 'k', NULL)$$,
    $$SELECT weir.kv_put(' ', 'k', '1')$$, $$SELECT weir.kv_put('b', repeat('k', 513), '1')$$,
    $$SELECT weir.kv_put('b', 'k', '1', headers => '[]')$$, $$SELECT weir.kv_put('b', 'k', '1', ttl => '0')$$,
    $$SELECT weir.kv_put('b', 'k', '1', ttl => '-1 day')$$, $$SELECT weir.kv_put('weir/x', 'k', '1')$$,
    $$SELECT weir.kv_put_many('b', '{}', '{}')$$, $$SELECT weir.kv_put_many('b', '{a,b}', ARRAY['1']::jsonb[])$$,
    $$SELECT weir.kv_put_many('b', '{a,NULL}', ARRAY['1', '2']::jsonb[])$$,
    $$SELECT weir.kv_put_many('b', '{a,b}', ARRAY['1', NULL]::jsonb[])$$,
    $$SELECT weir.kv_put_many('b', '{{a,b}}', ARRAY['1', '2']::jsonb[])$$,
    $$SELECT weir.kv_update('b', 'k', '1', NULL)$$, $$SELECT weir.kv_check('b', 'k', NULL)$$,
    $$SELECT weir.kv_get('b', NULL)$$, $$SELECT weir.kv_scan('b', NULL)$$, $$SELECT weir.kv_scan('b', max => 0)$$,
    $$SELECT weir.kv_scan('b', max => 10001)$$, $$SELECT weir.kv_compact('b', NULL)$$,
    $$SELECT weir.kv_watch('b', '{a,NULL}')$$, $$SELECT weir.kv_watch('b', bookmark => NULL)$$]) c;
SELECT weir.kv_put('kv.a', repeat('k', 512), '1') IS NOT NULL AS longest;
SELECT weir.append('kv.stream', '1') IS NOT NULL AS a_stream;
SELECT pg_temp.state($$SELECT weir.kv_put('kv.stream', 'k', '1')$$), pg_temp.state($$SELECT weir.append('kv.a', '1')$$),
       pg_temp.state($$SELECT weir.kv_get('kv.stream', 'k')$$);
BEGIN READ ONLY;
SELECT weir.kv_get('kv.a', 'node.a');
SELECT pg_temp.state($$SELECT weir.kv_put('kv.a', 'k', '1')$$), pg_temp.state($$SELECT weir.kv_check('kv.a', 'k', '-')$$);
COMMIT;

SELECT weir.drop_bucket(b) FROM weir.list_buckets('kv.*') b;
SELECT weir.drop_stream('kv.stream');
