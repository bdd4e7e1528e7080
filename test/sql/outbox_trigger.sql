-- SPDX-License-Identifier: PostgreSQL
-- Claim: weir.outbox() makes exactly one event of each changed row, with values as
-- to_jsonb() gives them, whatever statement changed it, at which level the trigger is, and
-- whoever makes the change; out-of-line values that an update left alone are there too.
-- Each misuse has an error of its own.
SET timezone = 'UTC';
CREATE FUNCTION pg_temp.drain(stream text) RETURNS SETOF jsonb LANGUAGE plpgsql AS
$$ BEGIN
    RETURN QUERY SELECT jsonb_build_object('type', r.type) || (r.payload - '{schema,table}'::text[]) || coalesce(jsonb_build_object('headers', r.headers), '{}') FROM weir.read($1) r;
    PERFORM weir.trim($1, keep => 0);
END $$;

-- Values of every kind are what to_jsonb() says.
CREATE TYPE otr_mood AS ENUM ('calm', 'rough');
CREATE TYPE otr_pair AS (x integer, y text);
CREATE DOMAIN otr_level AS integer CHECK (VALUE >= 0);
CREATE TABLE otr_types (
    id integer PRIMARY KEY, a_text text, a_varchar varchar(20), a_char char(6), a_bool boolean, a_small smallint, a_big bigint, a_numeric numeric, nan numeric,
    a_real real, a_double float8, infinite float8, a_stamp timestamp, a_stamptz timestamptz, a_date date, a_time time, an_interval interval, a_uuid uuid, bytes bytea,
    a_json json, a_jsonb jsonb, scalar_jsonb jsonb, an_array integer[], texts text[], mood otr_mood, pair otr_pair, level otr_level, a_range int4range, an_inet inet,
    dropped text, a_position weir.position, doubled integer GENERATED ALWAYS AS (id * 2) STORED, numbered integer GENERATED ALWAYS AS IDENTITY, "Odd ""name" text);
ALTER TABLE otr_types DROP COLUMN dropped, ADD COLUMN later integer DEFAULT 7;
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON otr_types FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.types');
INSERT INTO otr_types VALUES (1, E'line\n"quoted" \\ \u00fc', 'v', 'c', true, -3, 9007199254740993, 12345678901234567890.10, 'NaN', 1.5, 0.1, '-Infinity', '2020-02-29 12:34:56.789', '2020-02-29 12:34:56+02',
    '2020-02-29', '12:34', '1 month 2 days', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\x00ff', '{"z": 1, "a": 2, "z": 3}', '{"n": {"m": [1, null]}}', '"s"', '{{1,2},{3,NULL}}', '{a,NULL}',
    'rough', (1, 'two'), 3, '[1,5)', '10.0.0.1/8', '1795171438346-7', DEFAULT, DEFAULT, 'odd');
