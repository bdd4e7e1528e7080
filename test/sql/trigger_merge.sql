-- SPDX-License-Identifier: PostgreSQL
-- Claim: weir.merge_patch_into() keeps, for each key, the document that all inserted patches
-- make in their order, with their number, as the user who inserts and with no more
-- than that user's rights; names are taken as they are meant, whatever the search_path says.
CREATE TABLE tp (run integer, part text, patch jsonb);
CREATE TABLE tp_doc (run integer, part text, document jsonb, version bigint, PRIMARY KEY (part, run));
CREATE TRIGGER merge AFTER INSERT ON tp FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('tp_doc', 'key=run,part', 'version=version', 'null_sentinel=__null__');
INSERT INTO tp VALUES (1, 'a', '{"state": "new", "n": {"x": 1}}'), (1, 'b', '{"state": "other"}'), (1, 'a', '{"state": null, "n": {"y": "__null__"}, "l": [1]}'), (1, 'a', NULL), (1, 'a', '{}');
SELECT * FROM tp_doc ORDER BY run, part;
SELECT document = (SELECT weir.merge_patch(weir.merge_patch(weir.merge_patch('{}', p[1], '__null__'), p[2], '__null__'), p[3], '__null__') FROM (SELECT array_agg(patch) AS p FROM tp WHERE part = 'a' AND patch IS NOT NULL) t) AS same FROM tp_doc WHERE part = 'a';
-- A document that is NULL, or has no version yet; one that was removed begins anew.
INSERT INTO tp_doc VALUES (2, 'a', NULL, NULL);
INSERT INTO tp VALUES (2, 'a', '{"a": 1}');
DELETE FROM tp_doc WHERE run = 1;
INSERT INTO tp VALUES (1, 'a', '{"new": true}');
SELECT * FROM tp_doc ORDER BY run, part;
-- Rolled back with its row.
BEGIN;
INSERT INTO tp VALUES (1, 'a', '{"gone": true}');
ROLLBACK;
SELECT document FROM tp_doc WHERE run = 1;
-- Many, and in a partitioned table.
INSERT INTO tp SELECT 3, 'many', jsonb_build_object('k' || i % 100, i) FROM generate_series(1, 1000) i;
SELECT version, (SELECT count(*) FROM jsonb_object_keys(document)) AS keys, document->'k99' AS last FROM tp_doc WHERE run = 3;
CREATE TABLE tp_parts (run integer, patch jsonb) PARTITION BY LIST (run);
CREATE TABLE tp_parts_1 PARTITION OF tp_parts FOR VALUES IN (1);
CREATE TABLE tp_parts_2 (patch jsonb, run integer);
ALTER TABLE tp_parts ATTACH PARTITION tp_parts_2 FOR VALUES IN (2);
CREATE TABLE tp_pdoc (run integer PRIMARY KEY, document jsonb) PARTITION BY LIST (run);
CREATE TABLE tp_pdoc_1 PARTITION OF tp_pdoc FOR VALUES IN (1);
CREATE TABLE tp_pdoc_2 PARTITION OF tp_pdoc FOR VALUES IN (2);
CREATE TRIGGER merge AFTER INSERT ON tp_parts FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('tp_pdoc', 'key=run');
INSERT INTO tp_parts VALUES (1, '{"a": 1}'), (2, '{"b": 1}'), (1, '{"a": 2}'), (2, '{"c": 1}');
SELECT * FROM tp_pdoc ORDER BY run;
DROP TABLE tp_parts, tp_pdoc;

