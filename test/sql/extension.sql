-- SPDX-License-Identifier: PostgreSQL
-- Claim: the extension comes and goes like any other: dropped and created again
-- in one session with everything cached, copied with its database, and dropped
-- with its data; it owns every object it made, lives in its own schema, needs a
-- superuser, and does not drop while something of the user's depends on it.
SELECT extversion IS NOT NULL AS versioned, extrelocatable, extnamespace::regnamespace AS schema FROM pg_extension WHERE extname = 'weir';
-- Everything in the schema is a member; outside of it there are the operators and aggregates of positions alone.
SELECT count(*) AS strangers FROM (
    SELECT 'pg_class'::regclass AS classid, oid FROM pg_class WHERE relnamespace = 'weir'::regnamespace AND relkind IN ('r', 'S', 'v', 'p') AND relpersistence <> 't'
    UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = 'weir'::regnamespace
    UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprnamespace = 'weir'::regnamespace
    UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type t WHERE typnamespace = 'weir'::regnamespace AND typtype IN ('b', 'd', 'e') AND typelem = 0) o
WHERE NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'weir'
                  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.classid = o.classid AND d.objid = o.oid);
SELECT pg_describe_object(d.classid, d.objid, 0) AS outside
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'weir' CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND i.schema <> 'weir' ORDER BY 1;

CREATE DATABASE regress_weir_extension;
\c regress_weir_extension
SET client_min_messages = warning;
-- Without it there is nothing; a plain role cannot make it.
SELECT count(*) AS not_there FROM pg_namespace WHERE nspname = 'weir';
CREATE ROLE regress_weir_plain;
GRANT CREATE ON DATABASE regress_weir_extension TO regress_weir_plain;
SET ROLE regress_weir_plain;
\set VERBOSITY sqlstate
CREATE EXTENSION weir;
RESET ROLE;
CREATE EXTENSION weir SCHEMA public;
\set VERBOSITY default
CREATE EXTENSION weir;
SELECT weir.append('ext.a', '1') AS first \gset
SELECT summary_version FROM weir.append_patch('ext.a', '{"a": 1}');
SELECT weir.append_best_effort('ext.a', '3') AS last \gset
SELECT payload FROM weir.read('ext.a');
SELECT count(*) FROM weir.streams;
PREPARE again AS SELECT count(*) FROM weir.read('ext.a');
EXECUTE again;

-- Dropped and created again in this session: caches notice.
DROP EXTENSION weir;
SELECT count(*) AS nothing_left FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'weir');
SELECT (SELECT count(*) FROM pg_operator WHERE oid >= 16384) AS operators, (SELECT count(*) FROM pg_cast WHERE oid >= 16384) AS casts,
       (SELECT count(*) FROM pg_proc WHERE oid >= 16384 AND pronamespace = 'pg_catalog'::regnamespace) AS functions,
       (SELECT count(*) FROM pg_opclass WHERE oid >= 16384) AS operator_classes, (SELECT count(*) FROM pg_opfamily WHERE oid >= 16384) AS families;
CREATE EXTENSION weir;
SELECT count(*) AS frames FROM weir.read('ext.a');
SELECT weir.append('ext.a', '"new"') IS NOT NULL AS done;
SELECT payload FROM weir.read('ext.a');
EXECUTE again;
-- In one transaction, and rolled back.
BEGIN;
DROP EXTENSION weir;
CREATE EXTENSION weir;
SELECT weir.append('ext.a', '"in a transaction"') IS NOT NULL AS done;
SELECT payload FROM weir.read('ext.a');
ROLLBACK;
SELECT payload FROM weir.read('ext.a');
SELECT weir.append('ext.a', '"after"') IS NOT NULL AS done;
SELECT payload FROM weir.read('ext.a');
BEGIN;
SAVEPOINT s;
DROP EXTENSION weir;
ROLLBACK TO s;
SELECT weir.append('ext.a', '"savepoint"') IS NOT NULL AS done;
COMMIT;
SELECT count(*) FROM weir.read('ext.a');

