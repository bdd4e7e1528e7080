-- SPDX-License-Identifier: PostgreSQL
-- Claim: the calls have one surface (docs/design/surface.md): the rules that the catalogue can tell are rows of it.
-- A rule that a call breaks says which call.
SET client_min_messages = warning;
CREATE SCHEMA regress_tap;
CREATE EXTENSION pgtap SCHEMA regress_tap;
SET search_path = regress_tap, public;
\pset format unaligned
\pset tuples_only true
BEGIN;
SELECT plan(22);

-- Every call that people make, with its parameters in order.
CREATE VIEW call AS
    SELECT p.oid, p.proname::text AS name, p.oid::regprocedure::text AS call FROM pg_proc p JOIN weir.privilege v ON v.name = p.proname
    WHERE p.pronamespace = 'weir'::regnamespace AND p.prokind IN ('f', 'p') AND p.prorettype <> 'trigger'::regtype
        AND p.proname NOT LIKE 'position%' AND obj_description(p.oid, 'pg_proc') NOT LIKE 'Internal.%';
CREATE VIEW parameter AS
    SELECT c.call, c.name AS of, a.n, a.name, a.type::regtype AS type
    FROM call c JOIN pg_proc p USING (oid),
         unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes) WITH ORDINALITY a(type, name, mode, n)
    WHERE coalesce(a.mode, 'i') IN ('i', 'b');
-- What they return, and what views show.
CREATE VIEW answer AS
    SELECT c.name AS of, a.name, a.type::regtype AS type
    FROM call c JOIN pg_proc p USING (oid), unnest(p.proallargtypes, p.proargnames, p.proargmodes) a(type, name, mode)
    WHERE a.mode IN ('o', 'b', 't')
    UNION ALL
    SELECT c.relname, a.attname, a.atttypid
    FROM pg_class c JOIN weir.privilege v ON v.name = c.relname JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('v', 'c') AND obj_description(c.oid, 'pg_class') NOT LIKE 'Internal.%';
CREATE FUNCTION place(of text, parameter text) RETURNS bigint LANGUAGE sql AS
$$ SELECT p.n FROM parameter p WHERE p.of = $1 AND p.name = $2 $$;

SELECT ok(count(*) > 50, 'the calls are looked at') FROM call;
SELECT is_empty($$ SELECT name, count(*) FROM call WHERE name <> 'to_position' GROUP BY name HAVING count(*) > 1 $$,
    'a name is one function: none is chosen by the type of a value');
SELECT is_empty($$ SELECT call, name FROM parameter WHERE name ~ '_(ms|us|s|seconds|minutes|millis)$' OR name ~ 'topic|^live|_live$' $$,
    'no parameter carries a unit in its name, or a word that was given up');
SELECT is_empty($$ SELECT call, name, type FROM parameter WHERE name IN ('ttl', 'timeout', 'visibility_timeout', 'max_age', 'hold_age', 'delay') AND type <> 'interval'::regtype $$,
    'a duration is an interval');
SELECT is_empty($$ SELECT call, name, type FROM parameter WHERE type = 'interval'::regtype AND name NOT IN ('ttl', 'timeout', 'max_age', 'hold_age', 'frame_ttl') $$,
    'and an interval is one of those that are named as durations');
SELECT is_empty($$ SELECT call, name, type FROM parameter WHERE (name IN ('since', 'at', 'expires_at')) <> (type = 'timestamptz'::regtype) $$,
    'a time is since, at, or when something expires');
SELECT is_empty($$ SELECT call, name, type FROM parameter
                   WHERE type::text ~ 'position' AND name NOT IN ('after', 'upto', 'before', 'position', 'revision', 'expected', 'began') $$,
    'a position is after or upto; before, where what lies before it goes; of a key revision, or expected; began, of a watch');
SELECT is_empty($$ SELECT call, name, type FROM parameter WHERE name IN ('after', 'upto') AND type::text !~ 'position'
                       AND of NOT IN ('list_streams', 'list_buckets', 'kv_keys', 'kv_scan') $$,
    'after and upto are positions, but of a list of names or keys');
SELECT is_empty($$ SELECT call, name FROM parameter WHERE name ~ '^(limit|count|n|max_rows|max_leases|batch)$'
                   UNION ALL SELECT call, name FROM parameter WHERE name = 'max' AND type <> 'integer'::regtype $$,
    'how many is max, an integer');
SELECT is_empty($$ SELECT call, name FROM parameter
                   WHERE name ~ '^max_' AND of NOT IN ('create_stream', 'alter_stream', 'create_bucket', 'alter_bucket') $$,
    'max_<what> is a property of a thing, not an option of a call');
SELECT is_empty($$ SELECT call, name FROM parameter
                   WHERE n = 1 AND name NOT IN ('stream', 'streams', 'bucket', 'name', 'lease', 'channel', 'pattern', 'job')
                       AND of NOT IN ('grant_access', 'revoke_access', 'has_access', 'lease_sweep')
                       AND of !~ '^(merge_|encode_|decode_|to_|mint)' $$,
    'the first argument is the name of the thing, where there is one');
