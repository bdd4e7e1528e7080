-- SPDX-License-Identifier: PostgreSQL
-- Closed by default: nothing is granted to PUBLIC; grant_access() opens one of
-- three levels to a role, each including the one before it.

CREATE FUNCTION weir.grant_access(role regrole, level text) RETURNS void
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
    EXECUTE format('GRANT USAGE ON SCHEMA weir TO %s', role);
    EXECUTE format('GRANT USAGE ON TYPE weir."position", weir.frame TO %s', role);
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
'functions; write: also append, emit, close, create_stream, notify, the calls of leases and making triggers; '
'admin: also trim, retention, drop_stream, drop_streams, lease_revoke and the subscriptions of others. The '
'privileges of each call are in the table weir.privilege. A higher level includes the lower ones; a lower level '
'granted later takes nothing away, use revoke_access() first. Call it again after an upgrade of the extension. '
'Needs the owner of the extension. Errors: 22023 unknown level, 22004 NULL role, 42501 not the owner.';

CREATE FUNCTION weir.revoke_access(role regrole) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    IF role IS NULL THEN
        RAISE EXCEPTION 'role must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA weir FROM %s', role);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA weir FROM %s', role);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA weir FROM %s', role);
    EXECUTE format('REVOKE ALL ON TYPE weir."position", weir.frame FROM %s', role);
    EXECUTE format('REVOKE ALL ON SCHEMA weir FROM %s', role);
END
$$;
COMMENT ON FUNCTION weir.revoke_access IS
'Takes back all that grant_access() gave a role. Needs the owner of the extension. Error: 22004 NULL role.';

INSERT INTO weir.privilege (level, name) VALUES ('owner', 'grant_access'), ('owner', 'revoke_access');

REVOKE ALL ON ALL ROUTINES IN SCHEMA weir FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA weir FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA weir FROM PUBLIC;
REVOKE ALL ON TYPE weir."position", weir.frame FROM PUBLIC;

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
