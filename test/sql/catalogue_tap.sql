-- SPDX-License-Identifier: PostgreSQL
-- Claim: the catalogue keeps the promises of the documentation: every function,
-- type, view and column is commented; volatility, strictness and parallel safety
-- are what each call is; nothing is executable, readable or usable by PUBLIC; no
-- SECURITY DEFINER without a pinned search_path; every function and view has one
-- row in weir.privilege; every durable table and sequence is dumped.
-- In pgTAP, so that each promise is one named line.
SET client_min_messages = warning;
CREATE SCHEMA regress_tap;
CREATE EXTENSION pgtap SCHEMA regress_tap;
SET search_path = regress_tap, public;
SET timezone = 'UTC';
\pset format unaligned
\pset tuples_only true
BEGIN;
SELECT plan(33);

-- Comments.
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND coalesce(obj_description(p.oid, 'pg_proc'), '') = '' ORDER BY 1 $$,
    'every function has a comment');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('r', 'v', 'S', 'm', 'p') AND c.relname <> 'frame'
                   AND coalesce(obj_description(c.oid, 'pg_class'), '') = '' ORDER BY c.oid::regclass::text $$,
    'every table, view and sequence has a comment');
SELECT is_empty($$ SELECT c.oid::regclass, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('v', 'm')
                   AND a.attnum > 0 AND coalesce(col_description(c.oid, a.attnum), '') = '' ORDER BY 1, 2 $$,
    'every column of every view has a comment');
SELECT is_empty($$ SELECT t.oid::regtype FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE t.typnamespace = 'weir'::regnamespace AND t.typelem = 0
                   AND (t.typtype IN ('b', 'd', 'e') OR c.relkind = 'c') AND coalesce(obj_description(t.oid, 'pg_type'), '') = '' ORDER BY 1 $$,
    'every type has a comment');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.pronargs > 0 AND p.provolatile <> 'i' AND p.proargnames IS NULL AND p.proname !~ '^role_(in|out)$' $$,
    'every argument of a call has a name');

-- What each call is.
SELECT is((SELECT string_agg(DISTINCT p.proname::text, ' ' ORDER BY p.proname::text) FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.provolatile = 's'),
    'bucket_info channel has_access head kv_entry kv_get kv_get_bytes kv_get_many kv_get_text kv_head kv_history kv_keys kv_scan kv_watch '
    'list_bucket_properties list_buckets list_stream_properties list_streams list_subscriptions read read_many role_in role_out stream_info summary summary_at',
    'the calls that read are STABLE');
SELECT set_eq($$ SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.provolatile = 'v' $$,
    string_to_array(
        'append append_text append_bytes append_batch append_text_batch append_bytes_batch append_best_effort append_best_effort_text append_best_effort_bytes '
        'append_best_effort_batch append_best_effort_text_batch append_best_effort_bytes_batch append_patch close create_stream alter_stream drop_stream drop_streams trim '
        'doorbell_status list_blockers notify ring wait wait_many housekeep housekeeping_status '
        'lease_acquire lease_check lease_release lease_renew lease_revoke lease_sweep lease_time '
        'emit emit_text emit_bytes emit_batch emit_text_batch emit_bytes_batch outbox subscribe subscribe_many unsubscribe give_subscription fetch ack seek retain mint merge_patch_into trim_to '
        'create_bucket alter_bucket drop_bucket kv_put kv_put_text kv_put_bytes kv_put_many kv_put_text_many kv_put_bytes_many kv_create kv_create_text kv_create_bytes '
        'kv_update kv_update_text kv_update_bytes kv_delete kv_purge kv_check kv_compact '
        'skip_replicated refuse_restored refuse_restored_name access_changed enter_access remove_access '
        'grant_access revoke_access', ' '),
    'the calls that write, and those that look at what is so now, are VOLATILE');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.provolatile = 'i' AND p.proparallel <> 's' AND p.prokind <> 'a' $$,
    'immutable functions are PARALLEL SAFE');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.provolatile <> 'i' AND p.proparallel <> 'u' AND p.proname !~ '^role_(in|out)$' $$,
    'no call that looks at the log or writes may run in a worker');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.provolatile <> 'i' AND p.proisstrict AND p.proname !~ '^role_(in|out)$' $$,
    'no call on a stream is STRICT: a NULL is an error there, never a silent NULL');
