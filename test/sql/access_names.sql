-- SPDX-License-Identifier: PostgreSQL
-- Claim: a role with patterns of names may use, at each level, exactly the streams and
-- leases that they match, in every call that there is in the catalogue; lists and views
-- show it those and no others; what is refused is refused whether it is there or not; and no
-- trick of the caller's gets around it: not SET ROLE, SECURITY DEFINER, search_path, a
-- prepared statement, escapes, a function that tells what it is given, EXECUTE granted by hand.
\set SHOW_CONTEXT never
CREATE ROLE regress_weir_named;
SELECT weir.grant_access('regress_weir_named', 'read', 'ro.*');
SELECT weir.grant_access('regress_weir_named', 'write', names => 'rw.*');
SELECT weir.grant_access('regress_weir_named', 'admin', 'ad.*');
SELECT * FROM weir.access WHERE role = 'regress_weir_named'::regrole ORDER BY names;
SELECT weir.append(s, '1') IS NOT NULL AS done FROM unnest('{ro.a,rw.a,ad.a,out.a}'::text[]) s;
SELECT acquired FROM unnest('{ro.a,rw.a,ad.a,out.a}'::text[]) s, weir.lease_acquire(s, 'o');
SET ROLE regress_weir_named;
SELECT weir.subscribe('access_names', '*');
RESET ROLE;

-- Every call of the catalogue, made with a name of each kind: what names a stream or a lease takes the name, what
-- names a subscription that of one that is the role's own, and other arguments without a default anything.
CREATE FUNCTION pg_temp.value_of(function name, argument text, type regtype, name text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE
        WHEN argument IN ('stream', 'lease') OR argument = 'name' AND function LIKE 'lease%'
            THEN quote_literal(name)
        WHEN argument = 'streams' THEN format('ARRAY[%L]', name)
        WHEN argument IN ('name', 'subscription') THEN '''access_names'''
        WHEN type::text LIKE '%[]' THEN format('ARRAY[%s]', pg_temp.value_of(function, '', left(type::text, -2)::regtype, ''))
        WHEN type IN ('integer', 'bigint') THEN '1'
        WHEN type = 'jsonb'::regtype THEN '''{}''::jsonb'
        WHEN type = 'bytea'::regtype THEN '''\x00''::bytea'
        WHEN type = 'regrole'::regtype THEN 'current_user::regrole'
        WHEN type = 'weir.position'::regtype THEN '''0-1''::weir.position'
        WHEN type = 'interval'::regtype THEN '''1 s''::interval'
        WHEN type = 'boolean'::regtype THEN 'true'
        ELSE '''1'''
    END
$$;
CREATE TEMP TABLE call AS
    WITH argument AS (
        SELECT p.oid, p.proname, p.prokind, p.pronargs, p.pronargdefaults, n.argument, n.type::regtype, n.nth,
               n.nth > p.pronargs - p.pronargdefaults AS has_default
        FROM pg_proc p CROSS JOIN LATERAL (
            SELECT a.argument, a.type, row_number() OVER (ORDER BY a.n) AS nth
            FROM ROWS FROM (unnest(p.proargnames),
                            unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])),
                            unnest(p.proargmodes)) WITH ORDINALITY a (argument, type, mode, n)
            WHERE coalesce(a.mode, 'i') IN ('i', 'b') AND a.type IS NOT NULL) n
        WHERE p.pronamespace = 'weir'::regnamespace),
    names AS (SELECT oid FROM argument
              WHERE argument IN ('stream', 'streams') OR argument = 'name' AND proname LIKE 'lease%'
              GROUP BY oid)
    SELECT v.level, a.oid::regprocedure::text AS function, k.kind,
           CASE WHEN a.prokind = 'p' THEN 'CALL ' ELSE 'SELECT * FROM ' END || format('weir.%I(%s)', a.proname,
               string_agg(format('%I => %s', a.argument, pg_temp.value_of(a.proname, a.argument, a.type, k.kind || '.a')),
                          ', ' ORDER BY a.nth)
               FILTER (WHERE NOT a.has_default OR a.argument IN ('stream', 'streams')
                             OR a.proname = 'seek' AND a.argument IN ('position', 'after'))) AS text, a.proname AS name
    FROM argument a JOIN names USING (oid) JOIN weir.privilege v ON v.name = a.proname
    CROSS JOIN (VALUES ('out'), ('ro'), ('rw'), ('ad')) k (kind)
    WHERE v.level IN ('read', 'write', 'admin')
    GROUP BY v.level, a.oid, a.proname, a.prokind, k.kind;
