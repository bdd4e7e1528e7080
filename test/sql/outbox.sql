-- SPDX-License-Identifier: PostgreSQL
-- Claim: what a transaction emits is in its streams exactly if it commits, in the
-- order of the emits; not before the commit, and after everything that runs in it, deferred
-- triggers and held cursors included; rolled-back savepoints take theirs along. A bad
-- argument is an error of the call, and nothing of it is left.
CREATE FUNCTION pg_temp.events(stream text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(format('%s %s%s', r.type, r.payload, ' ' || r.headers::text), ', ' ORDER BY r.n)
   FROM weir.read($1) WITH ORDINALITY r(id, at, mode, type, payload, bytes, headers, n) $$;

-- On its own, and with all there is to say.
SELECT weir.emit('ob.a', '{}', 'placed');
SELECT weir.emit(stream => 'ob.a', type => 'paid', payload => '{"order": 7}', headers => '{"tenant": "acme"}');
SELECT weir.emit('ob.a', 'null', 'null payload');
SELECT pg_temp.events('ob.a');
SELECT mode, bytes IS NULL AS no_bytes, at > now() - interval '1 minute' AS recent FROM weir.read('ob.a', max => 1);

-- Not before the commit, and in the order of the emits, whatever lies between.
BEGIN;
SELECT weir.emit('ob.b', to_jsonb(i), 'n') FROM generate_series(1, 3) i;
SELECT weir.emit('ob.c', '{}', 'other');
SELECT weir.append('ob.b', '"appended"', 'n') IS NOT NULL AS appended;
SELECT weir.emit('ob.b', '4', 'n');
SELECT pg_temp.events('ob.b') AS own;
COMMIT;
SELECT pg_temp.events('ob.b'), pg_temp.events('ob.c');
-- No transaction id is taken before the commit, so that it holds nobody back.
BEGIN;
SELECT weir.emit('ob.b', '5', 'n');
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_xid;
ROLLBACK;
SELECT pg_temp.events('ob.b');

-- Savepoints: rolled back, released, released into one that is rolled back, and again.
BEGIN;
SELECT weir.emit('ob.d', '"1 kept"', 's');
SAVEPOINT a;
SELECT weir.emit('ob.d', '"2 gone"', 's');
SAVEPOINT b;
SELECT weir.emit('ob.d', '"3 gone"', 's');
RELEASE b;
SELECT weir.emit('ob.d', '"4 gone"', 's');
ROLLBACK TO a;
SELECT weir.emit('ob.d', '"5 kept"', 's');
SAVEPOINT c;
SELECT weir.emit('ob.d', '"6 kept"', 's');
RELEASE c;
SAVEPOINT d;
SAVEPOINT e;
SELECT weir.emit('ob.d', '"7 gone"', 's');
RELEASE e;
ROLLBACK TO d;
RELEASE a;
SELECT weir.emit('ob.d', '"8 kept"', 's');
COMMIT;
SELECT pg_temp.events('ob.d');
-- So it is in PL/pgSQL, where a block with EXCEPTION is one.
DO $$
BEGIN
    FOR i IN 1 .. 6 LOOP
        BEGIN
            PERFORM weir.emit('ob.e', to_jsonb(i), 'plpgsql');
            IF i % 3 = 0 THEN
                RAISE division_by_zero;
            END IF;
        EXCEPTION WHEN division_by_zero THEN
            PERFORM weir.emit('ob.e', to_jsonb(i), 'caught');
        END;
    END LOOP;
END
$$;
SELECT pg_temp.events('ob.e');
-- A transaction that fails emits nothing, not even in the next one.
BEGIN;
SELECT weir.emit('ob.e', '{}', 'failed');
SELECT 1 / 0;
COMMIT;
SELECT weir.emit('ob.e', '{}', 'next');
SELECT pg_temp.events('ob.e');

-- Whatever else runs at commit comes before: deferred triggers, cursors that are held.
CREATE TABLE ob (id integer PRIMARY KEY);
CREATE FUNCTION ob_deferred() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM weir.emit('ob.f', to_jsonb(NEW.id), 'deferred'); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER ob_deferred AFTER INSERT ON ob DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ob_deferred();
BEGIN;
INSERT INTO ob VALUES (1), (2);
SELECT weir.emit('ob.f', '3', 'direct');
DECLARE held CURSOR WITH HOLD FOR SELECT weir.emit('ob.f', to_jsonb(i), 'held') IS NULL FROM generate_series(4, 5) i;
COMMIT;
CLOSE held;
SELECT pg_temp.events('ob.f');
-- A deferred trigger that fails takes all of it along.
CREATE OR REPLACE FUNCTION ob_deferred() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM weir.emit('ob.f', to_jsonb(NEW.id), 'deferred'); RAISE 'not today'; END $$;
BEGIN;
SELECT weir.emit('ob.f', '6', 'direct');
INSERT INTO ob VALUES (3);
COMMIT;
SELECT pg_temp.events('ob.f');
DROP TABLE ob;

-- Procedures commit as they go; chained transactions start empty.
CREATE PROCEDURE ob_steps() LANGUAGE plpgsql AS
$$
BEGIN
    FOR i IN 1 .. 4 LOOP
        PERFORM weir.emit('ob.g', to_jsonb(i), 'step');
        IF i % 2 = 0 THEN ROLLBACK; ELSE COMMIT; END IF;
    END LOOP;
END
$$;
CALL ob_steps();
DROP PROCEDURE ob_steps();
BEGIN;
SELECT weir.emit('ob.g', '1', 'chain');
COMMIT AND CHAIN;
SELECT weir.emit('ob.g', '2', 'chain');
COMMIT;
SELECT pg_temp.events('ob.g');

-- Many streams, many events, more than one batch of them, large ones.
BEGIN;
SELECT count(weir.emit('ob.many.' || i % 7, to_jsonb(i), 'n')) FROM generate_series(1, 25000) i;
SELECT weir.emit('ob.many.0', to_jsonb(repeat(md5(i::text), 10000)), 'large') FROM generate_series(1, 3) i;
COMMIT;
SELECT sum(frames) FROM weir.streams WHERE stream LIKE 'ob.many.%';
SELECT bool_and(payload::text::integer = 7 * n) AS in_order FROM weir.read('ob.many.0', types => '{n}') WITH ORDINALITY r(id, at, mode, type, payload, bytes, headers, n);
SELECT length(payload #>> '{}') FROM weir.read('ob.many.0', types => '{large}');
SELECT weir.emit('ob.one', to_jsonb(i), 'n') IS NULL FROM generate_series(1, 12000) i OFFSET 12000;
SELECT frames FROM weir.stream_info('ob.one');

-- Prepared: written at PREPARE, there at COMMIT PREPARED; a rolled-back savepoint's are not.
BEGIN;
SELECT weir.emit('ob.h', '1', 'prepared');
SAVEPOINT s;
SELECT weir.emit('ob.h', '2', 'prepared');
ROLLBACK TO s;
PREPARE TRANSACTION 'regress_weir_outbox';
SELECT weir.emit('ob.h', '{}', 'behind');
SELECT pg_temp.events('ob.h') AS held;
COMMIT PREPARED 'regress_weir_outbox';
SELECT pg_temp.events('ob.h');
BEGIN;
SELECT weir.emit('ob.h', '3', 'prepared');
PREPARE TRANSACTION 'regress_weir_outbox';
ROLLBACK PREPARED 'regress_weir_outbox';
SELECT pg_temp.events('ob.h');

-- Every isolation level.
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT weir.emit('ob.i', '{}', 'repeatable'); COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT weir.emit('ob.i', '{}', 'serializable'); COMMIT;
-- Read only from the start, it cannot; read only since, what was emitted counts.
BEGIN READ ONLY;
\set VERBOSITY sqlstate
SELECT weir.emit('ob.i', '{}', 'never');
\set VERBOSITY default
ROLLBACK;
BEGIN;
SELECT weir.emit('ob.i', '{}', 'before');
SET TRANSACTION READ ONLY;
COMMIT;
SHOW transaction_read_only;
SELECT pg_temp.events('ob.i');

-- A stream that is closed refuses at commit, and the transaction with it.
SELECT weir.close('ob.closed') IS NOT NULL AS closed;
CREATE TABLE ob (id integer);
BEGIN;
INSERT INTO ob VALUES (1);
SELECT weir.emit('ob.before', '{}', 'x'), weir.emit('ob.closed', '{}', 'x'), weir.emit('ob.later', '{}', 'x');
COMMIT;
SELECT count(*) FROM ob;
SELECT stream FROM weir.streams WHERE stream IN ('ob.before', 'ob.later');
DROP TABLE ob;

-- Bad arguments, none of which leaves anything.
SELECT weir.emit(NULL, '{}', 't');
SELECT weir.emit('ob.x', NULL, 't');
SELECT weir.emit('  ', '{}', 't');
SELECT weir.emit('ob.x', '{}', '');
SELECT weir.emit('ob.x', '{}', 't', '[]');
SELECT weir.emit(repeat('x', 513), '{}', 't');
SELECT weir.emit('ob.x', '{}', repeat('t', 513));
SELECT weir.emit('ob.x', to_jsonb(repeat('p', 1100000)), 't');
-- The events of a transaction are bounded, with what they take in memory.
SET weir.max_emit_bytes = '64kB';
DO $$
DECLARE
    n integer := 0;
BEGIN
    LOOP
        BEGIN
            PERFORM weir.emit('ob.bounded', to_jsonb(repeat('x', 1000)), 'n');
        EXCEPTION WHEN program_limit_exceeded THEN
            RAISE NOTICE 'between 20 and 64: %', n BETWEEN 20 AND 64;
            EXIT;
        END;
        n := n + 1;
    END LOOP;
END
$$;
\set VERBOSITY terse
SELECT weir.emit('ob.x', to_jsonb(repeat('p', 100000)), 't');
-- What a savepoint gave back can be used again.
BEGIN;
SAVEPOINT s;
SELECT weir.emit('ob.again', to_jsonb(repeat('x', 50000)), 'gone');
ROLLBACK TO s;
SELECT weir.emit('ob.again', to_jsonb(repeat('x', 50000)), 'kept');
COMMIT;
\set VERBOSITY default
RESET weir.max_emit_bytes;
SELECT array_agg(type) FROM weir.read('ob.again');
SELECT frames BETWEEN 20 AND 64 AS kept FROM weir.stream_info('ob.bounded');
SELECT stream FROM weir.streams WHERE stream IN ('ob.x', '  ');
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'ob.%';
