-- SPDX-License-Identifier: PostgreSQL
-- Claim: ack(name) acknowledges exactly what its transaction has fetched, in every stream of the
-- subscription, with what the filter dropped on the way; not what a rolled-back savepoint fetched, not what
-- another transaction did; and where there is nothing that it could mean it says so, whatever order a
-- statement is evaluated in.
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.fetched(name text, max integer DEFAULT 100) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(f.stream || ' ' || (f.payload #>> '{}'), ', ' ORDER BY f.stream, f.n)
   FROM weir.fetch($1, $2) WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n) $$;
CREATE VIEW lag AS
    SELECT name, stream, lag_frames FROM weir.subscriptions WHERE name LIKE 'sa.%' ORDER BY name, stream;
CREATE TABLE handled (n integer);
SELECT weir.emit('sa.t', to_jsonb(i), 'n') FROM generate_series(1, 6) i;
SELECT weir.subscribe('sa.one', 'sa.t', '-');

-- What was fetched, and no more; again, nothing.
BEGIN;
INSERT INTO handled SELECT payload::integer FROM weir.fetch('sa.one', 2);
SELECT weir.append('sa.t', '7') IS NOT NULL AS meanwhile;
SELECT weir.ack('sa.one') AS passed;
SELECT weir.ack('sa.one') AS again;
COMMIT;
SELECT pg_temp.fetched('sa.one');
SELECT * FROM lag;
-- All that fetch() gave, whatever the query made of it; once a row does no harm.
BEGIN;
SELECT payload FROM weir.fetch('sa.one', 2) LIMIT 1;
SELECT weir.ack('sa.one', stream => 'sa.t') AS passed;
ROLLBACK;
SELECT f.payload, weir.ack('sa.one') AS passed FROM weir.fetch('sa.one', 2) f;
SELECT pg_temp.fetched('sa.one');
-- Several fetches before one ack: up to the furthest.
BEGIN;
SELECT pg_temp.fetched('sa.one', 2) AS two, pg_temp.fetched('sa.one', 1) AS one;
SELECT weir.ack('sa.one') AS passed;
-- And on from there.
SELECT pg_temp.fetched('sa.one', 1) AS next;
SELECT weir.ack('sa.one') AS passed, pg_temp.fetched('sa.one') AS rest;
COMMIT;
SELECT pg_temp.fetched('sa.one');

-- Nothing was fetched here, or there was nothing: these differ.
SELECT weir.ack('sa.one');
BEGIN;
SELECT weir.seek('sa.one', '+');
SELECT pg_temp.fetched('sa.one') AS fetched;
SELECT weir.ack('sa.one') AS passed;
ROLLBACK;
SELECT weir.ack('sa.none');
SELECT pg_temp.fetched('sa.one', 1);
SELECT weir.ack('sa.one', NULL), pg_temp.fetched('sa.one', 1);
BEGIN;
SELECT pg_temp.fetched('sa.one', 1);
SELECT weir.ack('sa.one', stream => 'sa.u');
ROLLBACK;
SELECT weir.ack('sa.one', stream => 'sa.t');

-- One statement in which the ack is evaluated first: its events are not handled and lost from sight.
SELECT weir.seek('sa.one', '-');
WITH event AS (SELECT * FROM weir.fetch('sa.one', 2)),
     done AS (INSERT INTO handled SELECT payload::integer FROM event)
SELECT weir.ack('sa.one');
BEGIN;
SELECT pg_temp.fetched('sa.one', 1);
SELECT weir.ack('sa.one') AS passed;
WITH event AS (SELECT * FROM weir.fetch('sa.one', 2)),
     done AS (INSERT INTO handled SELECT payload::integer FROM event)
SELECT weir.ack('sa.one');
ROLLBACK;
BEGIN;
SELECT weir.ack('sa.one') AS passed FROM (SELECT count(*) FROM weir.fetch('sa.one', 2)) f;
SELECT weir.ack('sa.one') AS again, pg_temp.fetched('sa.one', 1);
ROLLBACK;

-- Savepoints: one that is rolled back forgets its own fetch, and its ack; one that is released does not.
BEGIN;
SAVEPOINT a;
SELECT pg_temp.fetched('sa.one', 2);
ROLLBACK TO a;
SELECT weir.ack('sa.one');
ROLLBACK;
BEGIN;
SELECT pg_temp.fetched('sa.one', 1);
SAVEPOINT a;
SELECT pg_temp.fetched('sa.one', 3);
SAVEPOINT b;
SELECT pg_temp.fetched('sa.one', 5);
RELEASE b;
SELECT weir.ack('sa.one') AS five;
ROLLBACK TO a;
SELECT weir.ack('sa.one') AS one;
SAVEPOINT c;
SAVEPOINT d;
SELECT pg_temp.fetched('sa.one', 2);
RELEASE d;
RELEASE c;
SELECT weir.ack('sa.one') AS two;
ROLLBACK;
-- A block with a handler is one.
DO $$
BEGIN
    BEGIN
        INSERT INTO handled SELECT payload::integer FROM weir.fetch('sa.one', 4);
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    INSERT INTO handled SELECT payload::integer FROM weir.fetch('sa.one', 2);
    RAISE NOTICE 'passed %', weir.ack('sa.one');
END
$$;
SET client_min_messages = notice;
DO $$
BEGIN
    FOR i IN 1 .. 3 LOOP
        PERFORM pg_temp.fetched('sa.one', 1);
        RAISE NOTICE 'passed %', weir.ack('sa.one');
        IF i = 1 THEN COMMIT; END IF; -- behind it nothing is fetched yet
    END LOOP;
    COMMIT;
    PERFORM weir.ack('sa.one');
END
$$;
SELECT pg_temp.fetched('sa.one');

-- To seek is to forget what was fetched; undone, it is known again.
BEGIN;
SELECT pg_temp.fetched('sa.one', 2);
SAVEPOINT a;
SELECT weir.seek('sa.one', '-');
SELECT weir.ack('sa.one');
ROLLBACK TO a;
SELECT weir.ack('sa.one') AS passed;
ROLLBACK;
BEGIN;
SELECT weir.seek('sa.one', '-');
SELECT pg_temp.fetched('sa.one', 3);
SELECT weir.seek('sa.one', '-', 'sa.t');
SELECT weir.ack('sa.one') AS passed, pg_temp.fetched('sa.one', 1);
SELECT weir.ack('sa.one') AS passed;
ROLLBACK;
-- An explicit position beside it: forward only.
BEGIN;
SELECT weir.seek('sa.one', '-');
SELECT count(*) AS fetched, max(id) AS third FROM weir.fetch('sa.one', 3) \gset
SELECT weir.ack('sa.one', :'third') AS passed, weir.ack('sa.one') AS rest;
COMMIT;

-- Several streams, merged; only so far as the events of each were given out. Two subscriptions in one transaction.
-- A millisecond each: within one, positions of different streams are in no order.
DO $$ BEGIN FOR i IN 1 .. 9 LOOP PERFORM weir.append('sa.m.' || chr(97 + i % 3), to_jsonb(i)), pg_sleep(0.002); COMMIT; END LOOP; END $$;
SELECT weir.subscribe('sa.many', 'sa.m.*', '-'), weir.subscribe('sa.odd', 'sa.m.*', '-', types => '{none}');
BEGIN;
SELECT pg_temp.fetched('sa.many', 4), pg_temp.fetched('sa.odd');
SELECT weir.ack('sa.many') AS many;
SELECT * FROM lag WHERE name IN ('sa.many', 'sa.odd');
-- What the filter dropped, though nothing was given out.
SELECT weir.ack('sa.odd') AS odd;
SELECT * FROM lag WHERE name = 'sa.odd';
COMMIT;
BEGIN;
SELECT pg_temp.fetched('sa.many', 4);
SELECT weir.ack('sa.many', stream => 'sa.m.a') AS a, weir.ack('sa.many', stream => 'sa.m.new') AS new;
SELECT weir.ack('sa.many') AS others;
SELECT pg_temp.fetched('sa.many');
COMMIT;
-- Events of several streams that have one position come in the same order each time.
DO $$ BEGIN
    FOR i IN 1 .. 20 LOOP PERFORM weir.append('sa.e.' || s, to_jsonb(i)) FROM generate_series(1, 9) s; COMMIT; END LOOP;
END $$;
SELECT weir.subscribe('sa.equal', 'sa.e.*', '-');
WITH event AS MATERIALIZED (SELECT f.id, f.stream, s.id AS stream_id, f.n FROM weir.fetch('sa.equal', 1000)
              WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n)
              JOIN weir.registry s ON s.name = f.stream)