SELECT is((SELECT string_agg(p.oid::regprocedure::text, ' ' ORDER BY p.oid::regprocedure::text) FROM pg_proc p
           WHERE p.pronamespace = 'weir'::regnamespace AND p.provolatile = 'i' AND p.prokind = 'f' AND NOT p.proisstrict),
    'weir.merge_diff(jsonb,jsonb,text) weir.merge_patch(jsonb,jsonb,text)',
    'immutable functions are STRICT but where NULL stands for a default');

-- Operators stand where they are found whatever the search_path, and are of weir's own type.
SELECT is((SELECT string_agg(o.oid::regoperator::text, ' ' ORDER BY o.oprname) FROM pg_operator o, pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'weir'
           WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND o.oprnamespace = 'pg_catalog'::regnamespace
               AND obj_description(o.oid, 'pg_operator') <> ''),
    '<(weir."position",weir."position") <=(weir."position",weir."position") <>(weir."position",weir."position") =(weir."position",weir."position") '
    '>(weir."position",weir."position") >=(weir."position",weir."position")', 'operators of positions are in pg_catalog, each with a comment');

-- Closed by default.
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p, LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                   WHERE p.pronamespace = 'weir'::regnamespace AND a.grantee = 0
                   AND NOT EXISTS (SELECT FROM weir.privilege v WHERE v.name = p.proname AND v.level = 'public') $$, 'no function is executable by PUBLIC');
SELECT is_empty($$ SELECT v.name FROM weir.privilege v WHERE v.level = 'public' AND v.name NOT LIKE 'position\_%' $$,
    'but for those of the type position');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c, LATERAL aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
                   WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('r', 'v', 'S', 'm', 'p') AND a.grantee <> c.relowner $$, 'tables, views and sequences are closed to everyone but their owner');
SELECT is_empty($$ SELECT c.oid::regclass, t.attname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid WHERE c.relnamespace = 'weir'::regnamespace AND t.attacl IS NOT NULL $$,
    'no column is granted on its own');
SELECT is_empty($$ SELECT n.nspname FROM pg_namespace n, LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a WHERE n.nspname = 'weir' AND a.grantee = 0 $$,
    'the schema is not usable by PUBLIC');
SELECT is_empty($$ SELECT t.oid::regtype FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid, LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
                   WHERE t.typnamespace = 'weir'::regnamespace AND t.typelem = 0 AND (t.typtype IN ('b', 'd', 'e') OR c.relkind = 'c') AND a.grantee = 0 $$, 'no type is usable by PUBLIC');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.prosecdef
                   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%pg_temp') $$, 'SECURITY DEFINER only with a search_path that ends in pg_temp');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'weir'::regnamespace AND l.lanname NOT IN ('c', 'internal')
                   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=pg_catalog%pg_temp') $$, 'functions in SQL or PL/pgSQL pin their search_path');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND (c.relhasrules AND c.relkind = 'r' OR c.relrowsecurity) $$,
    'no rule or policy on any table');
SELECT is_empty($$ SELECT c.oid::regclass, o.conname FROM pg_class c JOIN pg_constraint o ON c.oid IN (o.conrelid, o.confrelid)
                   WHERE c.relnamespace = 'weir'::regnamespace AND o.contype IN ('f', 't') $$, 'no foreign key on any table');
