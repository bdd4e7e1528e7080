-- SPDX-License-Identifier: PostgreSQL
-- Closed by default: nothing is granted to PUBLIC; grant_access() opens one of
-- three levels to a role, each including the one before it, for all names or some.

CREATE FUNCTION weir.grant_access(role regrole, level text, names text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    levels text[];
    routine regprocedure;
    view regclass;
BEGIN
    IF role IS NULL THEN
        RAISE EXCEPTION 'role must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles a WHERE a.oid = role) THEN
        RAISE EXCEPTION 'role with OID % does not exist', role::oid USING ERRCODE = 'undefined_object';
    END IF;
    levels := CASE level
        WHEN 'read' THEN ARRAY['read']
        WHEN 'write' THEN ARRAY['read', 'write']
        WHEN 'admin' THEN ARRAY['read', 'write', 'admin']
    END;
    IF levels IS NULL THEN
        RAISE EXCEPTION 'unknown access level %', coalesce('"' || level || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are read, write and admin.';
    END IF;
    PERFORM weir.enter_access(role, level, coalesce(names, '*'));
    EXECUTE format('GRANT USAGE ON SCHEMA weir TO %s', role);
    EXECUTE format('GRANT USAGE ON TYPE weir."position", weir.frame, weir.kv_change TO %s', role);
    FOR routine IN
        SELECT p.oid
        FROM weir.privilege v JOIN pg_proc p ON p.proname = v.name AND p.pronamespace = 'weir'::regnamespace
        WHERE v.level = ANY (levels)
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', routine, role);
    END LOOP;
    FOR view IN
        SELECT c.oid
        FROM weir.privilege v JOIN pg_class c ON c.relname = v.name AND c.relnamespace = 'weir'::regnamespace
        WHERE v.level = ANY (levels) AND c.relkind = 'v'
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %s', view, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION weir.grant_access IS
'Lets a role use weir. level read: everything that reads and waits, subscriptions of its own, and the pure '
'functions; write: also append, emit, close, create_stream, create_bucket, put and what else writes keys, notify, '
'the calls of leases and making triggers; admin: also trim, retention, dropping and altering streams and buckets, '
'compaction, lease_revoke and, with all names, the subscriptions of others. The privileges of each call are in the '
'table weir.privilege. A higher level includes the lower ones. names: a pattern of the names, of streams, buckets '
'and leases, that this level is for: * stands for any run of characters, ? for any one, \ takes the next as it is; '
'NULL: all names. Calls add up: a lower level granted later takes nothing away, nor do narrower names; use '
'revoke_access() first. Members of the role have what it has, as with the server''s own privileges. EXECUTE granted '
'by hand opens no name. Counts for statements that begin after the commit. Call it again after an upgrade of the '
'extension. Needs the owner of the extension. Safe to retry. Errors: 22023 unknown level, or blank names, 22025 '
'names that end with a single \, 22004 NULL role, 42704 no such role, 54000 names too long, 42501 not the owner.';

CREATE FUNCTION weir.revoke_access(role regrole, names text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    kept text[];
    routine regprocedure;
    view regclass;
BEGIN
    IF role IS NULL THEN
        RAISE EXCEPTION 'role must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF weir.remove_access(role, names) = 0 AND names IS NOT NULL THEN
        RAISE WARNING 'role % was not granted access to names "%"', role, names
            USING HINT = 'See the view weir.access. What was granted for wider names is revoked by those.';
    END IF;
    kept := (SELECT array_agg(l.level)
             FROM (VALUES ('read', 1), ('write', 2), ('admin', 3)) l (level, rank)
             WHERE l.rank <= (SELECT max(array_position(ARRAY['read', 'write', 'admin'], g.level))
                              FROM weir.access_grant g WHERE g.role = revoke_access.role));
    IF kept IS NULL THEN
        EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA weir FROM %s', role);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA weir FROM %s', role);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA weir FROM %s', role);
        EXECUTE format('REVOKE ALL ON TYPE weir."position", weir.frame, weir.kv_change, weir.role FROM %s', role);
        EXECUTE format('REVOKE ALL ON SCHEMA weir FROM %s', role);
        RETURN;
    END IF;
    FOR routine IN
        SELECT p.oid
        FROM weir.privilege v JOIN pg_proc p ON p.proname = v.name AND p.pronamespace = 'weir'::regnamespace
        WHERE v.level <> ALL (kept)
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM %s', routine, role);
    END LOOP;
    FOR view IN
        SELECT c.oid
        FROM weir.privilege v JOIN pg_class c ON c.relname = v.name AND c.relnamespace = 'weir'::regnamespace
        WHERE v.level <> ALL (kept) AND c.relkind = 'v'
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', view, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION weir.revoke_access IS
'Takes back what grant_access() gave a role. names: what was granted with these names, word for word, with the '
'calls that no other grant of the role needs; a warning where there is no such grant. NULL: everything, which has '
'to go before the role can be dropped. What the role has through others that it is a member of stays. Counts for '
'statements that begin after the commit. Needs the owner of the extension. Safe to retry. Errors: 22004 NULL role, '
'42501 not the owner.';

CREATE VIEW weir.access AS
    SELECT g.role::pg_catalog.oid::pg_catalog.regrole AS role, g.level, g.names
    FROM weir.access_grant g
    WHERE pg_catalog.pg_has_role(g.role, 'USAGE')
       OR EXISTS (SELECT FROM pg_catalog.pg_class c
                  WHERE c.oid OPERATOR(pg_catalog.=) 'weir.access_grant'::pg_catalog.regclass
                    AND pg_catalog.pg_has_role(c.relowner, 'USAGE'));
COMMENT ON VIEW weir.access IS
'What grant_access() gave: to roles that the caller has the privileges of, or for the owner of the extension to all.';
COMMENT ON COLUMN weir.access.role IS
'The role. A number: of one that was dropped; the row gives nobody anything.';
COMMENT ON COLUMN weir.access.level IS
'read, write or admin, each with those before it.';
COMMENT ON COLUMN weir.access.names IS
'The pattern of the names that it is for. *: all names.';

INSERT INTO weir.privilege (level, name) VALUES
    ('owner', 'grant_access'), ('owner', 'revoke_access'), ('read', 'access');

REVOKE ALL ON ALL ROUTINES IN SCHEMA weir FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA weir FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA weir FROM PUBLIC;
REVOKE ALL ON TYPE weir."position", weir.frame, weir.kv_change, weir.role FROM PUBLIC;

-- But for what compares, sorts and casts positions: who may read a table of somebody's may use the positions in it.
DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT p.oid
        FROM weir.privilege v JOIN pg_proc p ON p.proname = v.name AND p.pronamespace = 'weir'::regnamespace
        WHERE v.level = 'public'
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', routine);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION pg_catalog.max(weir.position), pg_catalog.min(weir.position) TO PUBLIC;

-- Nor may it be open by the default privileges of whoever creates the extension.
DO $$
BEGIN
    PERFORM weir.revoke_access(a.grantee)
    FROM (SELECT p.proacl, p.proowner FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace
          UNION ALL
          SELECT c.relacl, c.relowner FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace
          UNION ALL
          SELECT t.typacl, t.typowner FROM pg_type t WHERE t.typnamespace = 'weir'::regnamespace) o (acl, owner)
    CROSS JOIN LATERAL aclexplode(o.acl) a
    WHERE a.grantee <> ALL (ARRAY[0, o.owner])
    GROUP BY a.grantee;
END
$$;
