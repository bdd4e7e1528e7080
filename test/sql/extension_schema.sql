-- SPDX-License-Identifier: PostgreSQL
-- Claim: CREATE EXTENSION runs nothing and opens nothing that somebody else has prepared: a schema "weir" that
-- others own, may create in, or have put something into is refused; what stands in front on the search_path is not
-- looked at; and default privileges open nothing.
CREATE DATABASE regress_weir_schema;
\c regress_weir_schema
SET client_min_messages = warning;
CREATE ROLE regress_weir_preparer;
GRANT CREATE ON DATABASE regress_weir_schema TO regress_weir_preparer;
\set SHOW_CONTEXT never

-- A schema that is there already.
SET ROLE regress_weir_preparer;
CREATE SCHEMA weir;
RESET ROLE;
CREATE EXTENSION weir;
ALTER SCHEMA weir OWNER TO CURRENT_USER;
GRANT CREATE ON SCHEMA weir TO regress_weir_preparer;
CREATE EXTENSION weir;
REVOKE CREATE ON SCHEMA weir FROM regress_weir_preparer;
GRANT ALL ON SCHEMA weir TO PUBLIC;
CREATE EXTENSION weir;
REVOKE ALL ON SCHEMA weir FROM PUBLIC;
-- What is left in it may be anything: here the operator that once ran as whoever looked at weir.leases.
CREATE FUNCTION weir.hostile(bigint, interval) RETURNS interval LANGUAGE sql AS 'SELECT $2';
CREATE OPERATOR weir.* (LEFTARG = bigint, RIGHTARG = interval, FUNCTION = weir.hostile);
CREATE EXTENSION weir;
DROP OPERATOR weir.* (bigint, interval);
CREATE EXTENSION weir;
DROP FUNCTION weir.hostile(bigint, interval);
CREATE COLLATION weir.own FROM "C";
CREATE EXTENSION weir;
DROP COLLATION weir.own;
-- Empty and closed, it will do.
CREATE EXTENSION weir;
DROP EXTENSION weir;
DROP SCHEMA weir;

-- Default privileges of whoever creates it: those on schemas are refused, the others take no effect.
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO regress_weir_preparer;
CREATE EXTENSION weir;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM regress_weir_preparer;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_weir_preparer, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_weir_preparer, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_weir_preparer;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO regress_weir_preparer;

-- Operators, functions and types with the names and arguments of the catalogue's, in front of it.
CREATE SCHEMA regress_evil;
SELECT pg_read_file(c.setting || '/extension/weir--' || v.version || '.sql') AS script
FROM pg_config c, pg_available_extension_versions v WHERE c.name = 'SHAREDIR' AND v.name = 'weir' \gset
CREATE TEMP TABLE script AS SELECT :'script'::text AS text;
DO $$
DECLARE
    o record;
BEGIN
    FOR o IN SELECT format('CREATE OPERATOR regress_evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)', p.oprname,
        p.oprleft::regtype, p.oprright::regtype, p.oprcode) AS command
             FROM pg_operator p WHERE p.oprnamespace = 'pg_catalog'::regnamespace AND p.oprkind = 'b'
                 AND p.oprname <> '=>'
    LOOP
        EXECUTE o.command;
    END LOOP;
    FOR o IN SELECT format('CREATE FUNCTION regress_evil.%I(%s) RETURNS %s LANGUAGE internal AS %L', p.proname,
        oidvectortypes(p.proargtypes), pg_get_function_result(p.oid), p.prosrc) AS command
             FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang, script
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND l.lanname = 'internal'
                 AND NOT p.proretset AND p.proallargtypes IS NULL AND p.provariadic = 0
               AND script.text ~ ('\m' || p.proname || '\(') AND NOT 'internal'::regtype = ANY (p.proargtypes)
    LOOP
        EXECUTE o.command;
    END LOOP;
    FOREACH o.command IN ARRAY
        '{text,jsonb,bytea,int8,timestamptz,oid,name,regrole,regclass,regprocedure,interval}'::text[] LOOP
        EXECUTE format('CREATE DOMAIN regress_evil.%I AS pg_catalog.%I', o.command, o.command);
    END LOOP;
