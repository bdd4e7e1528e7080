-- SPDX-License-Identifier: PostgreSQL
-- Claim: PUBLIC can do nothing with weir; grant_access() opens exactly its level,
-- each including the one before; tables and sequences stay closed to everyone;
-- revoke_access() takes back all of it, so that the role can be dropped.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.state_of(text) TO PUBLIC;
SELECT weir.append('access.a', '1') IS NOT NULL AS done;
CREATE ROLE regress_weir_nobody;
CREATE ROLE regress_weir_reader;
CREATE ROLE regress_weir_writer;
CREATE ROLE regress_weir_admin;
SELECT weir.grant_access('regress_weir_reader', 'read');
SELECT weir.grant_access('regress_weir_writer', 'write');
SELECT weir.grant_access('regress_weir_admin', 'admin');

-- Every call, as each role. 42501 or what the call itself gives.
CREATE TEMP TABLE attempt (n serial, level text, call text);
INSERT INTO attempt (level, call) VALUES
    ('read', 'weir.read(''access.a'')'), ('read', 'weir.read_many(ARRAY[''access.a''])'), ('read', 'weir.head(''access.a'')'), ('read', 'weir.summary(''access.a'')'),
    ('read', 'weir.summary_at(''access.a'', ''-'')'), ('read', 'weir.stream_info(''access.a'')'), ('read', 'weir.streams'),
    ('read', 'weir.merge_patch(''{}'', ''{}'')'), ('read', 'weir.merge_patch(''{}'', ''{}'', ''s'')'), ('read', 'weir.merge_diff(''{}'', ''{}'')'),
    ('read', 'weir.merge_diff(''{}'', ''{}'', ''s'')'), ('read', 'weir.merge_patches(''{}'', ''{}'')'),
    ('read', 'weir.position_from_bigint(1)'), ('read', 'weir.position_from_timestamptz(now())'), ('read', 'weir.position_to_timestamptz(''1-1'')'),
    ('read', '(SELECT ''1-1''::weir.position < ''2-1''::weir.position) x'), ('read', '(SELECT max(p) FROM (VALUES (''1-1''::weir.position)) v(p)) x'),
    ('read', '(SELECT 1::bigint::weir.position) x'), ('read', '(SELECT DISTINCT p FROM (VALUES (''1-1''::weir.position)) v(p) ORDER BY p) x'),
    ('write', 'weir.create_stream(''access.'' || current_user)'), ('write', 'weir.append(''access.a'', ''1'')'), ('write', 'weir.append_text(''access.a'', ''1'')'),
    ('write', 'weir.append_bytes(''access.a'', ''1'')'), ('write', 'weir.append_batch(''access.a'', ''{1}''::jsonb[])'), ('write', 'weir.append_text_batch(''access.a'', ''{1}''::text[])'),
    ('write', 'weir.append_bytes_batch(''access.a'', ''{1}''::bytea[])'), ('write', 'weir.append_patch(''access.a'', ''{}'')'), ('write', 'weir.append_best_effort(''access.a'', ''1'')'),
    ('write', 'weir.append_best_effort_text(''access.a'', ''1'')'), ('write', 'weir.append_best_effort_bytes(''access.a'', ''1'')'), ('write', 'weir.append_best_effort_batch(''access.a'', ''{1}''::jsonb[])'),
    ('write', 'weir.append_best_effort_text_batch(''access.a'', ''{1}''::text[])'), ('write', 'weir.append_best_effort_bytes_batch(''access.a'', ''{1}''::bytea[])'),
    ('write', 'weir.append(''access.a'', ''1'', idempotency_key => ''access '' || current_user)'), ('write', 'weir.close(''access.closed '' || current_user)'),
    ('read', 'weir.leases'), ('read', 'weir.lease_time()'), ('write', 'weir.lease_acquire(''access.'' || current_user, ''o'')'), ('write', 'weir.lease_check(''access.'' || current_user, 1)'),
    ('write', 'weir.append(''access.a'', ''1'', lease => ''access.'' || current_user, epoch => 1)'), ('write', 'weir.lease_renew(''access.'' || current_user, ''o'', 1)'),
    ('write', 'weir.lease_release(''access.'' || current_user, ''o'', 1)'), ('write', 'weir.lease_sweep()'), ('admin', 'weir.lease_revoke(''access.'' || current_user, ''o'')'),
    ('admin', 'weir.trim(''access.a'', keep => 1)'), ('admin', 'weir.drop_stream(''access.'' || current_user)'),
    ('owner', 'weir.grant_access(current_user::regrole, ''admin'')'), ('owner', 'weir.revoke_access(''regress_weir_reader'')'),
    ('nobody', 'weir.registry'), ('nobody', 'weir.frame_log'), ('nobody', 'weir.frame_best_effort'), ('nobody', 'weir.checkpoint'), ('nobody', 'weir.idempotency'),
    ('nobody', 'weir.privilege'), ('nobody', 'weir.incarnation'), ('nobody', 'weir.life'), ('nobody', 'weir.clock'), ('nobody', 'weir.id_seq'), ('nobody', 'nextval(''weir.clock'')'),
    ('nobody', 'nextval(''weir.id_seq'')'), ('nobody', 'setval(''weir.clock'', 1)'), ('nobody', 'weir.lease'), ('nobody', 'weir.lease_floor'), ('nobody', 'setval(''weir.lease_floor'', 1)');
