-- SPDX-License-Identifier: PostgreSQL
-- Claim: the calls of the doorbell do what their comments say, as far as one
-- session can see, and every misuse is an error of its own: channels, notify(),
-- the views, the settings, and who may use them. What notifications arrive is
-- tested where there is somebody to hear them (test/fault/doorbell.sh).

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;

-- Channels: a stream's name where it fits, else its start and a hash, never more than NAMEDATALEN allows.
SELECT weir.channel(), weir.channel('orders'), weir.channel(E'say "why"\n''ü''');
SELECT octet_length(weir.channel(repeat('x', 58))) AS fits, weir.channel(repeat('x', 58)) = 'weir:' || repeat('x', 58) AS whole;
SELECT octet_length(weir.channel(repeat('x', 59))) AS cut, weir.channel(repeat('x', 59)) LIKE 'weir:' || repeat('x', 41) || '~%' AS start;
-- Cut between characters, and different where only the ends differ.
SELECT octet_length(weir.channel(repeat('ü', 30))) AS bytes, weir.channel(repeat('ü', 30)) LIKE 'weir:' || repeat('ü', 20) || '~%' AS start;
SELECT count(DISTINCT weir.channel(repeat('x', 500) || n)) FROM generate_series(1, 100) n;
-- Every one of them can be listened to.
DO $$
DECLARE
    c text;