SELECT count(*), array_agg(stream ORDER BY n) = array_agg(stream ORDER BY id::bigint, stream_id) AS in_order,
       count(DISTINCT id::bigint) < count(*) AS some_equal FROM event;
-- A filter that passes some: what is dropped behind the last event goes with it.
SELECT weir.append('sa.f', to_jsonb(i), CASE i % 3 WHEN 0 THEN 'yes' ELSE 'no' END) IS NOT NULL AS appended
FROM generate_series(1, 8) i;
SELECT weir.subscribe('sa.f', 'sa.f', '-', types => '{yes}');
BEGIN;
SELECT pg_temp.fetched('sa.f');
SELECT weir.ack('sa.f') AS passed;
SELECT * FROM lag WHERE name = 'sa.f';
COMMIT;

-- REPEATABLE READ; trimmed meanwhile by itself; and with all of the isolation there is.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT weir.seek('sa.one', '-');
SELECT pg_temp.fetched('sa.one', 3);
SELECT weir.ack('sa.one') AS passed;
SELECT pg_temp.fetched('sa.one', 1);
COMMIT;
BEGIN;
SELECT pg_temp.fetched('sa.one', 2);
SELECT weir.trim('sa.t', keep => 1) AS trimmed;
SELECT weir.ack('sa.one') AS passed;
SELECT * FROM lag WHERE name = 'sa.one';
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT pg_temp.fetched('sa.one', 2);
SELECT weir.ack('sa.one') AS passed;
COMMIT;
SELECT * FROM lag WHERE name = 'sa.one';

-- Memory goes by the stream, not by the event, the fetch or the savepoint that is over.
DO $$
BEGIN
    FOR i IN 1 .. 2000 LOOP
        BEGIN
            PERFORM weir.fetch('sa.one', 1), weir.fetch('sa.many', 1);
        EXCEPTION WHEN OTHERS THEN RAISE;
        END;
    END LOOP;
    ASSERT (SELECT sum(total_bytes) < 65536 FROM pg_backend_memory_contexts WHERE name = 'weir fetched');
END
$$;

SELECT weir.unsubscribe('sa.equal'), count(weir.drop_stream('sa.e.' || s)) FROM generate_series(1, 9) s;
SELECT weir.unsubscribe(name) FROM unnest(ARRAY['sa.one', 'sa.many', 'sa.odd', 'sa.f']) name;
SELECT weir.drop_stream(s) FROM unnest(ARRAY['sa.t', 'sa.f', 'sa.m.a', 'sa.m.b', 'sa.m.c']) s;
DROP VIEW lag;
DROP TABLE handled;
