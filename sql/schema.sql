-- SPDX-License-Identifier: PostgreSQL
\echo Use "CREATE EXTENSION weir" to load this file. \quit

-- Which access level may use what. Every function and view of the schema has one
-- row here; grant_access() reads it, a test holds it against the catalogue.
CREATE TABLE weir.privilege (
    level    text NOT NULL CHECK (level IN ('read', 'write', 'admin', 'owner')),
    function regprocedure UNIQUE,
    relation regclass UNIQUE,
    CHECK ((function IS NULL) <> (relation IS NULL))
);
COMMENT ON TABLE weir.privilege IS
'Internal. The access level that each function and view of weir belongs to; owner: granted to nobody.';