END
$$;
CREATE FUNCTION pg_temp.taken_from_evil() RETURNS TABLE (object text,
    taken text) LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid,
        d.refobjsubid)
    FROM pg_depend d
    WHERE ((d.refclassid = 'pg_operator'::regclass AND d.refobjid IN (SELECT oid FROM pg_operator
        WHERE oprnamespace = 'regress_evil'::regnamespace))
           OR (d.refclassid = 'pg_proc'::regclass AND d.refobjid IN (SELECT oid FROM pg_proc
               WHERE pronamespace = 'regress_evil'::regnamespace))
           OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT oid FROM pg_type
               WHERE typnamespace = 'regress_evil'::regnamespace)))
      AND NOT (d.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.oid = d.objid
          AND t.typnamespace = 'regress_evil'::regnamespace))
$$;
SET search_path = regress_evil, pg_catalog, pg_temp;
CREATE EXTENSION weir;
RESET search_path;
SELECT * FROM pg_temp.taken_from_evil();
-- Whatever a view of weir takes is the catalogue's (which pg_depend does not list) or weir's.
SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0) AS stranger
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class AND c.relnamespace = 'weir'::regnamespace
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
LEFT JOIN pg_class l ON d.refclassid = 'pg_class'::regclass AND l.oid = d.refobjid
WHERE coalesce(o.oprnamespace, p.pronamespace, l.relnamespace) NOT IN ('weir'::regnamespace,
    'pg_catalog'::regnamespace);
-- Not since the script sees to its search_path: the views say themselves what they mean.
SET search_path = regress_evil, pg_catalog, pg_temp;
CREATE SCHEMA regress_views;
DO $$
DECLARE
    v record;
BEGIN
    FOR v IN SELECT m[1] AS name, m[2] AS query
             FROM pg_temp.script s CROSS JOIN LATERAL pg_catalog.regexp_matches(s.text::pg_catalog.text,
                 'CREATE VIEW weir\.(\w+?)(?: WITH [^\n]*)? AS\n(.*?);\n', 'g') m LOOP
        EXECUTE pg_catalog.format('CREATE VIEW regress_views.%I AS %s', v.name, v.query);
    END LOOP;
END
$$;
RESET search_path;
SELECT * FROM pg_temp.taken_from_evil();
SELECT count(*) = (SELECT count(*) FROM pg_class WHERE relnamespace = 'weir'::regnamespace AND relkind = 'v')
    AS every_view FROM pg_class WHERE relnamespace = 'regress_views'::regnamespace;
-- And the trap works.
SET search_path = regress_evil, pg_catalog, pg_temp;
CREATE VIEW regress_views.trapped AS SELECT t.n OPERATOR(pg_catalog.=) 1 AS one, t.n * '1 s'::pg_catalog.interval
    AS two, clock_timestamp() AS three FROM (VALUES (1::pg_catalog.int8)) t(n);
RESET search_path;
SELECT * FROM pg_temp.taken_from_evil() ORDER BY 2;

-- Nothing of it is open to anybody, but what compares and casts positions to all.
SELECT o.what, o.name, a.grantee::regrole, a.privilege_type
FROM (SELECT 'relation', c.oid::regclass::text, c.relacl, c.relowner FROM pg_class c
    WHERE c.relnamespace = 'weir'::regnamespace
      UNION ALL SELECT 'routine', p.oid::regprocedure::text, p.proacl, p.proowner FROM pg_proc p
          WHERE p.pronamespace = 'weir'::regnamespace
      UNION ALL SELECT 'type', t.oid::regtype::text, t.typacl, t.typowner FROM pg_type t
          WHERE t.typnamespace = 'weir'::regnamespace AND t.typtype = 'b') o (what, name, acl, owner)
CROSS JOIN LATERAL aclexplode(o.acl) a WHERE a.grantee <> o.owner
    AND NOT (a.grantee = 0 AND o.name ~ '^weir\.position_');
-- revoke_access() takes back what was granted on sequences, too.
GRANT ALL ON ALL SEQUENCES IN SCHEMA weir TO regress_weir_preparer;
SELECT weir.revoke_access('regress_weir_preparer');
SELECT has_sequence_privilege('regress_weir_preparer', 'weir.clock', 'USAGE, SELECT, UPDATE') AS still;
\c contrib_regression
DROP DATABASE regress_weir_schema;
DROP ROLE regress_weir_preparer;
