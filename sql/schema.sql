-- SPDX-License-Identifier: PostgreSQL
\echo Use "CREATE EXTENSION weir" to load this file. \quit

-- Whatever stands below is looked for here, and nobody but a superuser puts anything into pg_catalog:
-- not even an operator of the schema weir itself is taken by its bare name.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The schema may be there before, but has to be empty, and closed to all but superusers:
-- whoever owned it could take things in it away, and whoever may create in it could put
-- functions and operators there for others to call.
DO $$
DECLARE
    schema oid := (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'weir');
    culprit text;
BEGIN
    SELECT r.rolname INTO culprit FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
    WHERE n.oid = schema AND NOT r.rolsuper;
    IF FOUND THEN
        RAISE EXCEPTION 'schema "weir" exists and belongs to another role'
            USING ERRCODE = 'duplicate_schema', DETAIL = format('Its owner is "%s", who is no superuser.', culprit),
                  HINT = 'Drop the schema first.';
    END IF;
    SELECT coalesce('role "' || r.rolname || '"', 'PUBLIC') INTO culprit
    FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE n.oid = schema AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner AND r.rolsuper IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'others may create objects in schema "weir"'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('CREATE on it is granted to %s.', culprit),
                  HINT = 'Revoke it, or drop the schema.';
    END IF;
    SELECT pg_describe_object(d.classid, d.objid, d.objsubid) INTO culprit FROM pg_depend d
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = schema AND d.deptype <> 'e'
      AND d.classid <> 'pg_extension'::regclass
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schema "weir" is not empty'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('There is %s in it.', culprit),
                  HINT = 'Drop the schema first.';
    END IF;
END
$$;

-- Which access level may use what: every function (with all its overloads) and
-- view of the schema has one row. grant_access() reads it, a test holds it against the
-- catalogue.
CREATE TABLE weir.privilege (
    level text NOT NULL CHECK (level OPERATOR(pg_catalog.=) ANY (ARRAY['public', 'read', 'write', 'admin', 'owner'])),
    name  text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE weir.privilege IS
'Internal. The access level that each function and view of weir belongs to; public: to everyone; owner: to nobody.';
