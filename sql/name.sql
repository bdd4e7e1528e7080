-- SPDX-License-Identifier: PostgreSQL
-- The registry: the names of all logs, whatever their kind. See src/name/README.md.

-- Rows are inserted and deleted, never updated. Two transactions that create one name
-- at the same time both leave a row, with one id.
CREATE TABLE weir.registry (
    name       text COLLATE "C" NOT NULL,
    id         bigint NOT NULL,
    kind       "char" NOT NULL,
    dropped_at weir.position
);
CREATE INDEX registry_name_idx ON weir.registry (name);
CREATE INDEX registry_id_idx ON weir.registry (id);
CREATE INDEX registry_dropped_at_idx ON weir.registry (dropped_at);
COMMENT ON TABLE weir.registry IS
'Internal. Names, ids and kinds of all logs; s: stream, see the view weir.streams; b: bucket, '
'see weir.buckets.';

SELECT pg_catalog.pg_extension_config_dump('weir.registry', '');

-- A role, in weir's own tables. Not regrole, whose input fails for a role that the subscriber of a publication does not
-- have: before any trigger could leave the row out, and again whenever the subscription tries.
CREATE TYPE weir.role;

CREATE FUNCTION weir.role_in(cstring) RETURNS weir.role
    AS 'MODULE_PATHNAME', 'weir_role_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_in IS
'Input function of weir.role. No such role: 42704, but for what logical replication brings, which is left out.';

CREATE FUNCTION weir.role_out(weir.role) RETURNS cstring
    AS 'regroleout' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_out IS
'Output function of weir.role.';

CREATE FUNCTION weir.role_recv(internal) RETURNS weir.role
    AS 'regrolerecv' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_recv IS
'Binary input of weir.role: the OID.';

CREATE FUNCTION weir.role_send(weir.role) RETURNS bytea
    AS 'regrolesend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_send IS
'Binary output of weir.role: the OID.';

CREATE TYPE weir.role (
    INPUT = weir.role_in,
    OUTPUT = weir.role_out,
    RECEIVE = weir.role_recv,
    SEND = weir.role_send,
    LIKE = pg_catalog.regrole
);
COMMENT ON TYPE weir.role IS
'Internal. A role in weir''s own tables: regrole, but for what logical replication brings.';
CREATE CAST (weir.role AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regrole AS weir.role) WITHOUT FUNCTION AS ASSIGNMENT;

-- Who may do what with which names: a row for each that grant_access() gave (src/name/access.hpp). A role is dumped as
-- its name.
CREATE TABLE weir.access_grant (
    role  weir.role NOT NULL,
    level text NOT NULL CHECK (level OPERATOR(pg_catalog.=) ANY (ARRAY['read', 'write', 'admin'])),
    names text COLLATE "C" NOT NULL,
    PRIMARY KEY (role, names)
);
COMMENT ON TABLE weir.access_grant IS
'Internal. Which names roles may use at which level; see the view weir.access.';
SELECT pg_catalog.pg_extension_config_dump('weir.access_grant', '');

CREATE FUNCTION weir.has_access(name text DEFAULT NULL, level text DEFAULT 'read') RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_has_access' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.has_access IS
'Whether the current role may use a name at a level: read, write or admin. NULL: all names that there are or will '
'be. It says nothing of whether there is such a stream or lease, nor whether the role may call the functions. '
'Never blocks. Errors: 22023 unknown level, 22004 NULL level.';

CREATE FUNCTION weir.enter_access(role regrole, level text, names text) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_enter_access' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.enter_access IS
'Internal. The part of grant_access() that remembers the names.';

CREATE FUNCTION weir.remove_access(role regrole, names text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_remove_access' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.remove_access IS
'Internal. The part of revoke_access() that forgets the names.';

CREATE FUNCTION weir.access_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_access_changed' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.access_changed IS
'Internal. Trigger of weir.access_grant: tells all sessions to look again.';

-- Of rows and before: weir's own statements fire no others. TRUNCATE tells by itself.
CREATE TRIGGER access_changed BEFORE INSERT OR UPDATE OR DELETE ON weir.access_grant
    FOR EACH ROW EXECUTE FUNCTION weir.access_changed();
ALTER TABLE weir.access_grant ENABLE ALWAYS TRIGGER access_changed;

INSERT INTO weir.privilege (level, name) VALUES
    ('owner', 'role_in'), ('owner', 'role_out'), ('owner', 'role_recv'), ('owner', 'role_send'),
    ('read', 'has_access'), ('owner', 'enter_access'), ('owner', 'remove_access'), ('owner', 'access_changed');