SELECT is_empty($$ SELECT w.name FROM (SELECT name FROM call WHERE name ~ '^(append|emit)') w
                   WHERE place(w.name, 'stream') IS DISTINCT FROM 1
                      OR coalesce(place(w.name, 'payload'), place(w.name, 'payloads'), place(w.name, 'patch')) IS DISTINCT FROM 2
                      OR place(w.name, 'type') IS DISTINCT FROM 3 OR place(w.name, 'headers') IS DISTINCT FROM 4 $$,
    'what writes takes stream, payload, type, headers, in this order');
SELECT is_empty($$ SELECT v.verb || coalesce('_' || f.form, '') || b.batch
                   FROM (VALUES ('append'), ('append_best_effort'), ('emit')) v(verb), (VALUES (NULL, 'jsonb'), ('text', 'text'), ('bytes', 'bytea')) f(form, type),
                        (VALUES ('', 'payload', ''), ('_batch', 'payloads', '[]')) b(batch, payload, dimensions)
                   WHERE NOT EXISTS (SELECT FROM parameter p WHERE p.of = v.verb || coalesce('_' || f.form, '') || b.batch
                                     AND p.name = b.payload AND p.type::text = f.type || b.dimensions) $$,
    'in three forms with three names, and batches of each');
SELECT is_empty($$ SELECT w.name FROM (SELECT name FROM call WHERE name ~ '_batch$') w
                   WHERE place(w.name, 'types') IS NULL OR place(w.name, 'headers_each') IS NULL $$,
    'each batch takes types and headers of each');
SELECT is_empty($$ SELECT v.verb || coalesce('_' || f.form, '') || b.batch
                   FROM (VALUES ('kv_put'), ('kv_create'), ('kv_update')) v(verb), (VALUES (NULL, 'jsonb'), ('text', 'text'), ('bytes', 'bytea')) f(form, type),
                        (VALUES ('', 'value', ''), ('_many', 'payloads', '[]')) b(batch, payload, dimensions)
                   WHERE (v.verb = 'kv_put' OR b.batch = '')
                       AND NOT EXISTS (SELECT FROM parameter p WHERE p.of = v.verb || coalesce('_' || f.form, '') || b.batch AND p.n = 3
                                       AND p.name = b.payload AND p.type::text = f.type || b.dimensions) $$,
    'so is what is put under a key, and puts of many keys');
SELECT is_empty($$ SELECT w.name FROM (SELECT name FROM call WHERE name ~ '^kv_') w
                   WHERE place(w.name, 'bucket') IS DISTINCT FROM 1 OR coalesce(place(w.name, 'key'), place(w.name, 'keys'), 2) <> 2 $$,
    'a call on keys takes the bucket, then the key');
SELECT is((SELECT string_agg(name, ' ' ORDER BY n) FROM parameter WHERE of = 'read_many'),
          (SELECT string_agg(CASE name WHEN 'stream' THEN 'streams' ELSE name END, ' ' ORDER BY n) FROM parameter WHERE of = 'read'),
    'read_many() has the options of read(), in its order');
SELECT ok(count(*) > 100, 'the answers are looked at') FROM answer;
SELECT is_empty($$ SELECT a.of, a.name FROM answer a
                   WHERE a.name = 'name' AND a.of NOT IN ('leases', 'subscriptions') AND place(a.of, 'name') IS NULL $$,
    'a column that names a stream is stream; name is that of a lease or a subscription, as its calls have it');
SELECT is_empty($$ SELECT of, name FROM answer
                   WHERE name ~ 'topic|^live|_live$|^(stream|lease|subscription)_name$|^(offset|cursor_id|count|ts|time)$'
                      OR name ~ '_(ms|us|s|seconds|minutes|millis)$' AND name NOT IN ('lag_seconds', 'lead_ms') $$,
    'no column has a word that was given up, nor a unit, but for the two figures that monitors draw');
SELECT is_empty($$ SELECT of, name FROM answer
                   WHERE type::text ~ 'position' AND name NOT IN ('id', 'first_id', 'last_id', 'position', 'cursor', 'began_above')
                       AND name NOT IN ('revision', 'first_revision', 'last_revision', 'compacted_upto') $$,
    'a column with a position is an id, a cursor, or a position; of a bucket, a revision, or how far it is compacted');
SELECT is_empty($$ SELECT name, array_agg(DISTINCT type) FROM (SELECT name, type FROM parameter UNION ALL SELECT name, type FROM answer) w
                   WHERE name NOT IN ('payload', 'payloads', 'value', 'bytes', 'after', 'upto', 'cursor', 'frames', 'changes', 'keys', 'owner', 'type')
                   GROUP BY name HAVING count(DISTINCT type) > 1 $$,
    'a word has one type, in parameters and columns, but where it comes in forms or for several');
SELECT * FROM finish();
ROLLBACK;
\pset tuples_only false
\pset format aligned
RESET search_path;
DROP SCHEMA regress_tap CASCADE;