-- What the user built on it keeps it: no silent loss.
CREATE TABLE cursors (reader text, at weir.position);
\set VERBOSITY sqlstate
DROP EXTENSION weir;
\set VERBOSITY default
DROP TABLE cursors;
-- Maintenance of its tables does no harm to what they hold.
VACUUM FULL weir.frame_log;
REINDEX TABLE weir.frame_log;
REINDEX TABLE CONCURRENTLY weir.frame_log;
CLUSTER weir.frame_log USING frame_log_pkey;
VACUUM (FREEZE) weir.registry, weir.frame_log, weir.frame_best_effort, weir.checkpoint, weir.idempotency;
ANALYZE;
SELECT weir.append('ext.a', '"maintained"') IS NOT NULL AS done;
SELECT payload FROM weir.read('ext.a', reverse => true, max => 2);
SELECT count(*) FROM weir.read('ext.a');
-- So does TRUNCATE of the best-effort table by its owner: those frames are gone, the rest stands.
SELECT weir.append_best_effort('ext.a', '"best_effort"') IS NOT NULL AS done;
TRUNCATE weir.frame_best_effort;
SELECT count(*) FROM weir.read('ext.a');
SELECT weir.append('ext.a', '"on"') IS NOT NULL AS done;

-- A database made from this one has the streams, and its own future. What works
-- for weir in the background is in nobody's way, however busy it was a moment ago.
SELECT weir.create_stream('ext.busy', maxlen_floor => 10, maxlen_ceiling => 10);
DO $$
BEGIN
    FOR i IN 1 .. 10000 LOOP
        PERFORM weir.append_best_effort('ext.busy', to_jsonb(i));
        COMMIT;
    END LOOP;
END
$$;
SELECT count(*) FROM weir.read('ext.busy');
\c postgres
CREATE DATABASE regress_weir_copy TEMPLATE regress_weir_extension;
\c regress_weir_copy
SELECT count(*) FROM weir.read('ext.a', visibility => 'exclude_best_effort');
SELECT weir.append('ext.a', '"only in the copy"') IS NOT NULL AS done;
SELECT payload FROM weir.read('ext.a', reverse => true, max => 1);
SELECT weir.alter_stream('ext.busy', maxlen_floor => 3, maxlen_ceiling => 3);
SELECT count(weir.append_best_effort('ext.busy', to_jsonb(i))) FROM generate_series(1, 100) i;
SELECT weir.trim('ext.a', keep => 1) AS trimmed, weir.close('ext.a', 'only in the copy') IS NOT NULL AS closed;
SELECT mode, payload FROM weir.read('ext.a');
\c regress_weir_extension
SELECT payload FROM weir.read('ext.a', reverse => true, max => 1);
SELECT count(*) FROM weir.read('ext.a');
SELECT weir.append('ext.a', '"still open here"') IS NOT NULL AS done;
SELECT weir.alter_stream('ext.busy', maxlen_floor => 10, maxlen_ceiling => 10);
SELECT weir.append_best_effort('ext.busy', '10001') IS NOT NULL AS done;
SELECT min(payload::text::integer), max(payload::text::integer), count(*) FROM weir.read('ext.busy');
-- Not relocatable, as its names are spelled out everywhere.
\set VERBOSITY sqlstate
ALTER EXTENSION weir SET SCHEMA public;
\set VERBOSITY default
DROP EXTENSION weir;
SELECT count(*) AS left_over FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'weir';
-- The schema may be there before, unless it is somebody else's, who may have put something into it.
DROP SCHEMA IF EXISTS weir;
CREATE SCHEMA weir AUTHORIZATION regress_weir_plain;
\set VERBOSITY sqlstate
CREATE EXTENSION weir;
\set VERBOSITY default
DROP SCHEMA weir;
CREATE SCHEMA weir;
CREATE EXTENSION weir;
SELECT weir.append('ext.b', '1') IS NOT NULL AS done;
DO $$
BEGIN
    FOR i IN 1 .. 10000 LOOP
        PERFORM weir.append_best_effort('ext.busy', to_jsonb(i));
        COMMIT;
    END LOOP;
END
$$;
REVOKE CREATE ON DATABASE regress_weir_extension FROM regress_weir_plain;
\c postgres
DROP DATABASE regress_weir_copy;
DROP DATABASE regress_weir_extension;
DROP ROLE regress_weir_plain;
