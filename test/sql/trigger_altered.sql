-- SPDX-License-Identifier: PostgreSQL
-- Claim: the triggers work with the tables as they are now, in a session that has fired them
-- before: after columns have changed their types, tables were dropped and made again under
-- the same names, or a trigger altered a table in the middle of a statement. Where the tables no
-- longer fit each other, that is an error that says so. A value of one type never reaches
-- a plan that was made for another.
\set VERBOSITY default
CREATE TABLE ta_doc (k numeric PRIMARY KEY, document jsonb, version bigint);
CREATE TABLE ta_log (k numeric, patch jsonb);
CREATE TRIGGER merge AFTER INSERT ON ta_log
    FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('ta_doc', 'key=k', 'version=version');
INSERT INTO ta_log VALUES (1, '{}'), (1, '{}');
ALTER TABLE ta_doc ALTER k TYPE bigint;
INSERT INTO ta_log VALUES (5, '{"a": 1}');
ALTER TABLE ta_log ALTER k TYPE bigint;
INSERT INTO ta_log VALUES (5, '{"a": 1}'), (5, '{"b": 1}');
ALTER TABLE ta_doc ALTER k TYPE numeric;
ALTER TABLE ta_log ALTER k TYPE numeric;
INSERT INTO ta_log VALUES (5, '{"c": 1}'), (6.5, '{"d": 1}');
ALTER TABLE ta_doc ALTER k TYPE text;
ALTER TABLE ta_log ALTER k TYPE text;
INSERT INTO ta_log VALUES ('5', '{"e": 1}'), ('x', '{}');
SELECT * FROM ta_doc ORDER BY k;

-- A key of eight bytes is not cut to four.
CREATE TABLE ta_doc4 (k integer PRIMARY KEY, document jsonb);
CREATE TABLE ta_log4 (k integer, patch jsonb);
CREATE TRIGGER merge AFTER INSERT ON ta_log4 FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('ta_doc4', 'key=k');
INSERT INTO ta_log4 VALUES (2, '{"own": 2}'), (2, '{}');
ALTER TABLE ta_doc4 ALTER k TYPE bigint;
ALTER TABLE ta_log4 ALTER k TYPE bigint;
INSERT INTO ta_log4 VALUES (4294967298, '{"other": 1}');
SELECT * FROM ta_doc4 ORDER BY k;

-- Other tables under the same names: other types, columns in another order, another name for the column.
DROP TABLE ta_doc, ta_log;
CREATE TABLE ta_doc (version bigint, document jsonb, k uuid UNIQUE);
CREATE TABLE ta_log (patch jsonb, k uuid);
CREATE TRIGGER merge AFTER INSERT ON ta_log
    FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('ta_doc', 'key=k', 'version=version');
INSERT INTO ta_log
    VALUES ('{"a": 1}', '00000000-0000-0000-0000-000000000001'), ('{"b": 1}', '00000000-0000-0000-0000-000000000001');
ALTER TABLE ta_doc RENAME document TO doc;
INSERT INTO ta_log VALUES ('{"c": 1}', '00000000-0000-0000-0000-000000000001');
ALTER TABLE ta_doc RENAME doc TO document;
ALTER TABLE ta_doc ALTER document TYPE text;
INSERT INTO ta_log VALUES ('{"c": 1}', '00000000-0000-0000-0000-000000000001');
ALTER TABLE ta_doc ALTER document TYPE jsonb USING document::jsonb;
ALTER TABLE ta_doc DROP COLUMN version, ADD COLUMN version bigint DEFAULT 7;
INSERT INTO ta_log VALUES ('{"c": 1}', '00000000-0000-0000-0000-000000000001');
SELECT document, k, version FROM ta_doc;

-- A trigger of the caller's that alters the documents between two rows of one statement.
CREATE TABLE ta_mid_doc (k integer PRIMARY KEY, document jsonb);
CREATE TABLE ta_mid_log (k integer, patch jsonb);
CREATE TRIGGER a_merge AFTER INSERT ON ta_mid_log
    FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('ta_mid_doc', 'key=k');
CREATE FUNCTION ta_alter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.k = 1 THEN
        ALTER TABLE ta_mid_doc ALTER k TYPE text;
    ELSIF NEW.k = 3 THEN
        ALTER TABLE ta_mid_doc ALTER document TYPE text;
    ELSIF NEW.k = 4 THEN
        DROP TABLE ta_mid_doc;
        CREATE TABLE ta_mid_doc (document jsonb, k integer PRIMARY KEY);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER b_alter AFTER INSERT ON ta_mid_log FOR EACH ROW EXECUTE FUNCTION ta_alter();
INSERT INTO ta_mid_log VALUES (0, '{}'), (1, '{}'), (2, '{}');
INSERT INTO ta_mid_log VALUES (0, '{}'), (3, '{}'), (2, '{}');
INSERT INTO ta_mid_log VALUES (0, '{}'), (4, '{}'), (5, '{"a": 1}');
SELECT * FROM ta_mid_doc;

-- A trigger on the documents that fires the same trigger again, under the plan that it runs in.
CREATE TABLE ta_deep_doc (k integer PRIMARY KEY, document jsonb, version bigint);
CREATE TABLE ta_deep_log (k integer, patch jsonb);
CREATE TRIGGER merge AFTER INSERT ON ta_deep_log
    FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('ta_deep_doc', 'key=k', 'version=version');
