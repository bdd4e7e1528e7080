-- SPDX-License-Identifier: PostgreSQL
-- Claim: what has expired is gone by the clock, and becomes a change by housekeeping, unless the key was written again;
-- what the history has no room for is removed, and never the newest of a key; a bucket of max_bytes refuses what is
-- too much, or lets the oldest keys go; counts are right before and after.
\pset null '(null)'
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.state(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE sql;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || ': ' || detail;
END $$;
CREATE FUNCTION pg_temp.rows_of(bucket text) RETURNS bigint LANGUAGE sql AS
$$ SELECT count(*) FROM weir.kv_log l JOIN weir.registry n ON n.id = l.bucket_id WHERE n.name = bucket AND l.key IS NOT NULL $$;

-- Properties.
SELECT * FROM weir.list_bucket_properties();
SELECT p.proname, coalesce(a.name, l.property) AS differs
FROM pg_proc p
CROSS JOIN LATERAL (SELECT n.name, t.type, n.i FROM unnest(p.proargnames) WITH ORDINALITY n(name, i)
                    JOIN unnest(p.proargtypes) WITH ORDINALITY t(type, i) USING (i)
                    WHERE n.name NOT IN ('bucket', 'reset')) a
FULL JOIN weir.list_bucket_properties() l ON a.name = l.property AND a.type = l.type
WHERE p.pronamespace = 'weir'::regnamespace AND p.proname IN ('create_bucket', 'alter_bucket')
  AND (a.name IS NULL OR l.property IS NULL);
SELECT l.property AS not_in_the_comment FROM weir.list_bucket_properties() l
WHERE obj_description('weir.create_bucket'::regproc, 'pg_proc') !~ ('\m' || l.property || '\M');
SELECT weir.create_bucket('kvh.p', history => 2, ttl => '1 day', max_value_bytes => 100, max_bytes => 10000, evict => true);
SELECT properties FROM weir.buckets WHERE bucket = 'kvh.p';
SELECT weir.alter_bucket('kvh.p', history => 4, reset => '{ttl,evict}');
SELECT properties FROM weir.bucket_info('kvh.p');
SELECT pg_temp.state(c) FROM unnest(ARRAY[
    $$SELECT weir.create_bucket('kvh.p')$$, $$SELECT weir.alter_bucket('kvh.none', history => 2)$$,
    $$SELECT weir.alter_bucket('kvh.p')$$, $$SELECT weir.alter_bucket('kvh.p', reset => '{nope}')$$,
    $$SELECT weir.create_bucket('kvh.q', history => 0)$$, $$SELECT weir.create_bucket('kvh.q', max_bytes => 0)$$,
    $$SELECT weir.create_bucket('kvh.q', ttl => '0')$$,
    $$SELECT weir.kv_put_text('kvh.p', 'k', repeat('x', 200))$$]) c;
SELECT weir.drop_bucket('kvh.p'), weir.drop_bucket('kvh.p');
SELECT weir.create_bucket('kvh.p');
SELECT properties FROM weir.bucket_info('kvh.p');

-- History, counted before and after.
SELECT count(weir.kv_put('kvh.h', 'k' || i % 10, to_jsonb(i))) FROM generate_series(1, 400) i;
SELECT deleted FROM weir.kv_delete('kvh.h', 'k0');
SELECT keys, changes, bytes FROM weir.bucket_info('kvh.h');
SELECT failures FROM weir.housekeep('buckets');
SELECT keys, changes, bytes, pg_temp.rows_of('kvh.h') FROM weir.bucket_info('kvh.h');
SELECT weir.alter_bucket('kvh.h', history => 3);
SELECT count(weir.kv_put('kvh.h', 'k' || i % 10, to_jsonb(i))) FROM generate_series(401, 430) i;
SELECT keys, changes FROM weir.bucket_info('kvh.h');
SELECT failures FROM weir.housekeep('buckets');
SELECT keys, changes, pg_temp.rows_of('kvh.h') FROM weir.bucket_info('kvh.h');
SELECT weir.alter_bucket('kvh.h', reset => '{history}');
SELECT count(*) FROM weir.kv_history('kvh.h', 'k1');
SELECT failures FROM weir.housekeep('buckets');
SELECT keys, changes, pg_temp.rows_of('kvh.h') FROM weir.bucket_info('kvh.h');
SELECT purged FROM weir.kv_purge('kvh.h', 'k1');
SELECT keys, changes FROM weir.bucket_info('kvh.h');
SELECT failures FROM weir.housekeep('buckets');
SELECT keys, changes, pg_temp.rows_of('kvh.h') FROM weir.bucket_info('kvh.h');
SELECT count(*), min(value::text::integer) FROM weir.kv_scan('kvh.h');

-- Expiry: by the clock, then as a change; a key that is written again has not expired.
SELECT weir.kv_put('kvh.e', 'gone', '1', ttl => '100 milliseconds') IS NOT NULL AS put;
SELECT weir.kv_put('kvh.e', 'again', '1', ttl => '100 milliseconds') IS NOT NULL AS put;
SELECT weir.kv_put('kvh.e', 'again', '2') IS NOT NULL AS put;
SELECT weir.kv_put('kvh.e', 'made', '1', ttl => '100 milliseconds') IS NOT NULL AS put;
SELECT weir.kv_put('kvh.e', 'stays', '1', ttl => '1 hour') IS NOT NULL AS put;
SELECT expires_at > at AS has_an_end FROM weir.kv_entry('kvh.e', 'stays');
SELECT pg_sleep(0.11);
SELECT weir.kv_get('kvh.e', 'gone'), (SELECT count(*) FROM weir.kv_scan('kvh.e')) AS there,
       (SELECT count(*) FROM weir.kv_watch('kvh.e')) AS watched;
SELECT * FROM weir.kv_update('kvh.e', 'gone', '2', (SELECT revision FROM weir.kv_history('kvh.e', 'gone')));
SELECT created FROM weir.kv_create('kvh.e', 'made', '2');
SELECT failures FROM weir.housekeep('expiry');
SELECT key, op, value FROM weir.kv_watch('kvh.e', after => '-');
SELECT failures FROM weir.housekeep('expiry');
SELECT count(*) FROM weir.kv_watch('kvh.e', after => '-');
SELECT created FROM weir.kv_create('kvh.e', 'gone', '3');
SELECT key, value FROM weir.kv_scan('kvh.e');
SELECT weir.create_bucket('kvh.t', ttl => '100 milliseconds');
SELECT weir.kv_put('kvh.t', 'k', '1') IS NOT NULL AS put;
SELECT pg_sleep(0.11);
SELECT weir.kv_get('kvh.t', 'k');

-- Room: refused with an error, or the oldest out.
SELECT weir.create_bucket('kvh.r', max_bytes => 1000);
SELECT count(weir.kv_put_bytes('kvh.r', 'k' || i, decode(repeat('00', 97), 'hex'))) FROM generate_series(1, 10) i;
SELECT pg_temp.state($$SELECT weir.kv_put_bytes('kvh.r', 'k11', decode(repeat('00', 97), 'hex'))$$);
SELECT keys, bytes FROM weir.bucket_info('kvh.r');
-- What takes the place of something as large fits, as does what comes where something went.
SELECT count(weir.kv_put_bytes('kvh.r', 'k3', decode(repeat('00', 97), 'hex'))) FROM generate_series(1, 50) i;
SELECT purged FROM weir.kv_purge('kvh.r', 'k5');
SELECT weir.kv_put_bytes('kvh.r', 'new', decode(repeat('00', 90), 'hex')) IS NOT NULL AS put;
SELECT weir.alter_bucket('kvh.r', evict => true);
SELECT weir.kv_put_bytes('kvh.r', 'over', decode(repeat('00', 200), 'hex')) IS NOT NULL AS put;
SELECT failures FROM weir.housekeep('buckets');
SELECT bytes <= 1000 AS has_room, keys FROM weir.bucket_info('kvh.r');
SELECT key, op FROM weir.kv_watch('kvh.r', after => '-') WHERE op = 'expire';
SELECT k FROM weir.kv_keys('kvh.r') k;

SELECT weir.drop_bucket(b) FROM weir.list_buckets('kvh.*') b;
