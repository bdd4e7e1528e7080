-- SPDX-License-Identifier: PostgreSQL
-- Claim: no call of weir runs code that its caller, or whoever can create objects
-- in the caller's search_path, has put there: a schema full of operators,
-- functions, types and tables with the names of the catalogue's and of weir's
-- own, in front of pg_catalog, is never looked at; nor are rules of the caller's
-- making (triggers, row security, settings) applied to weir's tables.
SELECT weir.append('security.a', '{"n": 1}') IS NOT NULL AS done;
CREATE ROLE regress_weir_hostile;
SELECT weir.grant_access('regress_weir_hostile', 'admin');
CREATE SCHEMA regress_evil AUTHORIZATION regress_weir_hostile;
SET ROLE regress_weir_hostile;

-- Whatever of this is called says so and fails the call.
CREATE FUNCTION regress_evil.ran() RETURNS boolean LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'hostile code ran as %', current_user USING ERRCODE = 'XX000'; END $$;
DO $$
DECLARE
    t text;
    o text;
BEGIN
    FOREACH t IN ARRAY ARRAY['text', 'bigint', 'integer', 'bytea', 'jsonb', 'boolean', 'weir.position', 'timestamptz', 'name', 'oid', '"char"', 'regclass', 'float8', 'text[]', 'regprocedure', 'oidvector'] LOOP
        EXECUTE format('CREATE FUNCTION regress_evil.op(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RETURN regress_evil.ran(); END $f$', t);
        FOREACH o IN ARRAY ARRAY['=', '<>', '<', '<=', '>', '>=', '||', '+', '-', '*', '@>'] LOOP
            EXECUTE format('CREATE OPERATOR regress_evil.%2$s (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = regress_evil.op)', t, o);
        END LOOP;
    END LOOP;
    FOR t IN SELECT DISTINCT format('%I(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
             FROM pg_catalog.pg_proc p
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
               AND p.proname IN ('now', 'clock_timestamp', 'transaction_timestamp', 'statement_timestamp', 'nextval', 'setval', 'currval', 'quote_ident', 'quote_literal', 'format', 'count',
                                 'greatest', 'lower', 'octet_length', 'length', 'hashtext', 'btrim', 'jsonb_typeof', 'array_length', 'cardinality', 'unnest', 'sha256',
                                 'pg_get_function_identity_arguments', 'set_config', 'current_setting', 'pg_advisory_xact_lock', 'int8eq', 'texteq', 'int8', 'text', 'coalesce')
               AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a WHERE a = ANY ('{internal,cstring,anyarray,anyelement,"\"any\""}'::regtype[]::oid[]))
               AND p.proargmodes IS NULL LOOP
        EXECUTE format('CREATE FUNCTION regress_evil.%s RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RETURN regress_evil.ran(); END $f$', t);
    END LOOP;
    -- The names of weir's own.
    FOREACH t IN ARRAY ARRAY['append(text, jsonb)', 'stream_info(text)', 'merge_patch(jsonb, jsonb)', 'position_cmp(weir.position, weir.position)', 'head(text)'] LOOP
        EXECUTE format('CREATE FUNCTION regress_evil.%s RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RETURN regress_evil.ran(); END $f$', t);
    END LOOP;
END
$$;
CREATE TABLE regress_evil.registry (name text, id bigint CHECK (regress_evil.ran()));
CREATE TABLE regress_evil.frame_log (LIKE regress_evil.registry INCLUDING ALL);
CREATE TABLE regress_evil.privilege (level text, function regprocedure, relation regclass);
CREATE VIEW regress_evil.pg_class AS SELECT regress_evil.ran() AS relname;
CREATE VIEW regress_evil.pg_proc AS SELECT regress_evil.ran() AS proname;
CREATE DOMAIN regress_evil.text AS pg_catalog.text CHECK (regress_evil.ran());
CREATE DOMAIN regress_evil.jsonb AS pg_catalog.jsonb CHECK (regress_evil.ran());
CREATE DOMAIN regress_evil.int8 AS pg_catalog.int8 CHECK (regress_evil.ran());

-- The trap works: what is called by its bare name runs it.
SET search_path = regress_evil, pg_temp, pg_catalog;
\set VERBOSITY sqlstate
SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text;
\set VERBOSITY default
-- Every function of weir, by that role and then by a superuser with the same path.
CREATE PROCEDURE regress_evil.call_all(prefix pg_catalog.text) LANGUAGE plpgsql AS $$
DECLARE
    p weir.position;
    q weir.position;
