-- SPDX-License-Identifier: PostgreSQL
\echo Use "CREATE EXTENSION weir" to load this file. \quit

-- Which access level may use what: every function (with all its overloads) and
-- view of the schema has one row. grant_access() reads it, a test holds it against the
-- catalogue.
CREATE TABLE weir.privilege (
    level text NOT NULL CHECK (level IN ('read', 'write', 'admin', 'owner')),
    name  text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE weir.privilege IS
'Internal. The access level that each function and view of weir belongs to; owner: granted to nobody.';