CREATE FUNCTION ta_deeper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE ta_deep_%s (k integer)', NEW.k); -- an invalidation at each level
    IF NEW.k < 20 THEN
        EXECUTE 'CREATE INDEX ON ta_deep_other (k)';
        INSERT INTO ta_deep_log VALUES (NEW.k + 1, NEW.document);
    END IF;
    EXECUTE format('DROP TABLE ta_deep_%s', NEW.k);
    RETURN NEW;
END $$;
CREATE TABLE ta_deep_other (k integer);
CREATE TRIGGER deeper BEFORE INSERT ON ta_deep_doc FOR EACH ROW EXECUTE FUNCTION ta_deeper();
INSERT INTO ta_deep_log VALUES (1, '{"a": 1}'), (1, '{"b": 1}');
SELECT count(*), sum(version), min(document::text), max(document::text) FROM ta_deep_doc;

-- More statements than there is room for plans, and the first ones again.
DO $$
BEGIN
    FOR i IN 1 .. 150 LOOP
        EXECUTE format('CREATE TABLE ta_many_%s (k integer PRIMARY KEY, document jsonb)', i);
        EXECUTE format('CREATE TABLE ta_many_log_%s (k integer, patch jsonb)', i);
        EXECUTE format('CREATE TRIGGER merge AFTER INSERT ON ta_many_log_%1$s'
            ' FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into(''ta_many_%1$s'', ''key=k'')', i);
    END LOOP;
    FOR i IN 1 .. 300 LOOP
        EXECUTE format('INSERT INTO ta_many_log_%s VALUES (1, jsonb_build_object(%s, true))', 1 + (i - 1) % 150, i);
    END LOOP;
END $$;
SELECT a.document, b.document FROM ta_many_1 a, ta_many_150 b;
DO $$
BEGIN
    FOR i IN 1 .. 150 LOOP
        EXECUTE format('DROP TABLE ta_many_%1$s, ta_many_log_%1$s', i);
    END LOOP;
END $$;

-- trim_to and mint.
CREATE TABLE ta_trim (k numeric, n integer);
CREATE TRIGGER trim AFTER INSERT ON ta_trim
    FOR EACH ROW EXECUTE FUNCTION weir.trim_to('key=k', 'order=n', 'maxlen=2', 'run=1');
INSERT INTO ta_trim SELECT 1, i FROM generate_series(1, 5) i;
ALTER TABLE ta_trim ALTER k TYPE bigint, ALTER n TYPE bigint;
INSERT INTO ta_trim SELECT 1, 4294967296 + i FROM generate_series(1, 5) i;
SELECT * FROM ta_trim ORDER BY n;
ALTER TABLE ta_trim ALTER k TYPE text;
INSERT INTO ta_trim SELECT '1', 4294967306 + i FROM generate_series(1, 5) i;
ALTER TABLE ta_trim ALTER n TYPE timestamptz USING to_timestamp(n);
INSERT INTO ta_trim SELECT '1', '2200-01-01'::timestamptz + i * interval '1 s' FROM generate_series(1, 5) i;
SELECT k, count(*), min(n) > '2200-01-01' AS newest FROM ta_trim GROUP BY k;
ALTER TABLE ta_trim ALTER n TYPE text;
INSERT INTO ta_trim VALUES ('1', 'now');
CREATE TABLE ta_mint (k integer, id weir.position);
CREATE UNIQUE INDEX ON ta_mint (k, id);
CREATE TRIGGER mint BEFORE INSERT ON ta_mint FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=k');
INSERT INTO ta_mint (k) SELECT i % 2 FROM generate_series(1, 4) i;
ALTER TABLE ta_mint ALTER k TYPE text;
INSERT INTO ta_mint (k) SELECT i % 2 FROM generate_series(1, 4) i;
ALTER TABLE ta_mint ALTER id TYPE bigint USING id::bigint;
INSERT INTO ta_mint (k) VALUES ('0'), ('1');
SELECT k, count(*), count(DISTINCT id) FROM ta_mint GROUP BY k ORDER BY k;
DELETE FROM ta_mint;
ALTER TABLE ta_mint ALTER id TYPE integer USING 1;
INSERT INTO ta_mint (k) VALUES ('0');

-- outbox: columns that come, go, and change their types.
CREATE TABLE ta_out (id integer PRIMARY KEY, a integer, b text);
CREATE TRIGGER outbox AFTER INSERT OR UPDATE ON ta_out FOR EACH ROW EXECUTE FUNCTION weir.outbox('ta.out');
INSERT INTO ta_out VALUES (1, 1, 'x');
ALTER TABLE ta_out ALTER a TYPE text, DROP COLUMN b, ADD COLUMN c jsonb DEFAULT '{"z": null}';
UPDATE ta_out SET a = 'one';
ALTER TABLE ta_out ALTER id TYPE numeric, ALTER a TYPE bytea USING a::bytea;
UPDATE ta_out SET id = 1.5;
SELECT payload FROM weir.read('ta.out');
DROP TABLE ta_doc, ta_log, ta_doc4, ta_log4, ta_mid_doc, ta_mid_log, ta_deep_doc, ta_deep_log, ta_deep_other,
    ta_trim, ta_mint, ta_out;
DROP FUNCTION ta_alter, ta_deeper;