INSERT INTO otr_types (id) VALUES (2);
-- As to_jsonb() says it under the settings that events are written with.
SET IntervalStyle = 'iso_8601';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SELECT payload->'new' = to_jsonb(o) AS same FROM weir.read('otr.types') r JOIN otr_types o ON o.id = (r.payload #> '{key,id}')::integer;
SELECT type, payload - '{new}'::text[] AS rest FROM weir.read('otr.types');
-- Changed columns are found in each of them, and old is what was.
CREATE TEMP TABLE otr_before AS SELECT to_jsonb(o) AS row FROM otr_types o WHERE id = 1;
SELECT weir.trim('otr.types', keep => 0);
UPDATE otr_types n SET a_text = o.a_text, a_char = o.a_char, bytes = o.bytes, a_json = o.a_json, a_jsonb = o.a_jsonb, an_array = o.an_array, pair = o.pair FROM otr_types o WHERE o.id = 2 AND n.id = 1;
SELECT payload->'changed' AS changed, payload->'old' = b.row AS old_same, payload->'new' = to_jsonb(o) AS new_same FROM weir.read('otr.types'), otr_before b, otr_types o WHERE o.id = 1;
DELETE FROM otr_types;
SELECT type, payload->'key' AS key, payload ? 'new' AS has_new, payload #> '{old,later}' AS later FROM weir.read('otr.types', types => '{otr_types.delete}');
DROP TABLE otr_types;

-- Out-of-line values: unchanged ones are fetched, changed ones told apart.
CREATE TABLE otr_big (id integer PRIMARY KEY, large text, n integer);
ALTER TABLE otr_big ALTER large SET STORAGE EXTERNAL;
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON otr_big FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.big');
INSERT INTO otr_big VALUES (1, repeat('x', 50000), 1);
UPDATE otr_big SET n = 2;
UPDATE otr_big SET large = repeat('x', 50000), n = 3;
UPDATE otr_big SET large = repeat('y', 50000);
DELETE FROM otr_big;
SELECT type, payload->'changed' AS changed, length(payload #>> '{old,large}') AS old, left(payload #>> '{new,large}', 1) AS new, length(payload #>> '{new,large}') AS length FROM weir.read('otr.big');
-- A row too large for an event is an error of the change, with a way out.
INSERT INTO otr_big VALUES (1, repeat('x', 1100000), 1);
DROP TRIGGER t ON otr_big;
CREATE TRIGGER t AFTER INSERT OR UPDATE ON otr_big FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.slim', 'columns=n');
INSERT INTO otr_big VALUES (1, repeat('x', 1100000), 1);
UPDATE otr_big SET large = '';
UPDATE otr_big SET n = 2;
SELECT * FROM pg_temp.drain('otr.slim');
DROP TABLE otr_big;

-- The arguments: key, columns, type, headers, old.
CREATE TABLE otr (id integer PRIMARY KEY, "Tenant" text, region text, state text, note text);
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON otr FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.args', 'key="Tenant",id', 'columns=state', 'type=order', 'headers="Tenant",region', 'old=off');
INSERT INTO otr VALUES (1, 'acme', 'eu', 'new', 'n');
UPDATE otr SET state = 'paid';
UPDATE otr SET note = 'm', region = 'us';
UPDATE otr SET state = state;
UPDATE otr SET "Tenant" = 'ajax';
DELETE FROM otr;
SELECT * FROM pg_temp.drain('otr.args');
DROP TRIGGER t ON otr;
-- With a condition, one event for a state.
CREATE TRIGGER t AFTER UPDATE OF state ON otr FOR EACH ROW WHEN (NEW.state = 'paid' AND OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION weir.outbox('otr.args', 'type=order.paid', 'columns=state');
INSERT INTO otr VALUES (2, 'acme', 'eu', 'new');
UPDATE otr SET state = 'paid';
UPDATE otr SET state = 'sent';
SELECT * FROM pg_temp.drain('otr.args');
DROP TRIGGER t ON otr;
TRUNCATE otr;

-- Every way to change a row: several rows, COPY, ON CONFLICT, MERGE, a writable CTE, a rolled-back savepoint.
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON otr FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.ways', 'columns=state');
CREATE TRIGGER tt AFTER TRUNCATE ON otr FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('otr.ways');
INSERT INTO otr (id, state) SELECT i, 'inserted' FROM generate_series(1, 3) i;
COPY otr (id, state) FROM STDIN;
4	copied
\.
INSERT INTO otr (id, state) VALUES (4, 'x'), (5, 'upserted') ON CONFLICT (id) DO UPDATE SET state = 'updated';
INSERT INTO otr (id, state) VALUES (5, 'ignored') ON CONFLICT DO NOTHING;
MERGE INTO otr o USING (VALUES (1), (2), (6)) v(id) ON o.id = v.id WHEN MATCHED AND o.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET state = 'merged' WHEN NOT MATCHED THEN INSERT (id, state) VALUES (v.id, 'merged');
WITH gone AS (DELETE FROM otr WHERE id = 3 RETURNING id) INSERT INTO otr (id, state) SELECT id + 10, 'moved' FROM gone;
BEGIN;
SAVEPOINT s;
DELETE FROM otr;
ROLLBACK TO s;
UPDATE otr SET id = id + 100 WHERE id = 2;
COMMIT;
TRUNCATE otr;
SELECT * FROM pg_temp.drain('otr.ways');
DROP TABLE otr;

-- A deferred constraint trigger: at commit, with the row as each change left it.
CREATE TABLE otr (id integer PRIMARY KEY, state text);
CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON otr DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.deferred');
BEGIN;
INSERT INTO otr VALUES (1, 'new');
SELECT weir.emit('otr.deferred', '{}', 'emitted before');
UPDATE otr SET state = 'changed';
SET CONSTRAINTS t IMMEDIATE;
SELECT weir.emit('otr.deferred', '{}', 'emitted behind');
DELETE FROM otr;
COMMIT;
SELECT * FROM pg_temp.drain('otr.deferred');
DROP TABLE otr;

-- Statement level: the same events, in pairs, from transition tables; one of them will do for an update.
CREATE TABLE otr (id integer PRIMARY KEY, state text, junk integer);
CREATE TRIGGER i AFTER INSERT ON otr REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('otr.statement', 'columns=state');
CREATE TRIGGER u AFTER UPDATE ON otr REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('otr.statement', 'columns=state');
CREATE TRIGGER d AFTER DELETE ON otr REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('otr.statement', 'columns=state');
CREATE TRIGGER v AFTER UPDATE ON otr REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('otr.new', 'columns=state');
INSERT INTO otr SELECT i, 'new' FROM generate_series(1, 3) i;
UPDATE otr SET state = 'changed ' || id, id = id + 10 * (id % 2), junk = 1 WHERE id <> 2;
UPDATE otr SET junk = 2;
UPDATE otr SET state = '' WHERE false;
DELETE FROM otr WHERE id > 10;
SELECT * FROM pg_temp.drain('otr.statement');
SELECT * FROM pg_temp.drain('otr.new');
DROP TABLE otr;
-- A great many rows.
CREATE TABLE otr (id integer PRIMARY KEY, state text);
CREATE TRIGGER i AFTER INSERT ON otr REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('otr.bulk');
CREATE TRIGGER u AFTER UPDATE ON otr REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('otr.bulk');
SET work_mem = '64kB';
INSERT INTO otr SELECT i, 'new' FROM generate_series(1, 15000) i;
UPDATE otr SET state = 'state ' || id;
RESET work_mem;
SELECT type, count(*) FROM weir.read('otr.bulk', after => '-', max => 10000) GROUP BY type;
SELECT frames FROM weir.stream_info('otr.bulk');
SELECT bool_and(payload #>> '{new,state}' = 'state ' || (payload #>> '{old,id}')) AS paired FROM weir.read('otr.bulk', reverse => true, max => 10000);
DROP TABLE otr;

-- Partitions speak for the whole; a row that moves is deleted and inserted.
CREATE TABLE otr (k integer, state text) PARTITION BY RANGE (k);
CREATE TABLE otr_1 PARTITION OF otr FOR VALUES FROM (0) TO (10);
CREATE TABLE otr_2 (junk text, state text, k integer);
ALTER TABLE otr_2 DROP COLUMN junk;
ALTER TABLE otr ATTACH PARTITION otr_2 FOR VALUES FROM (10) TO (20);
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON otr FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.parts', 'key=k');
CREATE TRIGGER own AFTER INSERT ON otr_1 FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.part', 'key=k');
INSERT INTO otr VALUES (1, 'a'), (11, 'b');
UPDATE otr SET state = 'c';
UPDATE otr SET k = 12 WHERE k = 1;
SELECT type, payload->'table' AS table, payload - '{table,schema}'::text[] AS rest FROM weir.read('otr.parts');
SELECT type, payload->'table' AS table FROM weir.read('otr.part');
DROP TABLE otr;

-- Foreign keys that cascade.
CREATE TABLE otr_parent (id integer PRIMARY KEY);
CREATE TABLE otr_child (id integer PRIMARY KEY, parent integer REFERENCES otr_parent ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TRIGGER t AFTER UPDATE OR DELETE ON otr_child FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.cascade');
INSERT INTO otr_parent VALUES (1);
INSERT INTO otr_child VALUES (1, 1);
UPDATE otr_parent SET id = 2;
DELETE FROM otr_parent;
SELECT * FROM pg_temp.drain('otr.cascade');
DROP TABLE otr_parent, otr_child;

-- Who changes the table needs no access to weir; who makes the trigger does.
CREATE ROLE regress_weir_changer;
CREATE ROLE regress_weir_maker;
CREATE SCHEMA otr_schema AUTHORIZATION regress_weir_maker;
SET ROLE regress_weir_maker;
CREATE TABLE otr_schema.t (id integer PRIMARY KEY);
GRANT USAGE ON SCHEMA otr_schema TO regress_weir_changer;
GRANT INSERT ON otr_schema.t TO regress_weir_changer;
\set VERBOSITY sqlstate
CREATE TRIGGER t AFTER INSERT ON otr_schema.t FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.access');
RESET ROLE;
SELECT weir.grant_access('regress_weir_maker', 'write');
SET ROLE regress_weir_maker;
CREATE TRIGGER t AFTER INSERT ON otr_schema.t FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.access');
SET ROLE regress_weir_changer;
INSERT INTO otr_schema.t VALUES (1);
SELECT weir.emit('otr.access', '{}', 'forbidden');
\set VERBOSITY default
RESET ROLE;
SELECT * FROM pg_temp.drain('otr.access');
DROP SCHEMA otr_schema CASCADE;
SELECT weir.revoke_access('regress_weir_maker');
DROP ROLE regress_weir_changer, regress_weir_maker;

-- What casts and output functions of types do is done by whoever makes the change.
CREATE ROLE regress_weir_changer;
CREATE TYPE otr_cast AS ENUM ('x');
CREATE FUNCTION otr_to_json(otr_cast) RETURNS json LANGUAGE sql AS $$ SELECT to_json(current_user::text) $$;
CREATE CAST (otr_cast AS json) WITH FUNCTION otr_to_json(otr_cast);
CREATE TABLE otr (id integer PRIMARY KEY, c otr_cast);
CREATE TRIGGER t AFTER INSERT ON otr FOR EACH ROW EXECUTE FUNCTION weir.outbox('otr.who');
GRANT INSERT ON otr TO regress_weir_changer;
SET ROLE regress_weir_changer;
INSERT INTO otr VALUES (1, 'x');
RESET ROLE;
SELECT payload #> '{new,c}' AS as_user FROM weir.read('otr.who');
DROP TABLE otr;
DROP CAST (otr_cast AS json);
DROP FUNCTION otr_to_json;
DROP TYPE otr_cast;
DROP ROLE regress_weir_changer;

-- Misuse.
\set SHOW_CONTEXT never
SELECT weir.outbox();
CREATE TABLE otr (id integer, state text);
CREATE FUNCTION pg_temp.misuse(how text, arguments text, change text DEFAULT 'INSERT INTO otr VALUES (1)') RETURNS void LANGUAGE plpgsql AS
$$ BEGIN
    EXECUTE format('CREATE TRIGGER t %s EXECUTE FUNCTION weir.outbox(%s)', how, arguments);
    EXECUTE change;
END $$;
SELECT pg_temp.misuse('BEFORE INSERT ON otr FOR EACH ROW', $$'otr.x'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', '');
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$''$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH STATEMENT', $$'otr.x', 'key=id'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'id'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'keys=id'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key=id', 'key=state'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key='$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key=id,,state'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key=id,ID'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key=nothing'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key=ctid'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key=id', 'old=maybe'$$);
SELECT pg_temp.misuse('AFTER INSERT ON otr FOR EACH ROW', $$'otr.x', 'key=id', 'type='$$);
CREATE VIEW otr_view AS SELECT * FROM otr;
SELECT pg_temp.misuse('INSTEAD OF INSERT ON otr_view FOR EACH ROW', $$'otr.x', 'key=id'$$, 'INSERT INTO otr_view VALUES (1)');
SELECT count(*) FROM otr;
SELECT stream FROM weir.streams WHERE stream = 'otr.x';
DROP VIEW otr_view;
DROP TABLE otr;
DROP TYPE otr_mood, otr_pair;
DROP DOMAIN otr_level;
RESET timezone;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'otr.%';
