-- SPDX-License-Identifier: PostgreSQL
-- Claim: weir.mint() gives every inserted row a position that goes up within its key, whatever
-- was inserted, rolled back or removed before, in every kind of table; who inserts needs
-- no access to weir. Each misuse has an error of its own.
CREATE TABLE tm (room integer, id weir.position, note text);
CREATE UNIQUE INDEX ON tm (room, id);
CREATE TRIGGER mint BEFORE INSERT ON tm FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=room');
INSERT INTO tm (room, note) SELECT i % 3, i FROM generate_series(1, 9) i;
INSERT INTO tm (room, id, note) VALUES (NULL, NULL, 'null key'), (NULL, NULL, 'again'), (0, NULL, '10');
SELECT room, array_agg(note ORDER BY id) AS in_order, count(DISTINCT id) FROM tm GROUP BY room ORDER BY room;
SELECT bool_and(id::timestamptz > now() - interval '1 minute') AS now FROM tm;
-- Up after a rollback, after rows were removed and vacuumed, and in a session that knows nothing yet.
CREATE TABLE tm_last AS SELECT max(id) AS id FROM tm;
BEGIN;
INSERT INTO tm (room) VALUES (0) RETURNING id AS rolled_back \gset
ROLLBACK;
DELETE FROM tm;
VACUUM tm;
\c -
INSERT INTO tm (room) VALUES (0);
SELECT tm.id > tm_last.id AND tm.id > :'rolled_back' AS higher FROM tm, tm_last;
TRUNCATE tm;
INSERT INTO tm (room) VALUES (0);
SELECT tm.id > tm_last.id AND tm.id > :'rolled_back' AS higher FROM tm, tm_last;
DROP TABLE tm_last;
-- From what the index says, where nothing is remembered: a table that is ahead of the clock.
CREATE TABLE tm_ahead (room integer, id bigint, note text);
INSERT INTO tm_ahead VALUES (1, (now() + interval '1 hour')::weir.position::bigint, 'ahead'), (1, NULL, 'none'), (2, 5, 'behind');
CREATE INDEX ON tm_ahead (note);
CREATE INDEX ON tm_ahead (room, id DESC NULLS FIRST) INCLUDE (note);
CREATE TRIGGER mint BEFORE INSERT ON tm_ahead FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=room');
INSERT INTO tm_ahead (room, note) VALUES (1, 'next'), (1, 'after'), (2, 'now');
SELECT room, array_agg(note ORDER BY id), max(id) > (now() + interval '50 minutes')::weir.position::bigint AS ahead FROM tm_ahead GROUP BY room ORDER BY room;
DROP TABLE tm_ahead;
-- A composite key in another order than the index's, of other types; equal in the sense of the type.
CREATE TABLE tm_keys (tenant text, n numeric, kind varchar(5), id weir.position);
CREATE INDEX ON tm_keys (kind, tenant, n, id);
CREATE TRIGGER mint BEFORE INSERT ON tm_keys FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=tenant,n,kind', 'order=mint');
INSERT INTO tm_keys (tenant, n, kind) SELECT 'a', CASE WHEN i % 2 = 0 THEN 1.0 ELSE 1.00 END, 'x' FROM generate_series(1, 2000) i;
SELECT count(DISTINCT id) FROM tm_keys;
DROP TABLE tm_keys;
-- No key: one order for the table; and for all partitions of it.
CREATE TABLE tm_parts (d integer, id weir.position, n serial) PARTITION BY LIST (d);
CREATE TABLE tm_parts_1 PARTITION OF tm_parts FOR VALUES IN (1);
CREATE TABLE tm_parts_2 (n integer NOT NULL DEFAULT 0, id weir.position, junk text, d integer);
ALTER TABLE tm_parts_2 DROP COLUMN junk;
ALTER TABLE tm_parts ATTACH PARTITION tm_parts_2 FOR VALUES IN (2);
CREATE INDEX ON tm_parts (id);
CREATE TRIGGER mint BEFORE INSERT ON tm_parts FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id');
INSERT INTO tm_parts (d) SELECT 1 + i % 2 FROM generate_series(1, 100) i;
SELECT count(DISTINCT id), array_agg(n ORDER BY id) = array_agg(n ORDER BY n) AS in_order FROM tm_parts;
DROP TABLE tm_parts;
-- COPY, and ON CONFLICT.
COPY tm (room, note) FROM STDIN;
7	copied
7	copied too
\.
INSERT INTO tm (room, note) VALUES (7, 'upsert') ON CONFLICT (room, id) DO NOTHING;
SELECT array_agg(note ORDER BY id) FROM tm WHERE room = 7;

-- A role that may insert and nothing else.
CREATE ROLE regress_weir_inserter;
GRANT INSERT ON tm TO regress_weir_inserter;
SET ROLE regress_weir_inserter;
INSERT INTO tm (room, note) VALUES (8, 'role');
RESET ROLE;
SELECT count(*) FROM tm WHERE room = 8;
REVOKE ALL ON tm FROM regress_weir_inserter;
DROP ROLE regress_weir_inserter;

-- A position is given out, not taken.
INSERT INTO tm (room, id) VALUES (1, '1-1');
COPY tm (room, id) FROM STDIN;
1	1-1
\.

-- Misuse.
\set SHOW_CONTEXT never
SELECT weir.mint();
DROP TRIGGER mint ON tm;
CREATE FUNCTION pg_temp.misuse(how text, arguments text, change text DEFAULT 'INSERT INTO tm (room) VALUES (1)') RETURNS void LANGUAGE plpgsql AS
$$ BEGIN
    EXECUTE format('CREATE TRIGGER t %s EXECUTE FUNCTION weir.mint(%s)', how, arguments);
    EXECUTE change;
END $$;
SELECT pg_temp.misuse('AFTER INSERT ON tm FOR EACH ROW', $$'column=id'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH STATEMENT', $$'column=id'$$);
SELECT pg_temp.misuse('BEFORE UPDATE ON tm FOR EACH ROW', $$'column=id'$$, 'UPDATE tm SET note = 1');
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', '');
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'id'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=nothing'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=id,room'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=note'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=id', 'key=nothing'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=id', 'key=room', 'order=none'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=id', 'key=room,note'$$);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=id'$$);
-- An index that covers a part of the table only will not do.
DROP INDEX tm_room_id_idx;
CREATE INDEX ON tm (room, id) WHERE room > 3;
CREATE INDEX ON tm ((room + 1), id);
CREATE INDEX ON tm USING hash (room);
SELECT pg_temp.misuse('BEFORE INSERT ON tm FOR EACH ROW', $$'column=id', 'key=room'$$);
-- A key that cannot be hashed.
CREATE TABLE tm_tsvector (k tsvector, id bigint);
CREATE INDEX ON tm_tsvector (k, id);
SELECT pg_temp.misuse('BEFORE INSERT ON tm_tsvector FOR EACH ROW', $$'column=id', 'key=k'$$, $$INSERT INTO tm_tsvector (k) VALUES ('a')$$);
DROP TABLE tm, tm_tsvector;