-- Odd names, another schema; the search_path of who inserts changes nothing.
CREATE SCHEMA "Tp Odd";
CREATE TABLE "Tp Odd"."The ""Frames" ("Key, 1" text, "from" jsonb);
CREATE TABLE "Tp Odd"."docs" ("Key, 1" text PRIMARY KEY, "to" jsonb);
CREATE TRIGGER merge AFTER INSERT ON "Tp Odd"."The ""Frames" FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('docs', 'key="Key, 1"', 'patch="from"', 'document="to"');
CREATE TABLE docs ("Key, 1" text PRIMARY KEY, "to" jsonb);
CREATE TRIGGER elsewhere AFTER INSERT ON tp FOR EACH ROW WHEN (NEW.part = 'odd') EXECUTE FUNCTION weir.merge_patch_into('"Tp Odd"."docs2"', 'key=run');
CREATE TABLE "Tp Odd".docs2 (run integer UNIQUE, document jsonb);
SET search_path = public;
INSERT INTO "Tp Odd"."The ""Frames" VALUES ('k', '{"a": 1}'), ('k', '{"b": 1}');
CREATE SCHEMA tp_evil;
CREATE FUNCTION tp_evil.eq(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE OPERATOR tp_evil.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = tp_evil.eq);
CREATE FUNCTION tp_evil.merge_patch(jsonb, jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE TABLE tp_evil.tp_doc (LIKE tp_doc);
SET search_path = tp_evil, pg_catalog;
INSERT INTO public.tp VALUES (9, 'odd', '{"path": 1}');
SELECT count(*) AS untouched FROM tp_evil.tp_doc;
RESET search_path;
SELECT * FROM "Tp Odd".docs;
SELECT * FROM "Tp Odd".docs2;
SELECT count(*) AS untouched FROM docs;
SELECT document FROM tp_doc WHERE run = 9;
DROP TRIGGER elsewhere ON tp;
SET client_min_messages = warning;
DROP SCHEMA tp_evil, "Tp Odd" CASCADE;
RESET client_min_messages;
DROP TABLE docs;
-- A table that is renamed is followed where the argument can be, and its columns too.
ALTER TABLE tp_doc RENAME TO tp_doc_2;
\set SHOW_CONTEXT never
INSERT INTO tp VALUES (1, 'a', '{}');
ALTER TABLE tp_doc_2 RENAME TO tp_doc;
ALTER TABLE tp_doc ALTER document TYPE jsonb USING document, ADD COLUMN more integer DEFAULT 3;
INSERT INTO tp VALUES (1, 'a', '{"altered": true}');
SELECT * FROM tp_doc WHERE run = 1;

-- As whoever inserts: with the rights, and under the policies, of that role.
CREATE ROLE regress_weir_inserter;
GRANT INSERT ON tp TO regress_weir_inserter;
SET ROLE regress_weir_inserter;
\set VERBOSITY sqlstate
INSERT INTO tp VALUES (4, 'a', '{}');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON tp_doc TO regress_weir_inserter;
SET ROLE regress_weir_inserter;
INSERT INTO tp VALUES (4, 'a', '{"by": "role"}');
\set VERBOSITY default
RESET ROLE;
SELECT document FROM tp_doc WHERE run = 4;
ALTER TABLE tp_doc ENABLE ROW LEVEL SECURITY;
CREATE POLICY blind ON tp_doc FOR SELECT USING (false);
CREATE POLICY deaf ON tp_doc FOR INSERT WITH CHECK (true);
SET ROLE regress_weir_inserter;
INSERT INTO tp VALUES (4, 'a', '{"by": "policy"}');
RESET ROLE;
REVOKE ALL ON tp, tp_doc FROM regress_weir_inserter;
DROP POLICY blind ON tp_doc;
DROP POLICY deaf ON tp_doc;
ALTER TABLE tp_doc DISABLE ROW LEVEL SECURITY;
DROP ROLE regress_weir_inserter;
-- A trigger of the table of documents that skips every row is not waited for.
CREATE FUNCTION tp_skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER skip BEFORE INSERT OR UPDATE ON tp_doc FOR EACH ROW EXECUTE FUNCTION tp_skip();
INSERT INTO tp VALUES (5, 'a', '{}');
DROP TRIGGER skip ON tp_doc;
DROP FUNCTION tp_skip();

-- Bad rows.
INSERT INTO tp VALUES (1, 'a', '[1]');
INSERT INTO tp VALUES (1, 'a', '"s"');
INSERT INTO tp VALUES (1, NULL, '{}');
DO $$ BEGIN EXECUTE format('INSERT INTO tp VALUES (1, ''a'', %L)', repeat('{"a":', 65) || '1' || repeat('}', 65)); END $$;
SELECT document FROM tp_doc WHERE run = 1;
-- Misuse.
SELECT weir.merge_patch_into();
DROP TRIGGER merge ON tp;
CREATE FUNCTION pg_temp.misuse(how text, arguments text, change text DEFAULT 'INSERT INTO tp VALUES (1, ''a'', ''{}'')') RETURNS void LANGUAGE plpgsql AS
$$ BEGIN
    EXECUTE format('CREATE TRIGGER t %s EXECUTE FUNCTION weir.merge_patch_into(%s)', how, arguments);
    EXECUTE change;
END $$;
SELECT pg_temp.misuse('BEFORE INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=run,part'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH STATEMENT', $$'tp_doc', 'key=run,part'$$);
SELECT pg_temp.misuse('AFTER UPDATE ON tp FOR EACH ROW', $$'tp_doc', 'key=run,part'$$, 'UPDATE tp SET patch = NULL');
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', '');
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'run'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=nothing'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_none', 'key=run'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'none.tp_doc', 'key=run'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=run,part', 'patch=part'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=run,part', 'document=nothing'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=run,part', 'document=part'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=run,part', 'version=part'$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=run,part', 'null_sentinel='$$);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_doc', 'key=run'$$);
CREATE TABLE tp_text (run text PRIMARY KEY, document jsonb);
SELECT pg_temp.misuse('AFTER INSERT ON tp FOR EACH ROW', $$'tp_text', 'key=run'$$);
DROP TABLE tp, tp_doc, tp_text;