-- The fence of an append is on a name, too.
INSERT INTO call
    SELECT 'write', c.function || ' with a lease', k.kind,
           regexp_replace(c.text, '\)$', format(', lease => %L, epoch => 1)', k.kind || '.a')), c.name
    FROM call c CROSS JOIN (VALUES ('out'), ('ro'), ('rw'), ('ad')) k (kind)
    WHERE c.kind = 'rw' AND EXISTS (SELECT FROM pg_proc p WHERE p.oid = c.function::regprocedure AND 'lease' = ANY (p.proargnames));
CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RAISE SQLSTATE 'ZZ000';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
GRANT SELECT ON call TO regress_weir_named;
GRANT EXECUTE ON FUNCTION pg_temp.state_of(text) TO PUBLIC;
CREATE TEMP TABLE outcome (function text, kind text, state text);
GRANT INSERT ON outcome TO regress_weir_named;
SET ROLE regress_weir_named;
INSERT INTO outcome SELECT function, kind, pg_temp.state_of(text) FROM call;
RESET ROLE;
-- None is let through, and none refused, that should not be.
SELECT c.level, c.function, c.kind, o.state
FROM call c JOIN outcome o USING (function, kind)
WHERE (o.state = '42501') <> (c.kind = ANY (CASE c.level WHEN 'read' THEN '{out}'::text[] WHEN 'write' THEN '{out,ro}'
                                                         ELSE '{out,ro,rw}' END))
   OR o.state IN ('42601', '42703', '42883', '42725', '42804') -- a call that was not made as it is meant
ORDER BY 1, 2, 3;
SELECT count(*) > 100 AS many FROM call;
-- What has no name to check. A new function is here, or above.
SELECT DISTINCT p.proname AS without_a_name
FROM pg_proc p JOIN weir.privilege v ON v.name = p.proname AND v.level IN ('read', 'write', 'admin')
WHERE p.pronamespace = 'weir'::regnamespace AND p.provolatile <> 'i' AND NOT EXISTS (
    SELECT FROM call c WHERE c.name = p.proname)
ORDER BY 1;

-- Nothing tells whether a stream is there: the same words for one that is and one that is not.
SET ROLE regress_weir_named;
SELECT * FROM weir.read('out.a');
SELECT * FROM weir.read('out.nosuch');
SELECT weir.append('out.nosuch', '1');
SELECT weir.append('ro.a', '1');
SELECT weir.drop_stream('rw.a');
SELECT * FROM weir.lease_acquire('out.it''s *', 'o');
SELECT weir.append('rw.a', '1', lease => 'out.a', epoch => 1);
SELECT * FROM weir.read_many(ARRAY['ro.a', 'out.a']);
CALL weir.wait('out.a');
SELECT weir.append('leases', '1');
SELECT * FROM weir.read('leases');