BEGIN
    PERFORM weir.create_stream(pg_catalog.concat(prefix, 'created'), '<nil>');
    FOR i IN 1 .. 3 LOOP
        SELECT weir.append(pg_catalog.concat(prefix, 'a'), '{"n": 1}', 't', '{"h": 1}', pg_catalog.concat('key', i)) INTO p;
        SELECT weir.append(pg_catalog.concat(prefix, 'a'), '{"n": 1}', 't', '{"h": 1}', pg_catalog.concat('key', i)) INTO q;
        PERFORM weir.append_text(pg_catalog.concat(prefix, 'a'), 'x'), weir.append_bytes(pg_catalog.concat(prefix, 'a'), '\x00');
        PERFORM weir.append_batch(pg_catalog.concat(prefix, 'a'), '{1,2}'::pg_catalog.jsonb[]), weir.append_text_batch(pg_catalog.concat(prefix, 'a'), '{1,2}'::pg_catalog.text[]),
                weir.append_bytes_batch(pg_catalog.concat(prefix, 'a'), '{1,2}'::pg_catalog.bytea[], NULL, NULL, pg_catalog.concat('batch', i));
        PERFORM weir.append_patch(pg_catalog.concat(prefix, 'created'), '{"a": {"b": "<nil>"}, "c": [1]}');
        PERFORM weir.append_best_effort(pg_catalog.concat(prefix, 'a'), '1'), weir.append_best_effort_text(pg_catalog.concat(prefix, 'a'), '1'), weir.append_best_effort_bytes(pg_catalog.concat(prefix, 'a'), '1'),
                weir.append_best_effort_batch(pg_catalog.concat(prefix, 'a'), '{1,2}'::pg_catalog.jsonb[]);
    END LOOP;
    PERFORM * FROM weir.read(pg_catalog.concat(prefix, 'a'), types => '{t}', headers => '{"h": 1}', reverse => true, since => '-infinity');
    PERFORM * FROM weir.read_many(ARRAY[pg_catalog.concat(prefix, 'a'), pg_catalog.concat(prefix, 'created')]);
    PERFORM weir.head(pg_catalog.concat(prefix, 'a'));
    PERFORM * FROM weir.summary(pg_catalog.concat(prefix, 'created'));
    PERFORM * FROM weir.summary_at(pg_catalog.concat(prefix, 'created'), weir.head(pg_catalog.concat(prefix, 'created')));
    PERFORM * FROM weir.stream_info(pg_catalog.concat(prefix, 'a'));
    PERFORM * FROM weir.streams;
    PERFORM * FROM weir.list_streams(pg_catalog.concat(prefix, '*'), max => 5);
    PERFORM weir.emit(pg_catalog.concat(prefix, 'a'), '{"n": 1}', 't', '{"h": 1}');
    PERFORM weir.subscribe(pg_catalog.concat(prefix, 's'), pg_catalog.concat(prefix, 'a'), '-', '{t}', '{"h": 1}', true), weir.subscribe_many(pg_catalog.concat(prefix, 'm'), ARRAY[pg_catalog.concat(prefix, '*')], since => '-infinity');
    PERFORM weir.ack(pg_catalog.concat(prefix, 's'), f.id) FROM weir.fetch(pg_catalog.concat(prefix, 's')) f;
    PERFORM f.id FROM weir.fetch(pg_catalog.concat(prefix, 'm')) f;
    PERFORM weir.seek(pg_catalog.concat(prefix, 'm'), '-'), weir.seek(pg_catalog.concat(prefix, 's'), since => '-infinity');
    PERFORM weir.decode_cursor(weir.encode_cursor(p));
    PERFORM weir.alter_stream(pg_catalog.concat(prefix, 'a'), max_age => '1 day', max_frames => 5), weir.retain(pg_catalog.concat(prefix, 'a')), weir.retain();
    PERFORM * FROM weir.subscriptions;
    PERFORM * FROM weir.retention;
    PERFORM weir.give_subscription(pg_catalog.concat(prefix, 's'), CURRENT_USER::pg_catalog.regrole);
    PERFORM weir.drop_streams(pg_catalog.concat(prefix, '?one*'));
    PERFORM weir.alter_stream(pg_catalog.concat(prefix, 'a'), reset => '{max_age,max_frames}'), weir.unsubscribe(pg_catalog.concat(prefix, 's')), weir.unsubscribe(pg_catalog.concat(prefix, 'm'));
    PERFORM weir.merge_patch('{"a": 1}', '{"b": 2}'), weir.merge_patch('{"a": 1}', '{"b": "s"}', 's'), weir.merge_diff('{"a": 1}', '{"b": 2}'), weir.merge_patches('{"a": 1}', '{"b": 2}');
    PERFORM pg_catalog.max(v.p), pg_catalog.min(v.p) FROM (VALUES (p), (q)) v(p);
    PERFORM v.p FROM (VALUES (p), (q)) v(p) ORDER BY v.p;
    PERFORM weir.append(pg_catalog.concat(prefix, 'a'), '1', lease => pg_catalog.concat(prefix, 'l'), epoch => a.epoch), weir.lease_renew(pg_catalog.concat(prefix, 'l'), 'o', a.epoch),
            weir.lease_check(pg_catalog.concat(prefix, 'l'), a.epoch), weir.lease_release(pg_catalog.concat(prefix, 'l'), 'o', a.epoch, 'r')
    FROM weir.lease_acquire(pg_catalog.concat(prefix, 'l'), 'o', headers => '{"namespace": "security", "a": 1}') a;
    PERFORM weir.lease_acquire(pg_catalog.concat(prefix, 'l'), 'o');
    PERFORM weir.lease_revoke(pg_catalog.concat(prefix, 'l'), 'b'), weir.lease_sweep(), weir.lease_time();
    PERFORM * FROM weir.leases;
    PERFORM weir.trim(pg_catalog.concat(prefix, 'a'), keep => 2);
    PERFORM weir.close(pg_catalog.concat(prefix, 'a'), 'done');
    PERFORM weir.drop_stream(pg_catalog.concat(prefix, 'a')), weir.drop_stream(pg_catalog.concat(prefix, 'created'));
