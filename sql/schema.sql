-- SPDX-License-Identifier: PostgreSQL
\echo Use "CREATE EXTENSION weir" to load this file. \quit

-- Whoever owns the schema could take things in it away, or put things into it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
               WHERE n.nspname = 'weir' AND r.rolname <> CURRENT_USER AND NOT r.rolsuper) THEN
        RAISE EXCEPTION 'schema "weir" exists and belongs to another role'
            USING ERRCODE = 'duplicate_schema', HINT = 'Drop the schema first.';
    END IF;
END
$$;

-- Which access level may use what: every function (with all its overloads) and
-- view of the schema has one row. grant_access() reads it, a test holds it against the
-- catalogue.
CREATE TABLE weir.privilege (
    level text NOT NULL CHECK (level IN ('read', 'write', 'admin', 'owner')),
    name  text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE weir.privilege IS
'Internal. The access level that each function and view of weir belongs to; owner: granted to nobody.';