-- Lists and views.
SELECT stream FROM weir.list_streams();
SELECT stream FROM weir.streams ORDER BY stream;
SELECT count(*) FROM weir.streams WHERE stream = 'out.a';
SELECT stream FROM weir.streams WHERE stream LIKE '%.a' ORDER BY stream;
SELECT name, owner FROM weir.leases ORDER BY name;
SELECT DISTINCT stream FROM weir.subscriptions ORDER BY stream;
SELECT names FROM weir.access ORDER BY names;
CREATE FUNCTION pg_temp.tell(x text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
$$ BEGIN IF x LIKE 'out%' THEN RAISE NOTICE 'told of %', x; END IF; RETURN true; END $$;
SELECT count(*) FROM weir.streams WHERE pg_temp.tell(stream);
SELECT count(*) FROM weir.leases WHERE pg_temp.tell(name);
RESET ROLE;
SELECT weir.alter_stream(s, max_age => '1 day') FROM unnest('{ro.a,out.a}'::text[]) s;
SET ROLE regress_weir_named;
SELECT stream FROM weir.retention;
SELECT weir.drop_streams('*');
RESET ROLE;
SELECT stream FROM weir.list_streams('??.a') UNION ALL SELECT stream FROM weir.list_streams('out.*') ORDER BY 1;
SELECT weir.alter_stream(s, reset => '{max_age}') FROM unnest('{ro.a,out.a}'::text[]) s;

-- The history of a namespace is written to by the leases of those that may write to that name, though nobody appends
-- to it; the history of none, by all leases.
SET ROLE regress_weir_named;
SELECT weir.lease_acquire('rw.n', 'o', headers => '{"namespace": "rw.n"}');
RESET ROLE;
SELECT weir.grant_access('regress_weir_named', 'read', 'leases/*');
SET ROLE regress_weir_named;
SELECT pg_temp.state_of($$SELECT weir.lease_acquire('rw.n', 'o', headers => '{"namespace": "rw.n"}')$$) AS to_read_is_not_enough;
RESET ROLE;
SELECT weir.grant_access('regress_weir_named', 'write', 'leases/rw.*');
SET ROLE regress_weir_named;
SELECT acquired, epoch FROM weir.lease_acquire('rw.n', 'o', headers => '{"namespace": "rw.n"}') \gset
SELECT :'acquired' AS acquired, weir.lease_renew('rw.n', 'o', :epoch) IS NOT NULL AS renewed, weir.lease_release('rw.n', 'o', :epoch);
SELECT type FROM weir.read('leases/rw.n');
SELECT call, pg_temp.state_of('SELECT ' || call) AS state
FROM (VALUES ('weir.append(''leases/rw.n'', ''1'')'), ('weir.emit(''leases/rw.n'', ''{}'', ''n'')'), ('weir.close(''leases/rw.n'')'),
             ('weir.create_stream(''leases/rw.new'')'), ('weir.trim(''leases/rw.n'', keep => 0)'),
             ('weir.alter_stream(''leases/rw.n'', max_frames => 1)'), ('weir.drop_stream(''leases/rw.n'')'),
             ('weir.lease_acquire(''rw.n'', ''o'', headers => ''{"namespace": "ad.n"}'')')) c(call);
RESET ROLE;
SELECT weir.revoke_access('regress_weir_named', 'leases/*'), weir.revoke_access('regress_weir_named', 'leases/rw.*');
SELECT weir.drop_stream('leases/rw.n');

-- Why housekeeping failed may name a stream: for those who may see all of them.
SELECT weir.append('out.a', '1', idempotency_key => 'k') IS NOT NULL AS done;
BEGIN;
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a key of out.a'; END $$;
CREATE TRIGGER refuse BEFORE DELETE ON weir.idempotency FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
UPDATE weir.idempotency SET called_at = now() - interval '2 days';
SELECT last_error FROM weir.housekeep('keys');
ROLLBACK;
CREATE ROLE regress_weir_monitor IN ROLE pg_monitor;
SELECT weir.grant_access('regress_weir_monitor', 'read', 'ro.*');
CREATE ROLE regress_weir_most;
SELECT weir.grant_access('regress_weir_most', 'admin', '?*');
SELECT failures > 0 AS failed, last_error AS superuser FROM weir.housekeeping WHERE job = 'keys';
SET ROLE regress_weir_named;
SELECT failures > 0 AS failed, last_error AS named FROM weir.housekeeping WHERE job = 'keys';
SET ROLE regress_weir_most;
SELECT last_error AS admin_of_some FROM weir.housekeeping WHERE job = 'keys';
SET ROLE regress_weir_monitor;
SELECT last_error AS monitor FROM weir.housekeeping WHERE job = 'keys';
RESET ROLE;
SELECT weir.grant_access('regress_weir_most', 'admin');
SET ROLE regress_weir_most;
SELECT last_error AS admin_of_all FROM weir.housekeeping WHERE job = 'keys';
RESET ROLE;
SELECT weir.revoke_access('regress_weir_most'), weir.revoke_access('regress_weir_monitor');
DROP ROLE regress_weir_most, regress_weir_monitor;

-- Patterns: an escaped star is a star, and no other character.
SELECT weir.grant_access('regress_weir_named', 'read', 'star\*');
SELECT weir.grant_access('regress_weir_named', 'read', 'qu?d');
SET ROLE regress_weir_named;
SELECT weir.has_access('star*') AS star, weir.has_access('stars') AS stars, weir.has_access('star\*') AS as_written,
       weir.has_access('quad') AS quad, weir.has_access('quaad') AS longer, weir.has_access('ro.') AS empty_rest,
       weir.has_access('ro') AS prefix, weir.has_access('RO.a') AS case_matters, weir.has_access('ro.a', 'write') AS writes, weir.has_access() AS all_names;
SELECT weir.has_access('a', 'root');
RESET ROLE;
SELECT pg_temp.state_of($$SELECT weir.grant_access('regress_weir_named', 'read', 'a\')$$) AS open_escape,
       pg_temp.state_of($$SELECT weir.grant_access('regress_weir_named', 'read', '')$$) AS empty,
       pg_temp.state_of($$SELECT weir.grant_access('regress_weir_named', 'read', repeat('x', 513))$$) AS too_long;

-- Members have it where they inherit, as with the server's privileges; SET ROLE counts at once, in the middle of a transaction.
CREATE ROLE regress_weir_member IN ROLE regress_weir_named;
CREATE ROLE regress_weir_aside NOINHERIT IN ROLE regress_weir_named;
GRANT USAGE ON SCHEMA weir TO regress_weir_aside;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA weir TO regress_weir_aside;
SET ROLE regress_weir_member;
SELECT weir.has_access('ro.a') AS member, weir.append('rw.a', '2') IS NOT NULL AS writes;
RESET ROLE;
-- EXECUTE by hand opens no name, nor does it let grant.
SET SESSION AUTHORIZATION regress_weir_aside;
SELECT weir.has_access('ro.a') AS aside;
SELECT weir.append('rw.a', '1');
SELECT weir.grant_access('regress_weir_aside', 'read');
SELECT weir.enter_access('regress_weir_aside', 'admin', '*');
SELECT count(*) FROM weir.list_streams();
BEGIN;
SELECT pg_temp.state_of($$SELECT weir.append('rw.a', '1')$$) AS before;
SET LOCAL ROLE regress_weir_named;
SELECT weir.append('rw.a', '1') IS NOT NULL AS as_the_other;
SET LOCAL ROLE NONE;
SELECT pg_temp.state_of($$SELECT weir.append('rw.a', '1')$$) AS after;
COMMIT;
RESET SESSION AUTHORIZATION;
CREATE FUNCTION public.regress_for_others(s text) RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ SELECT weir.append(s, '1') IS NOT NULL $$;
ALTER FUNCTION public.regress_for_others(text) OWNER TO regress_weir_named;
SET ROLE regress_weir_aside;
SELECT public.regress_for_others('rw.a'), pg_temp.state_of($$SELECT public.regress_for_others('out.a')$$) AS beyond;
RESET ROLE;
DROP FUNCTION public.regress_for_others(text);
SET ROLE regress_weir_aside;
RESET ROLE;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA weir FROM regress_weir_aside;
REVOKE ALL ON SCHEMA weir FROM regress_weir_aside;

-- A row counts while its role itself has USAGE on the schema; what DROP OWNED took does not come back with the next grant.
SELECT weir.grant_access('regress_weir_aside', 'admin');
SET ROLE regress_weir_aside;
SELECT weir.has_access('out.a', 'admin') AS before;
RESET ROLE;
DROP OWNED BY regress_weir_aside;
SELECT count(*) AS rows_left FROM weir.access WHERE role = 'regress_weir_aside'::regrole;
GRANT EXECUTE ON FUNCTION weir.has_access(text, text) TO regress_weir_aside;
SET ROLE regress_weir_aside;
SELECT weir.has_access('out.a', 'admin');
RESET ROLE;
SELECT weir.grant_access('regress_weir_aside', 'read', 'x');
SET ROLE regress_weir_aside;
SELECT weir.has_access('out.a') AS old, weir.has_access('x') AS new;
RESET ROLE;
\set VERBOSITY sqlstate
DROP ROLE regress_weir_aside;
\set VERBOSITY default
SELECT weir.revoke_access('regress_weir_aside');
DROP ROLE regress_weir_aside;

-- Prepared statements, and what is rolled back.
SELECT weir.grant_access('regress_weir_member', 'write', 'own.*');
SET ROLE regress_weir_member;
PREPARE app AS SELECT weir.append('own.a', '1') IS NOT NULL AS done;
EXECUTE app;
RESET ROLE;
BEGIN;
SELECT weir.revoke_access('regress_weir_member', 'own.*');
SET LOCAL ROLE regress_weir_member;
SELECT weir.has_access('own.a') AS revoked;
ROLLBACK;
SET ROLE regress_weir_member;
EXECUTE app;
RESET ROLE;
BEGIN;
SAVEPOINT s;
SELECT weir.grant_access('regress_weir_member', 'write', 'out.*');
SET LOCAL ROLE regress_weir_member;
SELECT weir.has_access('out.a') AS granted;
ROLLBACK TO s;
SET LOCAL ROLE regress_weir_member;
SELECT weir.has_access('out.a') AS undone;
COMMIT;
SELECT weir.revoke_access('regress_weir_member', 'own.*');
SET ROLE regress_weir_member;
EXECUTE app;
RESET ROLE;
DEALLOCATE app;
SELECT weir.revoke_access('regress_weir_member', 'nosuch');

-- Many patterns, where verdicts are kept by name.
SELECT count(weir.grant_access('regress_weir_member', 'read', format('many%s.*', i))) FROM generate_series(1, 20) i;
SET ROLE regress_weir_member;
SELECT weir.has_access('many7.x') AS one, weir.has_access('many21.x') AS none, weir.has_access('many7.x', 'write') AS writes;
SELECT weir.has_access('many7.x') AS again, weir.has_access('many21.x') AS none_again;
RESET ROLE;
SELECT weir.revoke_access('regress_weir_member', 'many7.*');
SET ROLE regress_weir_member;
SELECT weir.has_access('many7.x') AS revoked, weir.has_access('many8.x') AS kept;
RESET ROLE;

-- What was emitted under a right is written, whoever commits.
BEGIN;
SET LOCAL ROLE regress_weir_named;
SELECT weir.emit('rw.emitted', '{}', 'a');
SET LOCAL ROLE NONE;
SET LOCAL ROLE regress_weir_member;
COMMIT;
SELECT count(*) FROM weir.read('rw.emitted');
BEGIN;
SET LOCAL ROLE regress_weir_named;
SELECT weir.emit('out.emitted', '{}', 'a');
ROLLBACK;

-- A subscription gives what its owner may read, whoever fetches.
SET ROLE regress_weir_named;
SELECT weir.seek('access_names', '-');
SELECT DISTINCT stream FROM weir.fetch('access_names') ORDER BY stream;
SELECT weir.subscribe('access_names_one', 'ro.a', '-');
SELECT weir.subscribe('access_names_out', 'out.a');
SELECT weir.subscribe_many('access_names_out', ARRAY['ro.a', 'out.a']);
SELECT weir.ack('access_names', '0-1', 'out.a');
SELECT weir.seek('access_names', '-', 'out.a');
RESET ROLE;
SELECT DISTINCT stream FROM weir.fetch('access_names') ORDER BY stream;
CREATE ROLE regress_weir_most;
SELECT weir.grant_access('regress_weir_most', 'admin', '?*');
SET ROLE regress_weir_most;
SELECT * FROM weir.fetch('access_names'); -- level admin for some names is not that for subscriptions
RESET ROLE;
SELECT weir.grant_access('regress_weir_most', 'admin');
SET ROLE regress_weir_most;
SELECT count(*) > 0 AS as_admin FROM weir.fetch('access_names');
RESET ROLE;
SELECT weir.revoke_access('regress_weir_named', 'ro.*');
SELECT weir.subscribe('access_names', '*');
SET ROLE regress_weir_named;
SELECT DISTINCT stream FROM weir.fetch('access_names') ORDER BY stream;
SELECT * FROM weir.fetch('access_names_one');
CALL weir.wait(subscription => 'access_names_one', timeout => '0');
SELECT weir.ack('access_names_one', '0-1');
RESET ROLE;
SELECT weir.grant_access('regress_weir_named', 'read', 'ro.*');
SET ROLE regress_weir_named;
SELECT count(*) FROM weir.fetch('access_names_one');
SELECT weir.unsubscribe('access_names'), weir.unsubscribe('access_names_one');
RESET ROLE;

-- The outbox: the owner of the table, whoever writes to it.
CREATE TABLE public.regress_of_named (id integer PRIMARY KEY);
CREATE TRIGGER o AFTER INSERT ON public.regress_of_named FOR EACH ROW EXECUTE FUNCTION weir.outbox('rw.rows');
ALTER TABLE public.regress_of_named OWNER TO regress_weir_named;
GRANT INSERT ON public.regress_of_named TO regress_weir_member;
SELECT weir.revoke_access('regress_weir_member');
SET ROLE regress_weir_member;
INSERT INTO public.regress_of_named VALUES (1);
RESET ROLE;
SELECT count(*) FROM weir.read('rw.rows');
SET ROLE regress_weir_named;
CREATE TRIGGER other AFTER INSERT ON public.regress_of_named FOR EACH ROW EXECUTE FUNCTION weir.outbox('out.rows');
INSERT INTO public.regress_of_named VALUES (2);
RESET ROLE;
INSERT INTO public.regress_of_named VALUES (3); -- a superuser that writes changes nothing
DROP TABLE public.regress_of_named;
-- A partition's clone is that of a table above it, any of which may have it.
CREATE TABLE public.regress_root (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE public.regress_middle PARTITION OF public.regress_root FOR VALUES FROM (1) TO (10) PARTITION BY RANGE (id);
CREATE TABLE public.regress_leaf PARTITION OF public.regress_middle FOR VALUES FROM (1) TO (10);
ALTER TABLE public.regress_middle OWNER TO regress_weir_named;
ALTER TABLE public.regress_leaf OWNER TO regress_weir_named;
SET ROLE regress_weir_named;
CREATE TRIGGER o AFTER INSERT ON public.regress_middle FOR EACH ROW EXECUTE FUNCTION weir.outbox('out.rows');
RESET ROLE;
INSERT INTO public.regress_root VALUES (1);
DROP TABLE public.regress_root;

-- What others put in the way of names is not looked at.
CREATE SCHEMA regress_names AUTHORIZATION regress_weir_named;
SET ROLE regress_weir_named;
CREATE FUNCTION regress_names.has_access(name text DEFAULT NULL, level text DEFAULT 'read') RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION regress_names.pg_has_role(regrole, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE TABLE regress_names.access_grant (role regrole, level text, names text);
INSERT INTO regress_names.access_grant VALUES ('regress_weir_named', 'admin', '*');
SET search_path = regress_names, weir, pg_catalog;
SELECT weir.has_access('out.a') AS has, count(*) FILTER (WHERE stream LIKE 'out%') AS sees FROM weir.streams;
SELECT count(*) FROM weir.access WHERE names LIKE '?%';
RESET search_path;
RESET ROLE;
DROP SCHEMA regress_names CASCADE;

-- A role that is renamed keeps what it has; the owner and superusers have everything.
ALTER ROLE regress_weir_member RENAME TO regress_weir_renamed;
SET ROLE regress_weir_renamed;
SELECT weir.has_access('rw.a', 'write') AS renamed;
RESET ROLE;
SELECT weir.has_access(NULL, 'admin') AS superuser;

-- Dropping a role waits for its access to be taken.
DROP TABLE call, outcome;
DROP FUNCTION pg_temp.tell(text);
\set VERBOSITY sqlstate
DROP ROLE regress_weir_named;
\set VERBOSITY default
SELECT weir.revoke_access('regress_weir_named'), weir.revoke_access('regress_weir_most');
DROP ROLE regress_weir_renamed, regress_weir_named, regress_weir_most;
SELECT count(*) FROM weir.access WHERE role::text LIKE 'regress_weir%';
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.list_streams() WHERE stream ~ '^(ro|rw|ad|out|own)\.';
SELECT count(weir.lease_revoke(name, 'o')) FROM weir.leases WHERE name ~ '\.a$';