SELECT set_eq($$ SELECT g.tgrelid::regclass::text, g.tgname::text, g.tgenabled::text FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = 'weir'::regnamespace $$,
    $$ SELECT c.oid::regclass::text, t.name, t.enabled
       FROM pg_class c CROSS JOIN (VALUES ('skip_replicated', 'R'), ('refuse_restored', 'O')) t (name, enabled)
       WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND (c.relname <> 'privilege' OR t.enabled = 'R')
       UNION ALL VALUES ('weir.access_grant', 'access_changed', 'A') $$,
    'every durable table leaves out what is replicated and refuses what is restored, and there are no other triggers, but one that tells of access');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('r', 'p') AND c.relreplident <> 'f'
                   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) $$,
    'every table has a primary key or a replica identity, so that a publication lets its rows be deleted');

-- One row a function and view in weir.privilege.
SELECT is_empty($$ SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace
                   AND (SELECT count(*) FROM weir.privilege v WHERE v.name = p.proname) <> 1 ORDER BY 1 $$, 'every function has exactly one level');
SELECT is_empty($$ SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('v', 'm')
                   AND (SELECT count(*) FROM weir.privilege v WHERE v.name = c.relname) <> 1 $$, 'every view has exactly one level');
SELECT is_empty($$ SELECT v.name FROM weir.privilege v WHERE NOT EXISTS (SELECT FROM pg_proc p WHERE p.proname = v.name AND p.pronamespace = 'weir'::regnamespace)
                   AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relname = v.name AND c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('v', 'm')) $$,
    'no level for a table, or for what is not there');
SELECT is_empty($$ SELECT v.name FROM weir.privilege v JOIN pg_proc p ON p.proname = v.name AND p.pronamespace = 'weir'::regnamespace
                   JOIN pg_class c ON c.relname = v.name AND c.relnamespace = 'weir'::regnamespace $$, 'no table or view has the name of a function');
SELECT set_eq($$ SELECT name FROM weir.privilege WHERE level = 'write' $$,
    string_to_array(
        'append append_text append_bytes append_batch append_text_batch append_bytes_batch append_best_effort append_best_effort_text append_best_effort_bytes '
        'append_best_effort_batch append_best_effort_text_batch append_best_effort_bytes_batch append_patch close create_stream '
        'notify ring '
        'lease_acquire lease_check lease_release lease_renew lease_sweep '
        'emit emit_text emit_bytes emit_batch emit_text_batch emit_bytes_batch outbox mint merge_patch_into trim_to '
        'create_bucket kv_put kv_put_text kv_put_bytes kv_put_many kv_put_text_many kv_put_bytes_many kv_create kv_create_text kv_create_bytes '
        'kv_update kv_update_text kv_update_bytes kv_delete kv_purge kv_check', ' '),
    'writing needs write');
SELECT set_eq($$ SELECT name FROM weir.privilege WHERE level = 'admin' $$,
    string_to_array('alter_stream drop_stream drop_streams trim lease_revoke retain give_subscription alter_bucket drop_bucket kv_compact', ' '), 'removing needs admin');
SELECT set_eq($$ SELECT name FROM weir.privilege WHERE level = 'owner' $$,
    string_to_array('grant_access revoke_access housekeep skip_replicated refuse_restored refuse_restored_name '
                    'access_changed enter_access remove_access role_in role_out role_recv role_send', ' '),
    'granting is for the owner, keeping house, and the triggers of weir''s own tables');

-- Dump and restore.
SELECT set_eq($$ SELECT unnest(extconfig)::regclass::text FROM pg_extension WHERE extname = 'weir' $$,
    $$ SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('r', 'p', 'S') AND c.relpersistence = 'p' AND c.relname <> 'privilege' $$,
    'every durable table and sequence is dumped, and none of the unlogged ones');
SELECT set_eq($$ SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind IN ('r', 'S') AND c.relpersistence = 'u' $$,
    ARRAY['frame_best_effort', 'incarnation'], 'best-effort frames and the incarnation are all that is unlogged');
SELECT * FROM finish();
ROLLBACK;
\pset tuples_only false
\pset format aligned
RESET search_path;
DROP SCHEMA regress_tap CASCADE;
