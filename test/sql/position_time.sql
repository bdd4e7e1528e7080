-- SPDX-License-Identifier: PostgreSQL
-- Claim: a position made from a time is a cursor like any other, also on a stream that has had nothing since: nothing
-- speaks of lost frames. What lies beyond the clock is still refused, with what it may be.
SELECT weir.append('position.idle', '1') IS NOT NULL AS done;
SELECT summary_version FROM weir.append_patch('position.doc', '{"a": 1}');
SELECT weir.subscribe('position.sub', 'position.idle') AS subscribed;
SELECT pg_sleep(0.01);
SELECT count(*) AS read FROM weir.read('position.idle', after => now()::weir.position);
SELECT count(*) AS hour FROM weir.read('position.idle', after => (now() - interval '1 hour')::weir.position);
SELECT count(*) AS many FROM weir.read_many(ARRAY['position.idle', 'position.doc', 'position.none'],
    after => ARRAY_FILL(now()::weir.position, ARRAY[3]));
SELECT document, version FROM weir.summary_at('position.doc', now()::weir.position);
CALL weir.wait('position.idle', now()::weir.position, '10 ms');
SELECT weir.seek('position.sub', now()::weir.position), weir.subscribe('position.sub2', 'position.idle',
    now()::weir.position);
-- Nor does a frame that rolled back.
BEGIN;
SELECT weir.append('position.idle', '"undone"') AS undone \gset
ROLLBACK;
SELECT count(*) AS read FROM weir.read('position.idle', after => :'undone');
-- What is appended then comes behind it.
SELECT now()::weir.position AS cursor, pg_sleep(0.01) \gset
SELECT weir.append('position.idle', '2') > :'cursor' AS behind;
SELECT payload FROM weir.read('position.idle', after => :'cursor');
SELECT payload FROM weir.fetch('position.sub');
\set VERBOSITY sqlstate
SELECT count(*) FROM weir.read('position.idle', after => (now() + interval '1 hour')::weir.position);
SELECT weir.summary_at('position.doc', (now() + interval '1 hour')::weir.position);
CALL weir.wait('position.idle', (now() + interval '1 hour')::weir.position, '10 ms');
SELECT weir.seek('position.sub', (now() + interval '1 hour')::weir.position);
\set VERBOSITY default
DO $$
DECLARE
    said text;
    why text;
BEGIN
    PERFORM FROM weir.read('position.idle', after => '8796093022206-0');
EXCEPTION WHEN SQLSTATE 'WR003' THEN
    GET STACKED DIAGNOSTICS said = PG_EXCEPTION_HINT, why = PG_EXCEPTION_DETAIL;
    RAISE NOTICE '%; %; %', SQLERRM, regexp_replace(why, '\d{13}-\d+', 'ms-seq'), said;
END
$$;
SELECT weir.unsubscribe('position.sub'), weir.unsubscribe('position.sub2');
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'position.%';