GRANT SELECT ON attempt TO PUBLIC;
CREATE TEMP TABLE outcome (role text, n integer, sqlstate text);
GRANT INSERT ON outcome TO PUBLIC;
SET ROLE regress_weir_nobody;
INSERT INTO outcome SELECT current_user, n, pg_temp.state_of('SELECT * FROM ' || call) FROM attempt ORDER BY n;
SET ROLE regress_weir_reader;
INSERT INTO outcome SELECT current_user, n, pg_temp.state_of('SELECT * FROM ' || call) FROM attempt ORDER BY n;
SET ROLE regress_weir_writer;
INSERT INTO outcome SELECT current_user, n, pg_temp.state_of('SELECT * FROM ' || call) FROM attempt ORDER BY n;
SET ROLE regress_weir_admin;
INSERT INTO outcome SELECT current_user, n, pg_temp.state_of('SELECT * FROM ' || call) FROM attempt ORDER BY n;
RESET ROLE;
SELECT a.level, regexp_replace(replace(a.call, 'weir.', ''), '\(.*', '') AS what,
       max(sqlstate) FILTER (WHERE role = 'regress_weir_nobody') AS nobody, max(sqlstate) FILTER (WHERE role = 'regress_weir_reader') AS reader,
       max(sqlstate) FILTER (WHERE role = 'regress_weir_writer') AS writer, max(sqlstate) FILTER (WHERE role = 'regress_weir_admin') AS admin
FROM attempt a JOIN outcome o USING (n) GROUP BY a.n, a.level, a.call ORDER BY a.n;

-- Writing to the tables is closed as well, also to the admin level.
SET ROLE regress_weir_admin;
SELECT pg_temp.state_of('DELETE FROM weir.frame_log') AS delete_log, pg_temp.state_of('DELETE FROM weir.frame_best_effort') AS delete_best_effort,
       pg_temp.state_of('UPDATE weir.registry SET name = ''x''') AS update_stream, pg_temp.state_of('INSERT INTO weir.privilege VALUES (''read'')') AS insert_privilege,
       pg_temp.state_of('TRUNCATE weir.checkpoint') AS truncate_checkpoint, pg_temp.state_of('CREATE TABLE weir.mine (i integer)') AS create_in_schema,
       pg_temp.state_of('LOCK TABLE weir.frame_log') AS lock_log;
RESET ROLE;
-- The same at top level, where it is a statement of its own.
SET ROLE regress_weir_reader;
SELECT stream, frames > 0 AS frames FROM weir.streams WHERE stream = 'access.a';
SELECT count(*) > 0 AS reads FROM weir.read('access.a');
\set VERBOSITY sqlstate
SELECT weir.append('access.a', '1');
SELECT * FROM weir.frame_log;
\set VERBOSITY default
RESET ROLE;

