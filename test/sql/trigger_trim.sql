-- SPDX-License-Identifier: PostgreSQL
-- Claim: weir.trim_to() leaves of each key the newest rows that its arguments say, and never
-- touches another key's, nor rows that it was told to leave; it does so now and then,
-- at no more than a constant for each insert, as the user who inserts.
CREATE FUNCTION pg_temp.kept(what text) RETURNS TABLE (k integer, kept bigint, first integer, last integer) LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE format('SELECT k, count(*), min(n), max(n) FROM %s GROUP BY k ORDER BY k', what); END $$;

-- A fixed number, exactly: run=1.
CREATE TABLE tt (k integer, n integer, kind text DEFAULT 'frame');
CREATE INDEX ON tt (k, n);
CREATE TRIGGER trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=n', 'maxlen=10', 'run=1');
INSERT INTO tt SELECT i % 2, i FROM generate_series(1, 100) i;
INSERT INTO tt SELECT 2, i FROM generate_series(1, 5) i;
SELECT * FROM pg_temp.kept('tt');
-- What was there before goes as well, a bounded part at a time.
ALTER TABLE tt DISABLE TRIGGER trim;
INSERT INTO tt SELECT 0, -i FROM generate_series(1, 30000) i;
ALTER TABLE tt ENABLE TRIGGER trim;
INSERT INTO tt VALUES (0, 1001);
SELECT count(*) > 10 AS not_all FROM tt WHERE k = 0;
INSERT INTO tt VALUES (0, 1002);
SELECT * FROM pg_temp.kept('tt');
-- Rows behind the newest so many go, whichever was inserted last.
INSERT INTO tt VALUES (1, -5);
SELECT * FROM pg_temp.kept('tt WHERE k = 1');
-- Rolled back with the insert.
BEGIN;
INSERT INTO tt SELECT 0, i FROM generate_series(2001, 2100) i;
ROLLBACK;
SELECT * FROM pg_temp.kept('tt WHERE k = 0');
-- No key: the whole table. NULL in a key is no key.
INSERT INTO tt SELECT NULL, i FROM generate_series(1, 100) i;
SELECT count(*) FROM tt WHERE k IS NULL;
TRUNCATE tt;
DROP TRIGGER trim ON tt;
CREATE TRIGGER trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('order=n', 'maxlen=7', 'run=1');
INSERT INTO tt SELECT i % 3, i FROM generate_series(1, 100) i;
SELECT count(*), min(n) FROM tt;
-- Now and then: by default a quarter more.
TRUNCATE tt;
DROP TRIGGER trim ON tt;
CREATE TRIGGER trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=n', 'maxlen=100');
INSERT INTO tt SELECT 1, i FROM generate_series(1, 5000) i;
SELECT count(*) BETWEEN 100 AND 125 AS near, max(n) FROM tt;
-- Only rows of a kind count, and only these go.
TRUNCATE tt;
DROP TRIGGER trim ON tt;
CREATE TRIGGER trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=n', 'maxlen=10', 'run=1', 'only=kind=best=effort');
INSERT INTO tt SELECT 1, i, CASE WHEN i % 10 = 0 THEN 'durable' ELSE 'best=effort' END FROM generate_series(1, 200) i;
SELECT kind, count(*), min(n) FROM tt GROUP BY kind ORDER BY kind;
DROP TABLE tt;