END
$$;
CALL regress_evil.call_all('security.role.');
CALL regress_evil.call_all('security.role.');
RESET ROLE;
CALL regress_evil.call_all('security.super.');
SELECT weir.grant_access('regress_weir_hostile', 'read');
SELECT weir.grant_access('regress_weir_hostile', 'admin');
-- In a session that has no plan or cache yet.
\c -
SET search_path = regress_evil, pg_temp, pg_catalog;
SET ROLE regress_weir_hostile;
CALL regress_evil.call_all('security.fresh.');
RESET ROLE;
CALL regress_evil.call_all('security.fresh.');
SELECT weir.grant_access('regress_weir_hostile', 'write');
SELECT weir.revoke_access('regress_weir_hostile');
RESET search_path;
SELECT weir.grant_access('regress_weir_hostile', 'admin');

-- A temporary table of the same name hides nothing.
SET ROLE regress_weir_hostile;
CREATE TEMP TABLE frame_log (id integer);
CREATE TEMP TABLE stream (name text);
SET search_path = pg_temp, weir;
SELECT weir.append('security.a', '2') IS NOT NULL AS done;
SELECT count(*) FROM weir.read('security.a');
SELECT count(*) AS untouched FROM pg_temp.frame_log;
RESET search_path;
-- Neither rules nor triggers nor policies nor ownership may be put on weir's tables.
\set VERBOSITY sqlstate
CREATE TRIGGER t BEFORE INSERT ON weir.frame_log FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE RULE r AS ON INSERT TO weir.frame_log DO INSTEAD NOTHING;
CREATE POLICY p ON weir.frame_log USING (false);
CREATE INDEX ON weir.frame_log (type);
ALTER TABLE weir.frame_log ADD COLUMN extra integer;
CREATE FUNCTION weir.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION weir.append(text, jsonb, text, jsonb, text, text, bigint) OWNER TO regress_weir_hostile;
DROP EXTENSION weir;
SET weir.max_frame_bytes = '1GB';
\set VERBOSITY default
-- Settings of the session that change how text is read do not change what is stored.
SET standard_conforming_strings = off;
SET bytea_output = escape;
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = iso_8601;
SET extra_float_digits = -15;
SET row_security = off;
SET default_transaction_isolation = 'serializable';
SET enable_indexscan = off;
SET enable_seqscan = off;
SELECT weir.append_bytes('security.b', decode('0061ff', 'hex')) IS NOT NULL AS done;
SELECT weir.append('security.b', '{"f": 1.2345678901234567890}', 't', '{"a": "b"}', 'k') IS NOT NULL AS done;
SELECT summary_version FROM weir.append_patch('security.b', '{"f": 1.2345678901234567890}');
SELECT encode(bytes, 'hex') AS bytes, payload FROM weir.read('security.b');
SELECT document FROM weir.summary('security.b');
RESET ALL;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA regress_evil CASCADE;
RESET client_min_messages;
SELECT weir.revoke_access('regress_weir_hostile');
DROP TABLE pg_temp.frame_log, pg_temp.stream;
DROP ROLE regress_weir_hostile;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'security.%';