BEGIN
    FOR c IN SELECT weir.channel() UNION ALL SELECT weir.channel(name) FROM unnest(ARRAY['a', 'a b', '"', '''', repeat('x', 58), repeat('x', 512), repeat('€', 170)]) name LOOP
        EXECUTE format('LISTEN %I', c);
    END LOOP;
END
$$;
SELECT count(*) AS channels FROM pg_listening_channels();
UNLISTEN *;
SELECT weir.channel(NULL) = weir.channel() AS null_for_null;
SELECT pg_temp.state_of('SELECT weir.channel('''')') AS empty, pg_temp.state_of('SELECT weir.channel(''  '')') AS blank, pg_temp.state_of('SELECT weir.channel(repeat(''x'', 513))') AS long;
SELECT weir.channel('');
SELECT weir.channel(repeat('x', 513));

-- notify(): what it refuses, and what it takes.
SELECT weir.notify(NULL);
SELECT weir.notify(NULL, 'payload');
SELECT weir.notify('');
SELECT weir.notify(repeat('x', 64));
SELECT weir.notify('doorbell', repeat('x', 8000));
SELECT weir.notify('doorbell'), weir.notify('doorbell', NULL), weir.notify(repeat('x', 63), 'x'), weir.notify('doorbell', repeat('x', 7999));
SELECT weir.notify(channel => 'doorbell', payload => 'named');
BEGIN READ ONLY;
SELECT weir.notify('doorbell', 'as NOTIFY, also where nothing may be written');
COMMIT;

-- ring(): for triggers only.
SELECT weir.ring();
CREATE TABLE doorbell_a (id integer PRIMARY KEY, t text);
CREATE TRIGGER r BEFORE INSERT ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring('doorbell');
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE TRIGGER r AFTER INSERT ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring();
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE TRIGGER r AFTER INSERT ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring('doorbell', 'id', 't');
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE TRIGGER r AFTER INSERT ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring('');
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE TRIGGER r AFTER INSERT ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE TRIGGER r AFTER INSERT ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring('doorbell', 'absent');
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE TRIGGER r AFTER INSERT ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring('doorbell', 'ctid');
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE TRIGGER r AFTER INSERT ON doorbell_a FOR EACH STATEMENT EXECUTE FUNCTION weir.ring('doorbell', 'id');
INSERT INTO doorbell_a VALUES (1, 'a');
DROP TRIGGER r ON doorbell_a;
CREATE VIEW doorbell_b AS SELECT * FROM doorbell_a;
CREATE TRIGGER r INSTEAD OF INSERT ON doorbell_b FOR EACH ROW EXECUTE FUNCTION weir.ring('doorbell');
INSERT INTO doorbell_b VALUES (1, 'a');
DROP VIEW doorbell_b;
CREATE TRIGGER r AFTER INSERT OR UPDATE OR DELETE ON doorbell_a FOR EACH ROW EXECUTE FUNCTION weir.ring('doorbell', 't');
CREATE TRIGGER s AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON doorbell_a FOR EACH STATEMENT EXECUTE FUNCTION weir.ring('doorbell');
INSERT INTO doorbell_a VALUES (1, 'a'), (2, NULL), (3, repeat('x', 7999));
INSERT INTO doorbell_a VALUES (4, repeat('x', 8000));
UPDATE doorbell_a SET t = 'b';
ALTER TABLE doorbell_a DROP COLUMN t;
DELETE FROM doorbell_a WHERE id = 1;
DROP TRIGGER r ON doorbell_a;
DELETE FROM doorbell_a WHERE id = 1;
TRUNCATE doorbell_a;

-- wait(): the cases that need no waiting. Ready is as of now, own cursors as given.
SELECT weir.append('doorbell.a', '1') AS one \gset
SELECT weir.append_best_effort('doorbell.a', '2') AS two \gset
CALL weir.wait('doorbell.a', NULL, '0');
CALL weir.wait('doorbell.a', :'one', '0');
CALL weir.wait('doorbell.a', :'two', '0');
CALL weir.wait(stream => 'doorbell.a', after => '0-0', timeout => '2147483647 ms', ready => false);
CALL weir.wait('doorbell.absent', NULL, '0');
CALL weir.wait('doorbell.absent', '+', '0');
CALL weir.wait_many('{doorbell.absent,doorbell.a}', NULL, '0');
CALL weir.wait_many('{doorbell.absent,doorbell.a}', ARRAY[NULL, :'two']::weir.position[], '0');
CALL weir.wait_many('{doorbell.a,doorbell.a}', ARRAY[:'two', :'one']::weir.position[], '0');
-- Out of time, without a ring.
CALL weir.wait('doorbell.a', :'two', '20 ms');
-- A closed stream says so, behind its mark, and a dropped one behind what was read of it; from the start it is as
-- one not yet written.
SELECT weir.close('doorbell.a') AS mark \gset
CALL weir.wait('doorbell.a', :'two', '0');
CALL weir.wait('doorbell.a', :'mark', '60 s');
SELECT weir.drop_stream('doorbell.a') AS dropped;
CALL weir.wait('doorbell.a', :'mark', '60 s');
CALL weir.wait_many('{doorbell.absent,doorbell.a}', ARRAY[NULL, :'mark']::weir.position[], '60 s');
CALL weir.wait('doorbell.a', timeout => '20 ms');
-- Trimmed away is nothing to read, and a cursor that missed it is told.
SELECT weir.append('doorbell.t', '1') AS one, weir.append('doorbell.t', '2') AS two \gset
SELECT weir.trim('doorbell.t', keep => 0) AS trimmed;
CALL weir.wait('doorbell.t', :'one', '60 s');
CALL weir.wait_many('{doorbell.absent,doorbell.t}', ARRAY[NULL, :'one']::weir.position[], '60 s');
CALL weir.wait('doorbell.t', :'two', '0');
CALL weir.wait('doorbell.t', NULL, '0');

-- Bad arguments.
CALL weir.wait(NULL, NULL, '0');
CALL weir.wait('', NULL, '0');
CALL weir.wait(repeat('x', 513), NULL, '0');
CALL weir.wait('doorbell.t', NULL, NULL);
CALL weir.wait('doorbell.t', NULL, '-1 ms');
CALL weir.wait('doorbell.t', NULL, '200 years');
CALL weir.wait('doorbell.t', subscription => 'doorbell.t');
CALL weir.wait(subscription => 'doorbell.absent', after => '1-0');
CALL weir.wait(subscription => 'doorbell.absent');
CALL weir.wait_many(subscriptions => '{doorbell.absent,NULL}');
\set VERBOSITY terse
CALL weir.wait('doorbell.t', '+', '0');
\set VERBOSITY default
CALL weir.wait_many(NULL, NULL, '0');
CALL weir.wait_many('{}', NULL, '0');
CALL weir.wait_many('{doorbell.t,NULL}', NULL, '0');
CALL weir.wait_many('{{doorbell.t}}', NULL, '0');
CALL weir.wait_many('{doorbell.t,doorbell.u}', '{0-0}', '0');
CALL weir.wait_many('{doorbell.t,""}', NULL, '0');
CALL weir.wait_many('{doorbell.t}', NULL, NULL);
CALL weir.wait_many('{doorbell.t}', NULL, '-1 ms');

-- A place where the transaction cannot be let go of while waiting.
BEGIN;
CALL weir.wait('doorbell.t', NULL, '0');
ROLLBACK;
BEGIN;
\set VERBOSITY terse
CALL weir.wait_many('{doorbell.t}', NULL, '0');
ROLLBACK;
SELECT 1 \; CALL weir.wait('doorbell.t', NULL, '0');
SELECT weir.wait('doorbell.t', NULL, '0');
CREATE FUNCTION doorbell_f() RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE r boolean; why text; BEGIN CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); RETURN r; END $$;
SELECT doorbell_f();
DO $$ BEGIN PERFORM doorbell_f(); END $$;
DO $$ DECLARE r boolean; why text; BEGIN CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
CREATE PROCEDURE doorbell_p(INOUT r boolean DEFAULT NULL, INOUT why text DEFAULT NULL) LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); END $$;
CALL doorbell_p();
CREATE OR REPLACE PROCEDURE doorbell_p(INOUT r boolean DEFAULT NULL, INOUT why text DEFAULT NULL) LANGUAGE plpgsql SET search_path = public AS $$ BEGIN CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); END $$;
CALL doorbell_p();
\set VERBOSITY default
-- A procedure or DO block at top level is no such place.
CREATE OR REPLACE PROCEDURE doorbell_p(INOUT r boolean DEFAULT NULL, INOUT why text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
    CALL weir.wait('doorbell.t', NULL, '10 ms', ready => r, reason => why);
    RAISE NOTICE 'first: %', r;
    PERFORM weir.append('doorbell.t', '3');
    COMMIT;
    CALL weir.wait('doorbell.t', NULL, '10 ms', ready => r, reason => why);
END
$$;
CALL doorbell_p();
DO $$ DECLARE r boolean; why text; BEGIN CALL weir.wait('doorbell.t', NULL, '10 ms', ready => r, reason => why); RAISE NOTICE 'ready: %', r; END $$;
-- But it would commit what they wrote, so it refuses, whether it would have to wait or not.
DO $$ DECLARE r boolean; why text; BEGIN PERFORM weir.append('doorbell.t', '"not committed"'); CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); END $$;
DO $$ DECLARE r boolean; why text; BEGIN PERFORM weir.emit('doorbell.t', '"not committed"', 'n'); CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); END $$;
DO $$ DECLARE r boolean; why text; BEGIN PERFORM weir.notify('doorbell', 'not committed'); CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); END $$;
DO $$ DECLARE r boolean; why text; BEGIN PERFORM pg_notify('doorbell', 'not committed'); CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); END $$;
DO $$ DECLARE r boolean; why text; BEGIN BEGIN PERFORM weir.emit('doorbell.t', '{}', 'n'), weir.notify('doorbell', 'not committed'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
    CALL weir.wait('doorbell.t', NULL, '0', ready => r, reason => why); RAISE NOTICE 'what was rolled back does no harm: %', why; END $$;
SELECT count(*) AS not_committed FROM weir.read('doorbell.t') WHERE payload = '"not committed"';

-- In every isolation level.
SELECT weir.head('doorbell.t') AS head \gset
SET default_transaction_isolation = 'repeatable read';
CALL weir.wait('doorbell.t', :'head', '20 ms');
SET default_transaction_isolation = 'serializable';
CALL weir.wait('doorbell.t', :'head', '20 ms');
SET default_transaction_read_only = on;
CALL weir.wait('doorbell.t', NULL, '20 ms');
RESET default_transaction_isolation;
RESET default_transaction_read_only;

-- Ended by a timeout or a cancel, and the session goes on.
SET statement_timeout = '50ms';
CALL weir.wait('doorbell.t', :'head', '60 s');
RESET statement_timeout;
CALL weir.wait('doorbell.t', :'head', '20 ms');

-- Settings.
SHOW weir.doorbell;
SHOW weir.poll_interval;
SET weir.doorbell = 'sometimes';
\set VERBOSITY sqlstate
SET weir.poll_interval = 9;
SET weir.poll_interval = '2h';
\set VERBOSITY default
SELECT name, setting, unit, context, min_val, max_val, enumvals FROM pg_settings WHERE name IN ('weir.doorbell', 'weir.poll_interval') ORDER BY name;
SET weir.doorbell = off;
SELECT mode FROM weir.doorbell;
SELECT weir.append('doorbell.t', '4') IS NOT NULL AS done;
SELECT weir.notify('doorbell', 'from off');
RESET weir.doorbell;

-- The views.
SELECT count(*) AS rows, bool_and(rings >= 0 AND sent >= 0 AND coalesced >= 0 AND looked_at_everything >= 0 AND notified >= 0 AND
       notified_in_commit >= 0 AND worker_starts >= 0 AND failures >= 0 AND held_back >= 0) AS counts FROM weir.doorbell;
SELECT * FROM weir.blockers;
BEGIN;
SELECT weir.append('doorbell.t', '5') IS NOT NULL AS done;
SELECT count(*) AS own_is_not_listed FROM weir.blockers;
ROLLBACK;

-- Who may. The trigger's rights are those of who made it; who changes the table needs none.
CREATE ROLE regress_weir_bell_nobody;
CREATE ROLE regress_weir_bell_reader;
CREATE ROLE regress_weir_bell_writer;
SELECT weir.grant_access('regress_weir_bell_reader', 'read');
SELECT weir.grant_access('regress_weir_bell_writer', 'write');
DROP TRIGGER s ON doorbell_a;
CREATE TRIGGER s AFTER INSERT ON doorbell_a FOR EACH STATEMENT EXECUTE FUNCTION weir.ring('doorbell');
GRANT INSERT, TRIGGER ON doorbell_a TO regress_weir_bell_nobody;
GRANT TRIGGER ON doorbell_a TO regress_weir_bell_writer;
SET ROLE regress_weir_bell_nobody;
\set VERBOSITY sqlstate
INSERT INTO doorbell_a VALUES (1);
CREATE TRIGGER t AFTER INSERT ON doorbell_a FOR EACH STATEMENT EXECUTE FUNCTION weir.ring('doorbell');
SELECT weir.channel('doorbell.t');
SELECT weir.notify('doorbell');
CALL weir.wait('doorbell.t', NULL, '0');
SELECT * FROM weir.blockers;
SELECT * FROM weir.doorbell;
SET ROLE regress_weir_bell_reader;
SELECT weir.channel('doorbell.t'), weir.channel();
CALL weir.wait('doorbell.t', NULL, '0');
CALL weir.wait_many('{doorbell.t}', NULL, '0');
SELECT count(*) FROM weir.blockers;
SELECT count(*) FROM weir.doorbell;
SELECT weir.notify('doorbell');
SET weir.doorbell = off;
SET weir.poll_interval = 10;
SET ROLE regress_weir_bell_writer;
SELECT weir.notify('doorbell');
CREATE TRIGGER t AFTER INSERT ON doorbell_a FOR EACH STATEMENT EXECUTE FUNCTION weir.ring('doorbell');
CALL weir.wait('doorbell.t', NULL, '0');
\set VERBOSITY default
RESET ROLE;
SELECT weir.revoke_access('regress_weir_bell_reader'), weir.revoke_access('regress_weir_bell_writer');
DROP TABLE doorbell_a;
DROP ROLE regress_weir_bell_nobody, regress_weir_bell_reader, regress_weir_bell_writer;
DROP PROCEDURE doorbell_p;
DROP FUNCTION doorbell_f;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'doorbell.%';