-- By age, between a floor and a ceiling, on positions.
CREATE TABLE tt (k integer, n serial, id weir.position);
CREATE INDEX ON tt (k, id);
CREATE TRIGGER a_mint BEFORE INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=k');
CREATE TRIGGER b_trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=id', 'ttl_ms=200', 'maxlen_floor=5', 'maxlen_ceiling=20', 'run=1');
INSERT INTO tt (k) SELECT 1 FROM generate_series(1, 100);
SELECT * FROM pg_temp.kept('tt') AS ceiling;
SELECT pg_sleep(0.25);
INSERT INTO tt (k) VALUES (1);
SELECT * FROM pg_temp.kept('tt') AS floor;
DROP TABLE tt;
-- Younger than that they stay, up to the ceiling; on times.
CREATE TABLE tt (k integer, n serial, at timestamptz DEFAULT clock_timestamp());
CREATE TRIGGER trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=at', 'ttl_ms=3600000', 'maxlen_floor=5', 'run=1');
INSERT INTO tt (k) SELECT 1 FROM generate_series(1, 100);
SELECT * FROM pg_temp.kept('tt');
INSERT INTO tt (k, at) SELECT 1, now() - interval '2 hours' - i * interval '1 second' FROM generate_series(1, 50) i;
SELECT * FROM pg_temp.kept('tt');
DROP TABLE tt;
-- Partitions: over all of them.
CREATE TABLE tt (k integer, n integer) PARTITION BY RANGE (n);
CREATE TABLE tt_1 PARTITION OF tt FOR VALUES FROM (0) TO (50);
CREATE TABLE tt_2 PARTITION OF tt FOR VALUES FROM (50) TO (1000);
CREATE TRIGGER trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=n', 'maxlen=20', 'run=1');
INSERT INTO tt SELECT 1, i FROM generate_series(1, 60) i;
SELECT tableoid::regclass, count(*), min(n) FROM tt GROUP BY 1 ORDER BY 1;
DROP TABLE tt;
-- As whoever inserts.
CREATE ROLE regress_weir_inserter;
CREATE TABLE tt (k integer, n integer);
CREATE TRIGGER trim AFTER INSERT ON tt FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=n', 'maxlen=2', 'run=1');
GRANT INSERT ON tt TO regress_weir_inserter;
SET ROLE regress_weir_inserter;
\set VERBOSITY sqlstate
INSERT INTO tt VALUES (1, 1);
RESET ROLE;
GRANT SELECT, DELETE ON tt TO regress_weir_inserter;
SET ROLE regress_weir_inserter;
INSERT INTO tt SELECT 1, i FROM generate_series(1, 10) i;
\set VERBOSITY default
RESET ROLE;
SELECT * FROM pg_temp.kept('tt');
REVOKE ALL ON tt FROM regress_weir_inserter;
DROP ROLE regress_weir_inserter;
DROP TABLE tt;

-- Misuse.
\set SHOW_CONTEXT never
SELECT weir.trim_to();
CREATE TABLE tt (k integer, n integer, at timestamptz, note text);
CREATE FUNCTION pg_temp.misuse(how text, arguments text, change text DEFAULT 'INSERT INTO tt VALUES (1)') RETURNS void LANGUAGE plpgsql AS
$$ BEGIN
    EXECUTE format('CREATE TRIGGER t %s EXECUTE FUNCTION weir.trim_to(%s)', how, arguments);
    EXECUTE change;
END $$;
SELECT pg_temp.misuse('BEFORE INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=1'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH STATEMENT', $$'order=n', 'maxlen=1'$$);
SELECT pg_temp.misuse('AFTER DELETE ON tt FOR EACH ROW', $$'order=n', 'maxlen=1'$$, 'INSERT INTO tt VALUES (1); DELETE FROM tt');
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', '');
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=at', 'maxlen=1', 'ttl_ms=1'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'ttl_ms=1000'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=note', 'maxlen=1'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=k,n', 'maxlen=1'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'key=nothing', 'maxlen=1'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=0'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=ten'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=99999999999999999999'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=5', 'maxlen_floor=3'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=at', 'ttl_ms=0'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=at', 'ttl_ms=5', 'maxlen_floor=10', 'maxlen_ceiling=9'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=5', 'run=0'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=5', 'only=note'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'order=n', 'maxlen=5', 'only=k=x'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tt FOR EACH ROW', $$'maximum=5'$$);
DROP TABLE tt;