-- The type in a table of one's own needs a level, and only a level.
GRANT CREATE ON SCHEMA public TO regress_weir_reader, regress_weir_nobody;
SET ROLE regress_weir_nobody;
SELECT pg_temp.state_of('CREATE TABLE public.regress_cursor (c weir.position)') AS nobody;
SET ROLE regress_weir_reader;
SELECT pg_temp.state_of('CREATE TABLE public.regress_cursor (c weir.position PRIMARY KEY)') AS reader;
DROP TABLE public.regress_cursor;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM regress_weir_reader, regress_weir_nobody;

-- Levels: each more than the one before, a lower one later takes nothing away.
SELECT weir.grant_access('regress_weir_nobody', 'write');
SELECT weir.grant_access('regress_weir_nobody', 'read');
SET ROLE regress_weir_nobody;
SELECT pg_temp.state_of('SELECT weir.append(''access.a'', ''1'')') AS still_writes;
RESET ROLE;
SELECT weir.revoke_access('regress_weir_nobody');
SELECT weir.grant_access('regress_weir_nobody', 'read');
SET ROLE regress_weir_nobody;
SELECT pg_temp.state_of('SELECT weir.append(''access.a'', ''1'')') AS no_longer, pg_temp.state_of('SELECT * FROM weir.read(''access.a'')') AS reads;
RESET ROLE;
SELECT weir.revoke_access('regress_weir_nobody');
SET ROLE regress_weir_nobody;
SELECT pg_temp.state_of('SELECT * FROM weir.read(''access.a'')') AS read, pg_temp.state_of('SELECT * FROM weir.streams') AS streams;
RESET ROLE;
-- Roles whose names need quotes.
CREATE ROLE "regress_weir ""Odd"", --";
SELECT weir.grant_access('"regress_weir ""Odd"", --"', 'read');
SET ROLE "regress_weir ""Odd"", --";
SELECT pg_temp.state_of('SELECT * FROM weir.read(''access.a'')') AS read, pg_temp.state_of('SELECT weir.append(''access.a'', ''1'')') AS append;
RESET ROLE;
SELECT weir.revoke_access('"regress_weir ""Odd"", --"');

-- Bad input.
\set SHOW_CONTEXT never
SELECT weir.grant_access('regress_weir_reader', 'root');
SELECT weir.grant_access('regress_weir_reader', NULL);
SELECT pg_temp.state_of('SELECT weir.grant_access(NULL, ''read'')') AS null_role, pg_temp.state_of('SELECT weir.grant_access(''regress_weir_reader'', '''')') AS empty_level,
       pg_temp.state_of('SELECT weir.grant_access(''regress_weir_reader'', ''owner'')') AS owner_level, pg_temp.state_of('SELECT weir.grant_access(''regress_weir_reader'', ''READ'')') AS case_matters,
       pg_temp.state_of('SELECT weir.grant_access(''regress_weir_missing'', ''read'')') AS missing_role, pg_temp.state_of('SELECT weir.revoke_access(NULL)') AS revoke_null;
SELECT pg_temp.state_of('SELECT weir.grant_access(0::oid::regrole, ''read'')') <> 'accepted' AS role_zero_refused,
       pg_temp.state_of('SELECT weir.grant_access(4294967295::oid::regrole, ''read'')') <> 'accepted' AS no_such_oid_refused;

-- Everything back: nothing depends on the roles any more.
SELECT weir.revoke_access('regress_weir_reader'), weir.revoke_access('regress_weir_writer'), weir.revoke_access('regress_weir_admin');
DROP TABLE attempt, outcome;
DROP FUNCTION pg_temp.state_of(text);
DROP ROLE regress_weir_nobody, regress_weir_reader, regress_weir_writer, regress_weir_admin, "regress_weir ""Odd"", --";
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'access.%';
