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
-- SPDX-License-Identifier: PostgreSQL
-- weir.position: (milliseconds << 20) | sequence, stored, compared and hashed as the bigint that it is, so all
-- comparison support is the server's own.
--
-- Operators and aggregates stand in pg_catalog, where they are found whatever the search_path; that each has a side of
-- weir's type keeps them apart from everything else there. Why so: docs/design/positions.md.

CREATE TYPE weir.position;

CREATE FUNCTION weir.position_in(cstring) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_in IS
'Input function of weir.position. Malformed text: 22P02; out of range: 22003.';

CREATE FUNCTION weir.position_out(weir.position) RETURNS cstring
    AS 'MODULE_PATHNAME', 'weir_position_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_out IS
'Output function of weir.position.';

CREATE FUNCTION weir.position_recv(internal) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_recv IS
'Binary input of weir.position: 8 bytes, big-endian. Negative: 22P03.';

CREATE FUNCTION weir.position_send(weir.position) RETURNS bytea
    AS 'int8send' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_send IS
'Binary output of weir.position: 8 bytes, big-endian.';

CREATE TYPE weir.position (
    INPUT = weir.position_in,
    OUTPUT = weir.position_out,
    RECEIVE = weir.position_recv,
    SEND = weir.position_send,
    LIKE = pg_catalog.int8
);
COMMENT ON TYPE weir.position IS
'A place in a log: frame id, cursor, revision and checkpoint. Text ms-seq, e.g. 1795171438346-0: milliseconds '
'since 1970 (0 to 8796093022207) and a sequence number (0 to 1048575). Ordered as (ms, seq). The inputs - and + '
'are the least and the greatest position. Binary form: 8 bytes, big-endian, (ms << 20) | seq. Compares, sorts, joins '
'and indexes (btree, hash, BRIN) like any plain type, whatever the search_path. text and varchar are cast to it '
'implicitly; bytea, the binary form, in assignments; bigint, the integer, and timestamptz, the first position of that '
'millisecond, explicitly; it is cast to the last two.';

CREATE FUNCTION weir.position_eq(weir.position, weir.position) RETURNS boolean
    AS 'int8eq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_eq IS
'Implementation of = operator.';

CREATE FUNCTION weir.position_ne(weir.position, weir.position) RETURNS boolean
    AS 'int8ne' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_ne IS
'Implementation of <> operator.';

CREATE FUNCTION weir.position_lt(weir.position, weir.position) RETURNS boolean
    AS 'int8lt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_lt IS
'Implementation of < operator.';

CREATE FUNCTION weir.position_le(weir.position, weir.position) RETURNS boolean
    AS 'int8le' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_le IS
'Implementation of <= operator.';

CREATE FUNCTION weir.position_gt(weir.position, weir.position) RETURNS boolean
    AS 'int8gt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_gt IS
'Implementation of > operator.';

CREATE FUNCTION weir.position_ge(weir.position, weir.position) RETURNS boolean
    AS 'int8ge' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_ge IS
'Implementation of >= operator.';

CREATE FUNCTION weir.position_cmp(weir.position, weir.position) RETURNS integer
    AS 'btint8cmp' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_cmp IS
'Three-way comparison of positions: -1, 0 or 1.';

CREATE FUNCTION weir.position_sortsupport(internal) RETURNS void
    AS 'btint8sortsupport' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_sortsupport IS
'Sort support of weir.position.';

CREATE FUNCTION weir.position_hash(weir.position) RETURNS integer
    AS 'hashint8' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_hash IS
'Hash of a position.';

CREATE FUNCTION weir.position_hash_extended(weir.position, bigint) RETURNS bigint
    AS 'hashint8extended' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_hash_extended IS
'Seeded 64-bit hash of a position.';

CREATE FUNCTION weir.position_larger(weir.position, weir.position) RETURNS weir.position
    AS 'int8larger' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_larger IS
'The greater of two positions.';

CREATE FUNCTION weir.position_smaller(weir.position, weir.position) RETURNS weir.position
    AS 'int8smaller' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_smaller IS
'The lesser of two positions.';

CREATE FUNCTION weir.position_in_range(weir.position, weir.position, interval, boolean, boolean) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_position_in_range' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_in_range IS
'Window frames by time: RANGE BETWEEN interval PRECEDING, and FOLLOWING. Negative interval: 22013.';

-- The server's own estimators: by them the planner knows that id > a AND id < b is one range.
CREATE OPERATOR pg_catalog.= (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR pg_catalog.<> (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR pg_catalog.< (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_lt,
    COMMUTATOR = OPERATOR(pg_catalog.>), NEGATOR = OPERATOR(pg_catalog.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR pg_catalog.<= (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_le,
    COMMUTATOR = OPERATOR(pg_catalog.>=), NEGATOR = OPERATOR(pg_catalog.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR pg_catalog.> (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_gt,
    COMMUTATOR = OPERATOR(pg_catalog.<), NEGATOR = OPERATOR(pg_catalog.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR pg_catalog.>= (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_ge,
    COMMUTATOR = OPERATOR(pg_catalog.<=), NEGATOR = OPERATOR(pg_catalog.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.= (weir.position, weir.position) IS 'equal';
COMMENT ON OPERATOR pg_catalog.<> (weir.position, weir.position) IS 'not equal';
COMMENT ON OPERATOR pg_catalog.< (weir.position, weir.position) IS 'less than';
COMMENT ON OPERATOR pg_catalog.<= (weir.position, weir.position) IS 'less than or equal';
COMMENT ON OPERATOR pg_catalog.> (weir.position, weir.position) IS 'greater than';
COMMENT ON OPERATOR pg_catalog.>= (weir.position, weir.position) IS 'greater than or equal';

CREATE OPERATOR CLASS weir.position_ops DEFAULT FOR TYPE weir.position USING btree AS
    OPERATOR 1 pg_catalog.<, OPERATOR 2 pg_catalog.<=, OPERATOR 3 pg_catalog.=, OPERATOR 4 pg_catalog.>=,
    OPERATOR 5 pg_catalog.>,
    FUNCTION 1 weir.position_cmp(weir.position, weir.position),
    FUNCTION 2 weir.position_sortsupport(internal),
    FUNCTION 3 (weir.position, interval)
        weir.position_in_range(weir.position, weir.position, interval, boolean, boolean),
    FUNCTION 4 pg_catalog.btequalimage(oid);
CREATE OPERATOR CLASS weir.position_hash_ops DEFAULT FOR TYPE weir.position USING hash AS
    OPERATOR 1 pg_catalog.=,
    FUNCTION 1 weir.position_hash(weir.position),
    FUNCTION 2 weir.position_hash_extended(weir.position, bigint);
-- Positions come in the order of their rows, so a BRIN index of a few pages does for a large table.
CREATE OPERATOR CLASS weir.position_minmax_ops DEFAULT FOR TYPE weir.position USING brin AS
    OPERATOR 1 pg_catalog.<, OPERATOR 2 pg_catalog.<=, OPERATOR 3 pg_catalog.=, OPERATOR 4 pg_catalog.>=,
    OPERATOR 5 pg_catalog.>,
    FUNCTION 1 pg_catalog.brin_minmax_opcinfo(internal),
    FUNCTION 2 pg_catalog.brin_minmax_add_value(internal, internal, internal, internal),
    FUNCTION 3 pg_catalog.brin_minmax_consistent(internal, internal, internal),
    FUNCTION 4 pg_catalog.brin_minmax_union(internal, internal, internal);
CREATE OPERATOR CLASS weir.position_minmax_multi_ops FOR TYPE weir.position USING brin AS
    OPERATOR 1 pg_catalog.<, OPERATOR 2 pg_catalog.<=, OPERATOR 3 pg_catalog.=, OPERATOR 4 pg_catalog.>=,
    OPERATOR 5 pg_catalog.>,
    FUNCTION 1 pg_catalog.brin_minmax_multi_opcinfo(internal),
    FUNCTION 2 pg_catalog.brin_minmax_multi_add_value(internal, internal, internal, internal),
    FUNCTION 3 pg_catalog.brin_minmax_multi_consistent(internal, internal, internal, integer),
    FUNCTION 4 pg_catalog.brin_minmax_multi_union(internal, internal, internal),
    FUNCTION 5 pg_catalog.brin_minmax_multi_options(internal),
    FUNCTION 11 (weir.position, weir.position) pg_catalog.brin_minmax_multi_distance_int8(internal, internal);
CREATE OPERATOR CLASS weir.position_bloom_ops FOR TYPE weir.position USING brin AS
    OPERATOR 1 pg_catalog.=,
    FUNCTION 1 pg_catalog.brin_bloom_opcinfo(internal),
    FUNCTION 2 pg_catalog.brin_bloom_add_value(internal, internal, internal, internal),
    FUNCTION 3 pg_catalog.brin_bloom_consistent(internal, internal, internal, integer),
    FUNCTION 4 pg_catalog.brin_bloom_union(internal, internal, internal),
    FUNCTION 5 pg_catalog.brin_bloom_options(internal),
    FUNCTION 11 weir.position_hash(weir.position);

CREATE AGGREGATE pg_catalog.max(weir.position) (
    SFUNC = weir.position_larger, STYPE = weir.position, COMBINEFUNC = weir.position_larger,
    SORTOP = OPERATOR(pg_catalog.>), PARALLEL = SAFE
);
COMMENT ON AGGREGATE pg_catalog.max(weir.position) IS
'The greatest position of the input, NULL for none.';
CREATE AGGREGATE pg_catalog.min(weir.position) (
    SFUNC = weir.position_smaller, STYPE = weir.position, COMBINEFUNC = weir.position_smaller,
    SORTOP = OPERATOR(pg_catalog.<), PARALLEL = SAFE
);
COMMENT ON AGGREGATE pg_catalog.min(weir.position) IS
'The least position of the input, NULL for none.';

CREATE FUNCTION weir.position_from_text(text) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_from_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_from_text IS
'The position that a text names. Malformed: 22P02; out of range: 22003.';

CREATE FUNCTION weir.position_from_bytea(bytea) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_from_bytea IS
'The position whose binary form is given: 8 bytes, big-endian. Another length, or negative: 22P03.';

CREATE FUNCTION weir.position_from_bigint(bigint) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_from_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_from_bigint IS
'The position whose integer form is given. Negative: 22003.';

CREATE FUNCTION weir.position_from_timestamptz(timestamptz) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_from_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_from_timestamptz IS
'The first position of that millisecond, ms-0. infinity and -infinity are the greatest and the least position; '
'before 1970 or after the year 2248: 22008.';

CREATE FUNCTION weir.position_to_timestamptz(weir.position) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_position_to_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.position_to_timestamptz IS
'The millisecond of a position on the server''s clock. Exact unless the clock stood behind the log when the '
'position was given out.';

-- Implicit from what drivers send a position as where they say a type: text or varchar (JDBC, SQLAlchemy, lists of
-- psycopg2). Between types of the server's own nothing is resolved otherwise for that, and nothing that was refused is
-- accepted. Were bytea implicit as well, bytea and text would compare, as positions.
CREATE CAST (text AS weir.position) WITH FUNCTION weir.position_from_text(text) AS IMPLICIT;
CREATE CAST (varchar AS weir.position) WITH FUNCTION weir.position_from_text(text) AS IMPLICIT;
CREATE CAST (bytea AS weir.position) WITH FUNCTION weir.position_from_bytea(bytea) AS ASSIGNMENT;
CREATE CAST (weir.position AS bigint) WITHOUT FUNCTION;
CREATE CAST (bigint AS weir.position) WITH FUNCTION weir.position_from_bigint(bigint);
CREATE CAST (timestamptz AS weir.position) WITH FUNCTION weir.position_from_timestamptz(timestamptz);
CREATE CAST (weir.position AS timestamptz) WITH FUNCTION weir.position_to_timestamptz(weir.position);

-- Whoever may read a table may compare the positions in it.
INSERT INTO weir.privilege (level, name)
    SELECT DISTINCT 'public', p.proname FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'weir'::regnamespace;
-- SPDX-License-Identifier: PostgreSQL
-- What every log rests on: a durable bound on the positions handed out, and the lives
-- of the database. See src/log/README.md and src/log/life.hpp.

-- Milliseconds that may have been handed out, as (ms << 20) | where it was set. It runs
-- up to a second ahead of the clock; nothing is minted above it.
CREATE SEQUENCE weir.clock MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.clock IS
'Internal. An upper bound of every position handed out, so that none is given out twice after a crash, a failover '
'or a step back of the clock.';
SELECT pg_catalog.setval('weir.clock', (s.system_identifier OPERATOR(pg_catalog.#) d.oid::bigint OPERATOR(pg_catalog.#)
                                        'weir.clock'::regclass::oid::bigint) OPERATOR(pg_catalog.&) 1048575)
    FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d
    WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();

-- The number of the life that is under way, as long as nothing unlogged was lost.
CREATE UNLOGGED SEQUENCE weir.incarnation MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.incarnation IS
'Internal. Reset by a crash or a promotion: the next writer then begins another life of the database.';

-- Written by C, once for each life, and frozen: seen by everyone at once.
CREATE TABLE weir.life (
    number            bigint PRIMARY KEY,
    cause             "char" NOT NULL,
    began_above       weir.position NOT NULL,
    began_at          timestamptz NOT NULL,
    timeline          bigint NOT NULL,
    system_identifier bigint NOT NULL,
    database          oid NOT NULL,
    clock             oid NOT NULL,
    ids               bigint NOT NULL
);
COMMENT ON TABLE weir.life IS
'Internal. The lives of the database; see the view weir.lives.';

-- Of every thing that has one. Each life begins with 31 bits that are drawn.
CREATE SEQUENCE weir.id_seq;
COMMENT ON SEQUENCE weir.id_seq IS
'Internal. Ids of streams, subscriptions and whatever else needs one.';

SELECT pg_catalog.pg_extension_config_dump('weir.clock', '');
SELECT pg_catalog.pg_extension_config_dump('weir.life', '');
SELECT pg_catalog.pg_extension_config_dump('weir.id_seq', '');

CREATE VIEW weir.lives AS
    SELECT l.number,
           CASE WHEN l.cause OPERATOR(pg_catalog.=) 'f' THEN 'first'
                WHEN l.cause OPERATOR(pg_catalog.=) 'c' THEN 'crash'
                WHEN l.cause OPERATOR(pg_catalog.=) 'p' THEN 'promotion'
                WHEN l.cause OPERATOR(pg_catalog.=) 'r' THEN 'restore'
                WHEN l.cause OPERATOR(pg_catalog.=) 'u' THEN 'upgrade' END AS cause,
           l.began_above, l.began_at
    FROM weir.life l;

COMMENT ON VIEW weir.lives IS
'The lives of the database. A crash, a promotion and a restore begin a new one, in which what was handed out last '
'before may be missing; its row is written by whoever writes first. A cursor from a life that is over, and on '
'something that was lost, is told so (WR003).';
COMMENT ON COLUMN weir.lives.number IS
'Counted from 1.';
COMMENT ON COLUMN weir.lives.cause IS
'first: the extension was created. crash: of this server; best-effort frames were lost, and what was committed '
'with synchronous_commit off. promotion: of a standby, or the end of a point-in-time recovery; what the old '
'server wrote last may be missing. restore: of a dump, or a copy of the database. upgrade: pg_upgrade.';
COMMENT ON COLUMN weir.lives.began_above IS
'Everything that was handed out in lives before lies at or below it, all that is handed out in this one above.';
COMMENT ON COLUMN weir.lives.began_at IS
'When the life was first written in.';

INSERT INTO weir.privilege (level, name) VALUES ('read', 'lives');
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
'Internal. Names, ids and kinds of all logs; s: stream, see the view weir.streams.';

SELECT pg_catalog.pg_extension_config_dump('weir.registry', '');

-- Who may do what with which names: a row for each that grant_access() gave (src/name/access.hpp). A role is dumped as its name.
CREATE TABLE weir.access_grant (
    role  regrole NOT NULL,
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
    ('read', 'has_access'), ('owner', 'enter_access'), ('owner', 'remove_access'), ('owner', 'access_changed');
-- SPDX-License-Identifier: PostgreSQL
-- RFC 7396 JSON merge patch on the binary form of jsonb.

CREATE FUNCTION weir.merge_patch(target jsonb, patch jsonb, null_sentinel text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'weir_merge_patch' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weir.merge_patch IS
'target with an RFC 7396 merge patch applied: null removes a member, an object merges, anything else replaces. A '
'string in the patch equal to null_sentinel (at any depth, in arrays too) sets a JSON null; NULL: there is no '
'sentinel. target or patch NULL: NULL. Errors: 22023 empty null_sentinel, 54001 where the patch nests deeper than '
'512, 54000 where the result is too large.';

CREATE FUNCTION weir.merge_diff("from" jsonb, "to" jsonb, null_sentinel text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'weir_merge_diff' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weir.merge_diff IS
'The patch that turns "from" into "to": merge_patch("from", merge_diff("from", "to")) = "to". null_sentinel stands '
'for null members of "to"; NULL: there is no sentinel. Error 22023 where no patch can, as for a null member in "to" '
'without a sentinel, or where a changed part of "to" holds the sentinel itself. "from" or "to" NULL: NULL.';

CREATE FUNCTION weir.merge_patches(a jsonb, b jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'weir_merge_patches' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.merge_patches IS
'One patch that does what a and then b do. Error 22023 where none exists: an object in b over a null, scalar or '
'array in a. NULL in, NULL out.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'merge_patch'), ('read', 'merge_diff'), ('read', 'merge_patches');
-- SPDX-License-Identifier: PostgreSQL
-- Streams: ordered, resumable sequences of frames, and the rolling summary.

-- Of the streams that have any (src/stream/properties.hpp), by their names; an interval in milliseconds.
CREATE TABLE weir.stream_property (
    stream_id  bigint PRIMARY KEY,
    properties jsonb NOT NULL,
    retained   boolean NOT NULL,
    due_at     bigint -- milliseconds since 1970
);
CREATE INDEX stream_property_due_at_idx ON weir.stream_property (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX stream_property_retained_idx ON weir.stream_property (stream_id) WHERE retained;

-- The log. Fixed-width columns come first: the writer reads and fills them in
-- place (src/stream/frame.hpp). Insert and delete only. Positions differ, so there
-- is nothing to deduplicate in the index.
CREATE TABLE weir.frame_log (
    stream_id bigint NOT NULL,
    id        weir.position NOT NULL,
    ordinal   bigint NOT NULL,
    version   bigint NOT NULL,
    mode      "char" NOT NULL,
    type      text,
    payload   jsonb,
    bytes     bytea,
    headers   jsonb,
    PRIMARY KEY (stream_id, id) WITH (deduplicate_items = off)
);

-- Best-effort frames: no WAL, gone after a crash, not there on a standby.
CREATE UNLOGGED TABLE weir.frame_best_effort (
    stream_id    bigint NOT NULL,
    id           weir.position NOT NULL,
    ordinal      bigint NOT NULL,
    floor        weir.position NOT NULL,
    rate         float8 NOT NULL,
    window_start bigint NOT NULL,
    window_count bigint NOT NULL,
    maxlen       integer NOT NULL,
    ttl_ms       integer NOT NULL,
    type         text,
    payload      jsonb,
    bytes        bytea,
    headers      jsonb,
    PRIMARY KEY (stream_id, id) WITH (deduplicate_items = off)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- Folds of the log up to a settled position: counts and the summary document.
CREATE TABLE weir.checkpoint (
    stream_id      bigint NOT NULL,
    "position"     weir.position NOT NULL,
    frames         bigint NOT NULL,
    bytes          bigint NOT NULL,
    trimmed_frames bigint NOT NULL,
    trimmed_bytes  bigint NOT NULL,
    trimmed_below  weir.position NOT NULL,
    trimmed_upto   weir.position NOT NULL,
    version        bigint NOT NULL,
    patched_at     weir.position,
    first_patch    weir.position,
    document       jsonb,
    PRIMARY KEY (stream_id, "position")
);

CREATE TABLE weir.idempotency (
    stream_id  bigint NOT NULL,
    key        text COLLATE "C" NOT NULL,
    request    bytea NOT NULL,
    called_at  timestamptz NOT NULL,
    first_id   weir.position,
    last_id    weir.position,
    version    bigint,
    PRIMARY KEY (stream_id, key)
);
CREATE INDEX idempotency_called_at_idx ON weir.idempotency (called_at);

COMMENT ON TABLE weir.stream_property IS
'Internal. Properties of streams; see the column properties of the view weir.streams.';
COMMENT ON TABLE weir.frame_log IS
'Internal. Durable and summary frames and the marks in their order; read with weir.read().';
COMMENT ON TABLE weir.frame_best_effort IS
'Internal. Best-effort frames; read with weir.read().';
COMMENT ON TABLE weir.checkpoint IS
'Internal. Settled folds of each stream, from which summaries and counts start.';
COMMENT ON TABLE weir.idempotency IS
'Internal. Keys seen within weir.idempotency_window, with what their call returned.';

SELECT pg_catalog.pg_extension_config_dump('weir.stream_property', '');
SELECT pg_catalog.pg_extension_config_dump('weir.frame_log', '');
SELECT pg_catalog.pg_extension_config_dump('weir.checkpoint', '');
SELECT pg_catalog.pg_extension_config_dump('weir.idempotency', '');

CREATE TYPE weir.frame AS (
    id      weir.position,
    at      timestamptz,
    mode    text,
    type    text,
    payload jsonb,
    bytes   bytea,
    headers jsonb
);
COMMENT ON TYPE weir.frame IS
'One entry of a stream. mode: durable, summary (payload is a merge patch), replace (payload is the whole summary '
'document), best_effort, or close (the end; payload {"reason": …}). at: the millisecond of id. payload holds JSON '
'(a text frame is a JSON string), bytes holds raw bytes; one of the two is NULL.';

-- Writing ------------------------------------------------------------------

CREATE FUNCTION weir.create_stream(stream text, null_sentinel text DEFAULT NULL, frame_ttl interval DEFAULT NULL,
                                   maxlen_floor integer DEFAULT NULL, maxlen_ceiling integer DEFAULT NULL,
                                   rate_alpha float8 DEFAULT NULL, max_age interval DEFAULT NULL,
                                   max_frames bigint DEFAULT NULL, hold_age interval DEFAULT NULL,
                                   hold_frames bigint DEFAULT NULL, ttl interval DEFAULT NULL,
                                   expires_at timestamptz DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_create_stream' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.create_stream IS
'Creates a stream before its first frame, to give it properties; a stream needs no creating otherwise. Each '
'property left out, or NULL, has its default, now and later; list_stream_properties() gives ranges and defaults. '
'null_sentinel: the string that stands for JSON null in its patches; it stays as it is. '
'Best-effort frames: frame_ttl, how long they are kept unless the append says otherwise; maxlen_floor and '
'maxlen_ceiling, within which lies how many are kept (append_best_effort()); rate_alpha, how fast the rate that this '
'goes by follows. '
'Retention: max_age, frames older than that go; max_frames, any but the newest so many go; neither, all stay. '
'hold_age, hold_frames: the same bounds for what a subscription with hold has not acknowledged and would else go. '
'Retention is applied by weir''s worker, a little at a time: some seconds after an append, when the oldest frame '
'comes of age, and at once where many came; and by retain(). A reader whose cursor lies below what was removed is '
'told so (WR004). '
'Lifetime: ttl, the stream ends so long after its last append, or after the call that set it; expires_at, it ends '
'at that time, at once if it has passed. An end is a drop: whoever comes later finds no stream, an append begins '
'a new one (it waits for appends in flight, as a drop does), a reader waiting with weir.wait() is told that it was '
'dropped, whether or not weir''s worker has removed it yet. Appends in flight prolong a ttl, too, '
'and so may a trim of the newest frame; on a standby its end shows when the worker''s drop arrives. '
'Months count 30 days; an age or ttl below a minute is taken, and said in a notice. A stream that is dropped and '
'made again has defaults. Waits for a transaction that is creating the same name; with a '
'null_sentinel, appends to it wait for this one. Retry: WR002 tells that the first attempt worked. Errors: WR002 '
'already exists, 22004, 22023 a property out of range, 42939, 54000, 25006.';

CREATE FUNCTION weir.alter_stream(stream text, null_sentinel text DEFAULT NULL, frame_ttl interval DEFAULT NULL,
                                  maxlen_floor integer DEFAULT NULL, maxlen_ceiling integer DEFAULT NULL,
                                  rate_alpha float8 DEFAULT NULL, max_age interval DEFAULT NULL,
                                  max_frames bigint DEFAULT NULL, hold_age interval DEFAULT NULL,
                                  hold_frames bigint DEFAULT NULL, ttl interval DEFAULT NULL,
                                  expires_at timestamptz DEFAULT NULL, reset text[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_alter_stream' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.alter_stream IS
'Changes properties of a stream, those of create_stream(); what is left out, or NULL, stays. reset: names of '
'properties that are to have their defaults. A ttl, given or not, begins anew. Every call that begins after the commit goes by them. Waits for '
'another alter, trim or drop of the stream, and lets others wait, until the transaction ends. Safe to retry. '
'Errors: 42704 no such stream, 22023 a property out of range or nothing given or an unknown name in reset, 55000 '
'one that is set for good (null_sentinel), 22004, 25006.';

CREATE FUNCTION weir.list_stream_properties()
    RETURNS TABLE (property text, type regtype, "default" text, range text, alterable boolean)
    AS 'MODULE_PATHNAME', 'weir_list_stream_properties' LANGUAGE C STABLE ROWS 16;
COMMENT ON FUNCTION weir.list_stream_properties IS
'The properties that a stream can have, each with its type, its default (NULL: there is none), its range, and '
'whether alter_stream() can change it.';

CREATE FUNCTION weir.append(stream text, payload jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                            idempotency_key text DEFAULT NULL,
                            lease text DEFAULT NULL, epoch bigint DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append IS
'Appends one durable frame and returns its position; the stream comes into being with its first frame. Commits '
'with the caller''s transaction; readers see it once everything before it has ended. payload: JSON, not NULL '
'(JSON null is a value). type: up to 512 bytes. headers: a JSON object. idempotency_key: up to 512 bytes; the '
'same call under the same key within weir.idempotency_window returns the first one''s position, and waits for it '
'if it is in flight. lease and epoch, both or neither: only if that lease is live at that epoch, which then holds '
'until the transaction ends (see lease_check(); not asked where a key has its result already). Blocks only while '
'another transaction closes or drops the stream, or ends the lease. A retry is safe with a key. Errors: WR001 '
'closed, WR005 another request under the key, WR010 to WR013 as lease_check(), 22004 NULL stream or payload, '
'22023 blank name, bad headers, empty type or one of lease and epoch alone, 42939 a name that weir itself writes, '
'54000 frame or name too large, 25006 read-only transaction or standby.';

CREATE FUNCTION weir.append_text(stream text, payload text, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                 idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_text IS
'As append(), for text: the payload is stored as a JSON string.';

CREATE FUNCTION weir.append_bytes(stream text, payload bytea, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL,
                                  lease text DEFAULT NULL, epoch bigint DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_bytes IS
'As append(), for raw bytes, kept as they are in the frame''s bytes.';

CREATE FUNCTION weir.append_batch(stream text, payloads jsonb[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_batch IS
'Appends the elements of an array as durable frames with consecutive positions, in order, all or none. type and '
'headers are those of each frame; types[i] and headers_each[i], where given and not NULL, are those of the i-th '
'instead. Up to weir.max_batch_frames and weir.max_batch_bytes. Otherwise as append(); further errors: 22004 NULL '
'element of payloads, 22023 empty or multidimensional array, or arrays that differ in length, 54000 too many '
'frames.';

CREATE FUNCTION weir.append_text_batch(stream text, payloads text[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_text_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_text_batch IS
'As append_batch(), for text: each payload is stored as a JSON string.';

CREATE FUNCTION weir.append_bytes_batch(stream text, payloads bytea[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_bytes_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_bytes_batch IS
'As append_batch(), for raw bytes.';

CREATE FUNCTION weir.append_patch(stream text, patch jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  replace boolean DEFAULT false, OUT id weir.position, OUT summary_version bigint)
    AS 'MODULE_PATHNAME', 'weir_append_patch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_patch IS
'Appends a durable frame of mode summary whose payload is an RFC 7396 merge patch of the stream''s rolling '
'document, and returns its position and the version of the document with it: 1, 2, 3, and so on; a number is '
'missing only where its patch was rolled back. Costs what the patch costs, whatever the size of the document. A '
'string equal to the stream''s null sentinel sets JSON null. replace: the document is this patch applied to '
'nothing, whatever was before; such a frame has mode replace. A document that could pass weir.max_document_bytes '
'with the patch is measured once, and the patch refused if it would. Otherwise as append(); further errors: 22023 '
'patch is not an object, 54000 the document would be too large, 54001 deeper than weir.max_patch_depth.';

CREATE FUNCTION weir.append_best_effort(stream text, payload jsonb, type text DEFAULT NULL,
                                 headers jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                 ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_best_effort' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort IS
'Appends one best-effort frame: no WAL, no wait for the disk, gone after a crash and never there on a standby. '
'Kept while it is younger than ttl (1 ms to 1 day; NULL: the stream''s frame_ttl) and among the newest K (frames '
'that roll back while others are appended behind them count as well); K is twice what the rate of appending yields '
'in frame_ttl, within maxlen_floor and maxlen_ceiling of the stream (create_stream()). Never removes a durable '
'frame. A new stream''s name, and an idempotency key, are durable all the same. Otherwise as append(); further '
'errors: 22023 ttl out of range.';

CREATE FUNCTION weir.append_best_effort_text(stream text, payload text, type text DEFAULT NULL,
                                 headers jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                 ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_text IS
'As append_best_effort(), for text: the payload is stored as a JSON string.';

CREATE FUNCTION weir.append_best_effort_bytes(stream text, payload bytea, type text DEFAULT NULL,
                                 headers jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                 ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_bytes IS
'As append_best_effort(), for raw bytes.';

CREATE FUNCTION weir.append_best_effort_batch(stream text, payloads jsonb[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  ttl interval DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_batch IS
'Appends the elements of an array as best-effort frames with consecutive positions, in order. See append_batch() '
'and append_best_effort().';

CREATE FUNCTION weir.append_best_effort_text_batch(stream text, payloads text[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  ttl interval DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_text_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_text_batch IS
'As append_best_effort_batch(), for text: each payload is stored as a JSON string.';

CREATE FUNCTION weir.append_best_effort_bytes_batch(stream text, payloads bytea[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  ttl interval DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_bytes_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_bytes_batch IS
'As append_best_effort_batch(), for raw bytes.';

CREATE FUNCTION weir.close(stream text, reason text DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_close' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.close IS
'Ends a stream: a close mark goes behind its last frame, is delivered after it, and every later append fails with '
'WR001. reason: up to 8192 bytes, carried in the mark''s payload; NULL: none. Returns the position of the mark, '
'on a closed stream that of the first one, so a retry is safe. Waits for a transaction that is closing or '
'dropping the stream. Closing a stream never written creates it. Errors: 22004, 22023, 42939, 54000, 25006.';

CREATE FUNCTION weir.trim(stream text, keep bigint DEFAULT NULL, before weir.position DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_trim' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.trim IS
'Removes the oldest frames of a stream, all but the newest keep, or those before a position (exactly one of the '
'two), and returns how many. Only settled frames are removed; the summary document, positions and lifetime counts '
'stay. An unknown stream: 0. Costs what it removes. Waits for another trim or drop of the stream. Safe to retry. '
'Errors: 22023 neither or both of keep and before, or a negative keep, 22004, 25006.';

CREATE FUNCTION weir.drop_stream(stream text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_drop_stream' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.drop_stream IS
'Removes a stream with its frames, summary and idempotency keys; true if there was one. Waits for appends in '
'flight. Using the name again starts a new stream, whose positions lie above every one of the old. One '
'transaction may drop any number; from max_locks_per_transaction of them on, other drops and trims wait for it to '
'end, and housekeeping does. Safe to retry. Errors: 22004, 22023, 25006.';

CREATE FUNCTION weir.drop_streams(pattern text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_drop_streams' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.drop_streams IS
'Drops the streams whose names match a pattern, as drop_stream() does, and returns how many there were. pattern: '
'* stands for any run of characters, ? for any one, \ takes the next as it is. Streams that weir itself writes '
'(leases, leases/…) are left alone; drop_stream() drops them by name. Safe to retry. Errors: 22004 NULL pattern, '
'22023 blank pattern, 22025 pattern that ends with a single \, 54000, 25006.';

-- Reading ------------------------------------------------------------------

CREATE FUNCTION weir.read(stream text, after weir.position DEFAULT NULL, upto weir.position DEFAULT NULL,
                          max integer DEFAULT NULL, visibility text DEFAULT 'all', types text[] DEFAULT NULL,
                          headers jsonb DEFAULT NULL, reverse boolean DEFAULT false, since timestamptz DEFAULT NULL,
                          bookmark boolean DEFAULT false)
    RETURNS SETOF weir.frame
    AS 'MODULE_PATHNAME', 'weir_read' LANGUAGE C STABLE COST 100 ROWS 1000;
COMMENT ON FUNCTION weir.read IS
'The settled frames of a stream in the order of their positions: everything committed, up to the first frame '
'whose transaction is still running. after: exclusive, NULL from the start. upto: inclusive, NULL to the end. '
'since: only frames of that millisecond or later. max: 1 to 10000; NULL: 1000, and a notice where there are more. '
'visibility: all, or '
'exclude_best_effort. types: only frames of these types. headers: only frames whose headers contain these (@>). '
'reverse: newest first, from the settled head. A close mark passes types and headers. bookmark: one more row at '
'the end, of mode bookmark, whose id is the position up to which everything settled was looked at, so that a '
'reader with a filter moves on past what it drops: a cursor as good as that of a frame. It may be the cursor that '
'was given, 0-0 for none. Its type is more where the call stopped before the end, after max or after '
'looking at 100000 frames; else NULL. Without a bookmark a call looks on until it has max or the end. An '
'unknown stream gives no rows; best-effort frames do not exist on a standby; there, and with exclude_best_effort, '
'a cursor may come to lie beyond best-effort frames still in flight. Uses the statement''s snapshot, never '
'blocks, safe to retry. Errors: WR003 after lies ahead of the log, WR004 after has missed what was removed, '
'22004, 22023 out of range, a bookmark of a reverse read, 54000.';

CREATE FUNCTION weir.read_many(streams text[], after weir.position[] DEFAULT NULL,
                               upto weir.position[] DEFAULT NULL, max integer DEFAULT NULL,
                               visibility text DEFAULT 'all', types text[] DEFAULT NULL, headers jsonb DEFAULT NULL,
                               reverse boolean DEFAULT false, since timestamptz DEFAULT NULL,
                               bookmark boolean DEFAULT false,
                               OUT stream text, OUT id weir.position, OUT at timestamptz, OUT mode text, OUT type text,
                               OUT payload jsonb, OUT bytes bytea, OUT headers jsonb)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'weir_read_many' LANGUAGE C STABLE COST 100 ROWS 1000;
COMMENT ON FUNCTION weir.read_many IS
'As read(), over several streams with one snapshot: after[i] and upto[i] are those of streams[i]. A stream held up '
'by a transaction in flight holds up no other. max is for each stream, and 10000 rows in all, evenly divided. '
'bookmark: one for each stream, behind its frames; it shares the 100000 frames out evenly, at least 1000 to each. '
'Further errors: 22023 arrays that differ in length, 22004 NULL name.';

CREATE FUNCTION weir.head(stream text) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_head' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.head IS
'The newest settled position: read(stream, after => head(stream)) gives what comes from now on. 0-0 for a stream '
'not yet written. Never blocks.';

CREATE FUNCTION weir.summary(stream text)
    RETURNS TABLE (document jsonb, version bigint, "position" weir.position, patch_kind text,
                   first_applied timestamptz, last_updated timestamptz)
    AS 'MODULE_PATHNAME', 'weir_summary' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.summary IS
'The rolling document of a stream: all settled patches merged in the order of their positions. version and '
'position are those of the newest patch in it; first_applied and last_updated the times of the first and the '
'newest. No row where there is no patch. Costs reading the document and the patches since the last checkpoint '
'(some hundreds). Never blocks. Errors: 22004, 22023, 54000 document too large: replace it with append_patch().';

CREATE FUNCTION weir.summary_at(stream text, upto weir.position DEFAULT NULL, at timestamptz DEFAULT NULL)
    RETURNS TABLE (document jsonb, version bigint, "position" weir.position, patch_kind text,
                   first_applied timestamptz, last_updated timestamptz)
    AS 'MODULE_PATHNAME', 'weir_summary_at' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.summary_at IS
'The rolling document as it stood, from the patches up to and including a position, or those of a time or earlier '
'(exactly one of upto and at; at may not lie in the future). Costs the patches since the last checkpoint before it. '
'No row where there was no patch yet. Errors: WR006 the patches were trimmed, WR003 upto lies ahead of the log, '
'22004 NULL stream, 22023 neither or both of upto and at, or at in the future.';

CREATE FUNCTION weir.stream_info(stream text)
    RETURNS TABLE (name text, first_id weir.position, last_id weir.position,
                   frames bigint, lifetime_frames bigint, bytes bigint, lifetime_bytes bigint,
                   best_effort_frames bigint, rate_hz float8, maxlen integer,
                   version bigint, closed boolean, close_reason text, lead_ms bigint, properties jsonb)
    AS 'MODULE_PATHNAME', 'weir_stream_info' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.stream_info IS
'Counts, rate and state of one stream, the columns of the view streams; no row for an unknown one. Costs the '
'frames since the last checkpoint (some hundreds) and the best-effort frames kept. Never blocks. Errors: 22004, '
'22023.';

CREATE FUNCTION weir.list_streams(pattern text DEFAULT '*', after text DEFAULT NULL, max integer DEFAULT 1000)
    RETURNS TABLE (stream text, closed boolean)
    AS 'MODULE_PATHNAME', 'weir_list_streams' LANGUAGE C STABLE ROWS 1000;
COMMENT ON FUNCTION weir.list_streams IS
'The streams that there are, in the order of their names byte by byte, and whether each is closed. pattern: * '
'stands for any run of characters, ? for any one, \ takes the next as it is; what stands before the first of them '
'is looked up, the rest is gone through. after: the last name of the page before, NULL for the first page; it '
'need not be there any more. max: 1 to 10000. Costs a look at each name. Never blocks. Errors: 22004 NULL pattern '
'or max, 22023 blank pattern, max out of range, 22025 pattern that ends with a single \, 54000 pattern too long.';

-- Those that a role with some names may read. Behind a barrier: no condition of the caller's sees another.
CREATE VIEW weir.readable_names WITH (security_barrier) AS
    SELECT DISTINCT r.name FROM weir.registry r
    WHERE r.kind OPERATOR(pg_catalog.=) 's' AND NOT weir.has_access() AND weir.has_access(r.name);
COMMENT ON VIEW weir.readable_names IS
'Internal. The part of the view streams for roles that may read some names only.';
COMMENT ON COLUMN weir.readable_names.name IS
'The stream.';

-- The name is that of the registry and not the function's, so that a condition on it is met before the
-- stream is looked at, and an order by it is that of the index. Nothing of the first branch is looked at by a
-- role that may not read all names.
CREATE VIEW weir.streams AS
    SELECT n.name, i.first_id, i.last_id, i.frames, i.lifetime_frames, i.bytes, i.lifetime_bytes,
           i.best_effort_frames, i.rate_hz, i.maxlen, i.version, i.closed, i.close_reason, i.lead_ms,
           i.properties
    FROM (SELECT DISTINCT r.name FROM weir.registry r
          WHERE r.kind OPERATOR(pg_catalog.=) 's' AND weir.has_access()
          UNION ALL
          SELECT r.name FROM weir.readable_names r) n
    CROSS JOIN LATERAL weir.stream_info(n.name) i;

COMMENT ON VIEW weir.streams IS
'Every stream that the caller may read, with its counts, rate and state: one row of stream_info() each. Costs a little for each stream '
'whose name meets the condition (=, LIKE ''begins so%'', ranges, ORDER BY name LIMIT use the index), not for each '
'frame. For the names alone, by page, list_streams() is cheaper.';
COMMENT ON COLUMN weir.streams.name IS
'The stream.';
COMMENT ON COLUMN weir.streams.first_id IS
'The oldest frame that is retained, NULL for none.';
COMMENT ON COLUMN weir.streams.last_id IS
'The newest settled frame or close mark, NULL for none.';
COMMENT ON COLUMN weir.streams.frames IS
'Settled frames that are retained, of every mode.';
COMMENT ON COLUMN weir.streams.lifetime_frames IS
'Frames ever appended. Best-effort frames count as they are given out, rolled back ones too, and anew after a '
'crash.';
COMMENT ON COLUMN weir.streams.bytes IS
'Bytes of payload, type and headers of the retained frames, uncompressed.';
COMMENT ON COLUMN weir.streams.lifetime_bytes IS
'Bytes of all durable frames ever appended and of the best-effort frames retained.';
COMMENT ON COLUMN weir.streams.best_effort_frames IS
'Best-effort frames that are retained: among the newest maxlen and younger than their ttl.';
COMMENT ON COLUMN weir.streams.rate_hz IS
'Best-effort frames a second, a moving average as of now. NULL where there never were any.';
COMMENT ON COLUMN weir.streams.maxlen IS
'K in force: how many best-effort frames are kept at the most. NULL where there never were any.';
COMMENT ON COLUMN weir.streams.version IS
'Version of the summary document, 0 for none.';
COMMENT ON COLUMN weir.streams.closed IS
'Whether the stream was closed.';
COMMENT ON COLUMN weir.streams.close_reason IS
'The reason given to close(), NULL for none.';
COMMENT ON COLUMN weir.streams.lead_ms IS
'Milliseconds by which the newest position lies ahead of the server''s clock: 0, unless the clock was set back or '
'positions were borrowed.';
COMMENT ON COLUMN weir.streams.properties IS
'The properties that were set, by their names; the others are as list_stream_properties() says.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'read'), ('read', 'read_many'), ('read', 'head'), ('read', 'summary'), ('read', 'summary_at'),
    ('read', 'stream_info'), ('read', 'streams'), ('read', 'list_streams'), ('read', 'list_stream_properties'),
    ('read', 'readable_names'),
    ('write', 'create_stream'), ('write', 'append'), ('write', 'append_text'), ('write', 'append_bytes'),
    ('write', 'append_batch'), ('write', 'append_text_batch'), ('write', 'append_bytes_batch'),
    ('write', 'append_patch'),
    ('write', 'append_best_effort'), ('write', 'append_best_effort_text'), ('write', 'append_best_effort_bytes'),
    ('write', 'append_best_effort_batch'), ('write', 'append_best_effort_text_batch'),
    ('write', 'append_best_effort_bytes_batch'), ('write', 'close'),
    ('admin', 'alter_stream'), ('admin', 'trim'), ('admin', 'drop_stream'), ('admin', 'drop_streams');
-- SPDX-License-Identifier: PostgreSQL
-- The doorbell: wakeups for readers, and notifications that cost the writer nothing.

CREATE FUNCTION weir.channel(stream text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'weir_channel' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.channel IS
'The channel on which a stream''s notifications come, for LISTEN. The payload is the newest position given out: a '
'hint, which anybody could have sent, to read from one''s own cursor, sent after commit, and after a rollback '
'that may have held others up; rings close to each other come as one. Readers look now and then without one as '
'well: COMMIT PREPARED sends none. stream NULL: the channel on which notifications of all streams of the database '
'come. Its payload is a JSON object of the streams that rang, each with its newest position; several notifications '
'where one is too short. An empty payload: anything may have changed; with weir.all_streams_channel = empty it '
'always is, since anybody who may connect may listen. Errors: 22023, 54000, 42501.';

CREATE FUNCTION weir.notify(channel text, payload text DEFAULT '') RETURNS void
    AS 'MODULE_PATHNAME', 'weir_notify' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.notify IS
'As pg_notify(), but sent by weir''s worker after the transaction commits, so that notifying transactions do not '
'wait for each other. Equal notifications close to each other may come as one. Not sent where the transaction '
'ends in PREPARE TRANSACTION. In the transaction itself where weir.doorbell is not worker, no worker can be had, '
'channel and payload together exceed 238 bytes, a transaction sends more than 32, or too many are waiting. '
'channel: 1 to 63 bytes. payload: up to 7999 bytes, NULL as empty. A retry notifies again. Errors: 22004 NULL '
'channel, 22023 empty channel, 54000, 25006 on a standby.';

CREATE FUNCTION weir.ring() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_ring' LANGUAGE C;
COMMENT ON FUNCTION weir.ring IS
'Trigger: weir.notify() after any change. Arguments: the channel, and for a row trigger, if wanted, the column '
'whose value becomes the payload, as text in ISO styles and UTC. AFTER INSERT, UPDATE, DELETE or TRUNCATE, for '
'each row or statement. Those who change the table need no rights on weir. Errors: 39P01 misuse, 42703 no such '
'column, 54000 payload too long.';

CREATE PROCEDURE weir.wait(stream text DEFAULT NULL, after weir.position DEFAULT NULL,
                           timeout interval DEFAULT '30 seconds', subscription text DEFAULT NULL,
                           INOUT ready boolean DEFAULT NULL, INOUT reason text DEFAULT NULL)
    AS 'MODULE_PATHNAME', 'weir_wait' LANGUAGE C;
COMMENT ON PROCEDURE weir.wait IS
'Sleeps until what comes next would be given to a reader, and returns ready true with reason frames: of a stream '
'behind a cursor (after; NULL: from the start, as read() does), or of a subscription, with its filter, in any of '
'its streams, as fetch() does. Else ready is false and reason says why it did not wait on: timeout (0 or more; the '
'time went by), closed (the cursor stands behind the end, nothing will ever come; of a subscription: in all of '
'its streams, none of which is a pattern), dropped (the stream was, behind the cursor; a reader that goes on with '
'what may be made under that name waits with after NULL), expired (the cursor has missed something: read() and '
'fetch() raise WR004). Holds no snapshot, lock or transaction id while it waits, so call it outside of a '
'transaction block. In a procedure it ends the transaction before it, and locks such as that of fetch() with it, '
'and begins another; it is refused where that one has written, emitted or notified. Is not ended by '
'transaction_timeout; by statement_timeout it is, as any statement. A session that also listens gets no '
'notifications while it waits; works through a transaction pooler, and on a standby, where it looks every 20 ms '
'whether something was replayed. Everywhere it looks every weir.poll_interval without being woken, and each 100 '
'ms for streams that a pattern may match. Goes by a clock that is never set. Can be cancelled; safe to retry. '
'Errors: 25001 in a transaction block, or with something to commit, 42704 no such subscription, 42501 it is '
'another role''s, WR003 the cursor lies ahead of the log, 22004, 22023, 54000.';

CREATE PROCEDURE weir.wait_many(streams text[] DEFAULT NULL, after weir.position[] DEFAULT NULL,
                                timeout interval DEFAULT '30 seconds', subscriptions text[] DEFAULT NULL,
                                INOUT ready boolean DEFAULT NULL, INOUT reason text DEFAULT NULL,
                                INOUT name text DEFAULT NULL)
    AS 'MODULE_PATHNAME', 'weir_wait_many' LANGUAGE C;
COMMENT ON PROCEDURE weir.wait_many IS
'As wait(), until there is an answer for one of several streams or subscriptions; after[i] is the cursor of '
'streams[i], and name tells which one it is, NULL at a timeout. Others may be ready as well. Further errors: '
'22023 arrays that differ in length, or nothing to wait for, 22004 NULL name.';

CREATE FUNCTION weir.list_blockers() RETURNS TABLE (log text, "position" weir.position, xid xid)
    AS 'MODULE_PATHNAME', 'weir_list_blockers' LANGUAGE C VOLATILE ROWS 10;
COMMENT ON FUNCTION weir.list_blockers IS
'Internal. What the view blockers is made of.';

CREATE VIEW weir.blockers AS
    SELECT b.log, b."position", a.pid, b.xid, p.gid,
           pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) coalesce(p.prepared, a.xact_start) AS age,
           a.usename, a.application_name, a.state, a.query
    FROM weir.list_blockers() b
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.backend_xid OPERATOR(pg_catalog.=) b.xid
    LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction OPERATOR(pg_catalog.=) b.xid;

COMMENT ON VIEW weir.blockers IS
'Who keeps readers of which stream from going on: the first frame of each stream whose transaction is still '
'running. Cheap while nobody is writing, else a look at each stream. Query and state of others'' sessions are '
'shown to those who may see them in pg_stat_activity.';
COMMENT ON COLUMN weir.blockers.log IS
'The stream.';
COMMENT ON COLUMN weir.blockers."position" IS
'The first position that is not settled; readers stop before it.';
COMMENT ON COLUMN weir.blockers.pid IS
'The session whose transaction it is. NULL for a prepared one, and on a standby.';
COMMENT ON COLUMN weir.blockers.xid IS
'The transaction, a top-level one.';
COMMENT ON COLUMN weir.blockers.gid IS
'Where the transaction is prepared: its name, for COMMIT PREPARED or ROLLBACK PREPARED.';
COMMENT ON COLUMN weir.blockers.age IS
'Since the transaction began, or was prepared.';
COMMENT ON COLUMN weir.blockers.usename IS
'The session''s role.';
COMMENT ON COLUMN weir.blockers.application_name IS
'The session''s application_name.';
COMMENT ON COLUMN weir.blockers.state IS
'The session''s state: "idle in transaction" is the one to look out for.';
COMMENT ON COLUMN weir.blockers.query IS
'What the session is running, or ran last.';

CREATE FUNCTION weir.doorbell_status(OUT worker_pid integer, OUT worker_available boolean, OUT rings bigint, OUT sent bigint,
                                     OUT coalesced bigint, OUT looked_at_everything bigint, OUT notified bigint,
                                     OUT notified_in_commit bigint, OUT worker_starts bigint, OUT failures bigint,
                                     OUT held_back bigint, OUT shared_memory boolean)
    AS 'MODULE_PATHNAME', 'weir_doorbell_status' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.doorbell_status IS
'Internal. What the view doorbell is made of.';

CREATE VIEW weir.doorbell AS
    SELECT pg_catalog.current_setting('weir.doorbell') AS mode, s.worker_pid, s.worker_available, s.rings, s.sent, s.coalesced,
           s.looked_at_everything, s.notified, s.notified_in_commit, s.worker_starts, s.failures, s.held_back,
           s.shared_memory
    FROM weir.doorbell_status() s;

COMMENT ON VIEW weir.doorbell IS
'What the doorbell of this database did since the server started: one row.';
COMMENT ON COLUMN weir.doorbell.mode IS
'The setting weir.doorbell, as this session has it.';
COMMENT ON COLUMN weir.doorbell.worker_pid IS
'The worker, NULL while none runs: it leaves after two idle seconds.';
COMMENT ON COLUMN weir.doorbell.worker_available IS
'Whether a worker runs or could be started now. False for ten seconds after one could not be, and for a while '
'after one failed.';
COMMENT ON COLUMN weir.doorbell.rings IS
'Ends of transactions and of rolled-back savepoints that settled something, one for each stream.';
COMMENT ON COLUMN weir.doorbell.sent IS
'Notifications sent on the channels of streams.';
COMMENT ON COLUMN weir.doorbell.coalesced IS
'Rings that were covered by a notification not yet sent.';
COMMENT ON COLUMN weir.doorbell.looked_at_everything IS
'Times that more streams rang than there was room for, and all were looked at instead.';
COMMENT ON COLUMN weir.doorbell.notified IS
'Notifications of weir.notify() and weir.ring() that the worker sent.';
COMMENT ON COLUMN weir.doorbell.notified_in_commit IS
'Transactions that had to notify by themselves: no worker, or weir.doorbell = transaction.';
COMMENT ON COLUMN weir.doorbell.worker_starts IS
'Workers started.';
COMMENT ON COLUMN weir.doorbell.failures IS
'Workers that could not be started, failed or were terminated.';
COMMENT ON COLUMN weir.doorbell.held_back IS
'Rounds put off since the server''s queue of notifications, or the disk under it, was nearly full, or had just '
'failed.';
COMMENT ON COLUMN weir.doorbell.shared_memory IS
'Whether there is dynamic shared memory for it. If not, all streams are looked at instead of those that rang, '
'weir.wait() polls, and weir.notify() is a NOTIFY; it is tried again every ten seconds.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'channel'), ('read', 'wait'), ('read', 'wait_many'), ('read', 'blockers'), ('read', 'list_blockers'), ('read', 'doorbell'),
    ('read', 'doorbell_status'), ('write', 'notify'), ('write', 'ring');
-- SPDX-License-Identifier: PostgreSQL
-- Housekeeping: what weir does by itself, beside its callers.

CREATE FUNCTION weir.housekeep(name text DEFAULT NULL)
    RETURNS TABLE (job text, steps bigint, failures bigint, last_error text)
    AS 'MODULE_PATHNAME', 'weir_housekeep' LANGUAGE C VOLATILE ROWS 8;
COMMENT ON FUNCTION weir.housekeep IS
'Does in this transaction what weir''s worker would do beside it, and returns what was done, a row a job. name: '
'one of weir.housekeeping, which then looks at everything; NULL: what is pending or due. For where no worker can '
'be had (call it now and then, in a transaction of its own, since it keeps its locks until the end of it), with '
'the setting weir.housekeeping off, and for tests. A step that fails is rolled back, reported and tried again '
'later. Waits for nobody but as any writer does. Can be repeated. Errors: 42704 no such job, 25006 on a standby.';

CREATE FUNCTION weir.housekeeping_status()
    RETURNS TABLE (job text, last_run timestamptz, last_success timestamptz, runs bigint, failures bigint,
                   last_error text, next_due timestamptz, pending bigint, looks_at_everything boolean)
    AS 'MODULE_PATHNAME', 'weir_housekeeping_status' LANGUAGE C VOLATILE ROWS 8;
COMMENT ON FUNCTION weir.housekeeping_status IS
'Internal. What the view housekeeping is made of.';

CREATE VIEW weir.housekeeping AS
    SELECT s.job, s.last_run, s.last_success, s.runs, s.failures, s.last_error, s.next_due, s.pending,
           s.looks_at_everything
    FROM weir.housekeeping_status() s;
COMMENT ON VIEW weir.housekeeping IS
'What weir''s worker does in this database beside its callers, since the server started: a row for each job. No '
'call fails or waits for any of it, and what readers see does not depend on it.';
COMMENT ON COLUMN weir.housekeeping.job IS
'checkpoints: counts and documents as of now, so that reading them stays cheap. frames: deletes best-effort '
'frames that fell out. vacuum: takes their space back. lifetimes: drops streams that have ended. names: forgets '
'names of streams dropped a day ago. keys: deletes idempotency keys past their window. clock: keeps the bound of positions ahead of writers. retention: '
'what max_age and max_frames of streams say. leases: writes down which have expired.';
COMMENT ON COLUMN weir.housekeeping.last_run IS
'When a step last ended, well or not. NULL: none has yet.';
COMMENT ON COLUMN weir.housekeeping.last_success IS
'When a step last ended well.';
COMMENT ON COLUMN weir.housekeeping.runs IS
'Steps that were done, those that failed included.';
COMMENT ON COLUMN weir.housekeeping.failures IS
'Steps that failed. Each is tried again, after a second and then ever more rarely, up to once a minute; the '
'server''s log has the first of a row.';
COMMENT ON COLUMN weir.housekeeping.last_error IS
'The last failure''s message, also where the job has succeeded since.';
COMMENT ON COLUMN weir.housekeeping.next_due IS
'When it looks at everything next. NULL: when it is asked to.';
COMMENT ON COLUMN weir.housekeeping.pending IS
'Steps that were asked for and are not done.';
COMMENT ON COLUMN weir.housekeeping.looks_at_everything IS
'Whether it is about to look at everything: more was asked for than there was room to remember, or the server was '
'restarted.';

INSERT INTO weir.privilege (level, name) VALUES
    ('owner', 'housekeep'), ('read', 'housekeeping_status'), ('read', 'housekeeping');
-- SPDX-License-Identifier: PostgreSQL
-- Leases: who may do something for now, fenced by an epoch, with a history.

-- One row a name, updated in place (src/lease/row.hpp): room is left on each page,
-- and no index on what a renewal changes.
CREATE TABLE weir.lease (
    name           text COLLATE "C" PRIMARY KEY,
    epoch          bigint NOT NULL,
    line           bigint NOT NULL,
    state          "char" NOT NULL,
    expires_at     timestamptz NOT NULL,
    ttl_us         bigint NOT NULL,
    acquired_at    timestamptz NOT NULL,
    renewed_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    owner          text NOT NULL,
    previous_owner text,
    ended_by       text,
    reason         text,
    namespace      text,
    headers        jsonb NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE weir.lease IS
'Internal. Leases; see the view weir.leases.';

-- (epoch << 20) | line of the database's history: names not in the table start above the epoch.
CREATE SEQUENCE weir.lease_floor MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.lease_floor IS
'Internal. An upper bound of the epochs of all leases that were forgotten, so that none is given out twice.';

SELECT pg_catalog.pg_extension_config_dump('weir.lease', '');
SELECT pg_catalog.pg_extension_config_dump('weir.lease_floor', '');

CREATE FUNCTION weir.lease_acquire(name text, owner text, ttl interval DEFAULT '30 seconds', headers jsonb DEFAULT NULL,
                                   OUT acquired boolean, OUT epoch bigint, OUT expires_at timestamptz, OUT held_by text)
    AS 'MODULE_PATHNAME', 'weir_lease_acquire' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_acquire IS
'Acquires a lease if nobody else holds it. acquired: whether it did; epoch: what to name in later calls, NULL '
'where not acquired; expires_at and held_by: those of whoever holds it now. The epoch is above every one of that '
'name before. name: up to weir.max_name_bytes; owner: up to 512 bytes, unique to the holder; ttl: 1 millisecond '
'to 1 day; headers: a JSON object of up to 8192 bytes without a member "lease", whose member "namespace", a '
'string, names the stream of the history. Takes over a lease that has expired (event reclaimed), and issues one '
'anew to its present owner, whose old epoch is then stale: so a retry after a lost answer is safe. Where another '
'holds it, it returns at once and locks nothing; otherwise it waits for transactions that work under the old '
'epoch, or are issuing or ending the lease, to end: bound that with lock_timeout. The commit is flushed whatever '
'synchronous_commit says. Errors: 22004 NULL name, owner or ttl, 22023 bad ttl, headers or namespace, blank name '
'or empty owner, 54000 name, owner or headers too long, 25006 read-only transaction or standby.';

CREATE FUNCTION weir.lease_renew(name text, owner text, epoch bigint, ttl interval DEFAULT NULL) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_lease_renew' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_renew IS
'Keeps a lease for ttl from now (NULL: the ttl granted last), and returns when it expires then; the epoch stays. '
'Until commit, nobody else can acquire it. Waits only for another renewal of the lease in flight, or for a '
'transaction that is ending it. Safe to retry. Errors, in this order: WR010 not held, WR011 revoked, WR012 '
'expired, WR013 held by another owner or at another epoch; 22004, 22023, 54000, 25006 as lease_acquire().';

CREATE FUNCTION weir.lease_release(name text, owner text, epoch bigint, reason text DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_lease_release' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_release IS
'Gives up a lease, so that it can be acquired at once. reason: up to 8192 bytes, for its history. True; false '
'where the same owner released the same epoch before, so a retry is safe. Waits for transactions that work under '
'the lease. Errors: as lease_renew().';

CREATE FUNCTION weir.lease_check(name text, epoch bigint) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_lease_check' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_check IS
'The fence, for writes of your own: raises unless the lease is live at that epoch, and keeps it from being '
'reclaimed, revoked or released until this transaction ends (it can be renewed). Returns when it expires. The '
'parameters lease and epoch of the append functions do the same. Waits for a transaction that is issuing or '
'ending the lease. Errors, in this order: WR010 not held, WR011 revoked, WR012 expired, WR013 at another epoch; '
'22004, 22023, 54000, 25006.';

CREATE FUNCTION weir.lease_revoke(name text, by text, reason text DEFAULT NULL, epoch bigint DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_lease_revoke' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_revoke IS
'Takes a lease from its holder, whose later calls fail with WR011. by: who does it; reason: up to 8192 bytes. '
'epoch: only if it is held at that epoch, NULL: whatever it is at. True, or false where nobody held it (at that '
'epoch). Waits for transactions that work under the lease. Safe to retry. The commit is flushed whatever '
'synchronous_commit says. Errors: 22004 NULL name or by, 22023, 54000, 25006.';

CREATE FUNCTION weir.lease_sweep(max integer DEFAULT 10000) RETURNS integer
    AS 'MODULE_PATHNAME', 'weir_lease_sweep' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_sweep IS
'Writes down the leases that have expired, up to max (1 to 100000), with an event each, and returns how '
'many; and forgets those that nobody has held for weir.lease_retention. Leases expire without it: it brings their '
'events when nobody acquires them again, and keeps the table small. Waits for nobody: a lease that somebody '
'still works under is left for later, and while another sweep is in flight there is nothing to do. Costs a look '
'at every lease. Safe to retry. Errors: 22004, 22023, 25006.';

CREATE FUNCTION weir.lease_time() RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_lease_time' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_time IS
'The clock that leases go by: that of the server, but not moved by steps of it as long as the server runs. Never '
'blocks.';

CREATE VIEW weir.leases WITH (security_barrier) AS
    SELECT l.name,
           CASE WHEN c.live THEN l.owner END AS owner,
           l.epoch,
           CASE WHEN c.live THEN 'held'
                WHEN l.state OPERATOR(pg_catalog.=) 'r' THEN 'released'
                WHEN l.state OPERATOR(pg_catalog.=) 'v' THEN 'revoked'
                ELSE 'expired' END AS state,
           CASE WHEN l.state OPERATOR(pg_catalog.=) ANY (ARRAY['h', 'x']::pg_catalog."char"[])
                THEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
                     (l.expires_at OPERATOR(pg_catalog.-) c.now) END AS expires_at,
           l.ttl_us OPERATOR(pg_catalog.*) pg_catalog.interval '1 microsecond' AS ttl,
           l.acquired_at, l.renewed_at, l.ended_at,
           CASE WHEN c.live THEN l.previous_owner ELSE l.owner END AS previous_owner,
           l.ended_by, l.reason, l.namespace, l.headers OPERATOR(pg_catalog.-) 'lease'::pg_catalog.text AS headers
    FROM (SELECT weir.lease_time() AS now OFFSET 0) t
    CROSS JOIN weir.lease l
    CROSS JOIN LATERAL (SELECT t.now, l.state OPERATOR(pg_catalog.=) 'h'
                               AND l.expires_at OPERATOR(pg_catalog.>) t.now AS live) c
    WHERE weir.has_access(l.name);

COMMENT ON VIEW weir.leases IS
'Every lease that the caller may read and that is held, or was within weir.lease_retention, as it stands now: one that has expired is shown so '
'whether or not a sweep has come by.';
COMMENT ON COLUMN weir.leases.name IS
'The lease.';
COMMENT ON COLUMN weir.leases.owner IS
'Who holds it, NULL where nobody does.';
COMMENT ON COLUMN weir.leases.epoch IS
'The epoch at which it is held, or was held last.';
COMMENT ON COLUMN weir.leases.state IS
'held, released, revoked or expired.';
COMMENT ON COLUMN weir.leases.expires_at IS
'When it expires unless it is renewed, or did expire, by the server''s clock as it stands now; NULL where it '
'ended otherwise.';
COMMENT ON COLUMN weir.leases.ttl IS
'The time granted by the last acquire or renew.';
COMMENT ON COLUMN weir.leases.acquired_at IS
'When this epoch was issued.';
COMMENT ON COLUMN weir.leases.renewed_at IS
'When it was last renewed, or issued.';
COMMENT ON COLUMN weir.leases.ended_at IS
'When it was released, revoked or written down as expired.';
COMMENT ON COLUMN weir.leases.previous_owner IS
'Who held it before: before the holder, or last.';
COMMENT ON COLUMN weir.leases.ended_by IS
'Who revoked it.';
COMMENT ON COLUMN weir.leases.reason IS
'The reason given for its release or revocation.';
COMMENT ON COLUMN weir.leases.namespace IS
'The member "namespace" of its headers: its history goes to the stream leases/namespace, or to leases where there '
'is none.';
COMMENT ON COLUMN weir.leases.headers IS
'The headers given with the acquire, carried by each of its events.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'leases'), ('read', 'lease_time'),
    ('write', 'lease_acquire'), ('write', 'lease_renew'), ('write', 'lease_release'), ('write', 'lease_check'),
    ('write', 'lease_sweep'), ('admin', 'lease_revoke');
-- SPDX-License-Identifier: PostgreSQL
-- The outbox: events minted as their transaction commits, and durable subscriptions
-- to the streams they go to.

CREATE TABLE weir.subscription (
    name            text COLLATE "C" PRIMARY KEY,
    subscription_id bigint NOT NULL,
    streams          text[] COLLATE "C" NOT NULL,
    types           text[] COLLATE "C",
    headers         jsonb,
    hold            boolean NOT NULL,
    owner           regrole NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX subscription_owner_idx ON weir.subscription (owner);

-- Where each one stands in each stream. A cursor moves by inserting its next turn and
-- deleting the last one (src/outbox/cursor.hpp). stream_id 0: the subscription itself.
CREATE TABLE weir.subscription_cursor (
    subscription_id bigint NOT NULL,
    stream_id       bigint NOT NULL,
    turn            bigint NOT NULL,
    "position"      weir.position NOT NULL,
    frames          bigint NOT NULL,
    moved_at        timestamptz NOT NULL,
    PRIMARY KEY (subscription_id, stream_id, turn) WITH (deduplicate_items = off)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

COMMENT ON TABLE weir.subscription IS
'Internal. Named subscriptions; see the view weir.subscriptions.';
COMMENT ON TABLE weir.subscription_cursor IS
'Internal. Where each subscription stands in each of its streams.';

SELECT pg_catalog.pg_extension_config_dump('weir.subscription', '');
SELECT pg_catalog.pg_extension_config_dump('weir.subscription_cursor', '');

-- Events -------------------------------------------------------------------

CREATE FUNCTION weir.emit(stream text, payload jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL)
    RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit IS
'Emits one event: a durable frame, written as the transaction commits (or is prepared), after '
'its deferred triggers, so that a long transaction does not hold back the readers of the stream. The events of a '
'transaction come in the order of their emits within each stream; what a savepoint emitted goes when it is rolled '
'back. type: what happened, up to 512 bytes. payload: JSON, not NULL (JSON null is a value). headers: a JSON '
'object, which subscriptions can filter by. Costs memory until the commit, weir.max_emit_bytes at the most. '
'Arguments are checked at the call; at the commit an event fails where its stream is closed. Repeating the '
'transaction after it has failed is safe. Errors: 22004 NULL stream or payload, 22023 blank stream, empty '
'type or bad headers, 42939 a stream that weir itself writes, 54000 frame, name or all events too large, 25006 '
'read-only transaction or standby; at commit WR001.';

CREATE FUNCTION weir.emit_text(stream text, payload text, type text DEFAULT NULL, headers jsonb DEFAULT NULL)
    RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_text IS
'As emit(), for text: the payload is stored as a JSON string.';

CREATE FUNCTION weir.emit_bytes(stream text, payload bytea, type text DEFAULT NULL, headers jsonb DEFAULT NULL)
    RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_bytes IS
'As emit(), for raw bytes, kept as they are in the event''s bytes.';

CREATE FUNCTION weir.emit_batch(stream text, payloads jsonb[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                           types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_batch IS
'Emits the elements of an array as events, in order, all or none. type, headers, types, headers_each and the limits '
'of the call are those of append_batch(). Otherwise as emit(); further errors: 22004 NULL element of payloads, 22023 '
'empty or multidimensional array, or arrays that differ in length, 54000 too many events.';

CREATE FUNCTION weir.emit_text_batch(stream text, payloads text[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                           types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_text_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_text_batch IS
'As emit_batch(), for text: each payload is stored as a JSON string.';

CREATE FUNCTION weir.emit_bytes_batch(stream text, payloads bytea[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                           types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_bytes_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_bytes_batch IS
'As emit_batch(), for raw bytes.';

CREATE FUNCTION weir.outbox() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_outbox' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.outbox IS
'Trigger function: emits an event for each changed row, as emit() does. AFTER INSERT, UPDATE, DELETE or TRUNCATE; '
'FOR EACH ROW, also as a deferred constraint trigger, or FOR EACH STATEMENT with transition tables. Arguments: '
'the stream, then any of: key=a,b (columns that tell rows apart; default: the primary key), columns=a,b (those '
'that the event shows; default: all; an update that leaves them and the key as they were is no event), type=t '
'(default: table.insert, table.update and so on), headers=a,b (columns whose values become the headers), old=off '
'(leaves old values out). The payload has op, schema, table, key, old and new, and for an update changed (names '
'of columns) and, where the key changed, old_key; values are as to_jsonb() gives them, the same whatever the '
'session has set: times in UTC and ISO 8601, floating point with all digits, bytes in hexadecimal. Runs as '
'whoever makes the change, who needs no privilege on weir; making the trigger needs EXECUTE on it. Errors: 39P01 '
'not fired as it must be, no key, 22023 bad argument, 42703 unknown column, 54000 an event too large, and those '
'of emit().';

-- Subscriptions ------------------------------------------------------------

CREATE FUNCTION weir.subscribe(name text, stream text, after weir.position DEFAULT NULL, types text[] DEFAULT NULL,
                               headers jsonb DEFAULT NULL, hold boolean DEFAULT false,
                               since timestamptz DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_subscribe' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.subscribe IS
'Makes a named, durable subscription and returns true; false where it is there already with the same streams, '
'types, headers and hold, wherever it began. stream: a name, or a pattern: * stands for any run of '
'characters, ? for any one, \ takes the next as it is; streams made later are matched too, and begun at their '
'beginning. after: events behind this position; ''-'': from the oldest there is; NULL or ''+'': from now on, that '
'is behind all that is settled. since: instead, events of that time or later. types, headers: only events of '
'these types, whose headers contain these (@>). hold: retention keeps what is not acknowledged, within the bounds '
'of the stream. Waits for a transaction that is using a subscription of the name. Safe to retry. It belongs to '
'the role that makes it: that role, its members and those at level admin use it. One role has up to '
'weir.max_subscriptions. Errors: WR002 there is another one of that name, 42501 it is another role''s, WR003 '
'after lies ahead of the stream, WR004 what follows it was removed, 22004, 22023, 22025 pattern that ends with '
'a single \, 54000 too many subscriptions, headers above 8192 bytes, or more than 65536 bytes of streams, types '
'and headers together, 25006.';

CREATE FUNCTION weir.subscribe_many(name text, streams text[], after weir.position DEFAULT NULL, types text[] DEFAULT NULL,
                               headers jsonb DEFAULT NULL, hold boolean DEFAULT false,
                               since timestamptz DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_subscribe_many' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.subscribe_many IS
'As subscribe(), to several streams and patterns, up to 100, each with a cursor of its own.';

CREATE FUNCTION weir.fetch(name text, max integer DEFAULT 100)
    RETURNS TABLE (stream text, id weir.position, at timestamptz, mode text, type text, payload jsonb, bytes bytea,
                   headers jsonb)
    AS 'MODULE_PATHNAME', 'weir_fetch' LANGUAGE C VOLATILE ROWS 100;
COMMENT ON FUNCTION weir.fetch IS
'The next events of a subscription behind its cursor, settled, and passed by its filter, up to max (1 to 10000), '
'in the order of their positions, each with its stream. It does not move the cursor: what is not acknowledged '
'comes again. What the filter drops the cursor passes by itself. Durable frames, patches and close marks only, no '
'best-effort frames. Takes the subscription''s lock until the transaction ends: with ack() in the same '
'transaction several consumers of one name take turns and see each event once; one that waited sees what is there '
'after the wait. Costs a look at each stream that its patterns match; its memory does not grow with their number '
'times the size of events. Errors: 42704 no such subscription, 42501 it is another role''s, WR004 events behind '
'the cursor were removed, with the first position available and how many are gone, 55000 ack(name) was evaluated '
'before it in the same statement, 22004, 22023.';

CREATE FUNCTION weir.ack(name text, upto weir.position DEFAULT NULL, stream text DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_ack' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.ack IS
'Acknowledges events and returns how many frames the cursor passed: 0 where it was there already, so a retry is '
'safe. In the transaction that handled the events their effects happen exactly once. upto: NULL acknowledges '
'exactly what this transaction has fetched, in every stream of the subscription or in the one given, with what '
'the filter dropped on the way, and nothing that was committed since; all that fetch() gave counts, also what the '
'query around it left out. What a rolled-back savepoint fetched does not count, nor what was fetched before a '
'seek(). It has to be evaluated after the fetch(): put it into a statement of its own. With a position: all up to '
'it in one stream, which has to be given where the subscription has more than one. Takes the subscription''s '
'lock until the transaction ends. Errors: 55000 nothing was fetched in this transaction, 42704 no such '
'subscription, 42501 it is another role''s, WR003 the position lies ahead of what is settled, 22004, 22023 stream '
'not given, or not one of the subscription, 25006.';

CREATE FUNCTION weir.seek(name text, after weir.position DEFAULT NULL, stream text DEFAULT NULL,
                          since timestamptz DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_seek' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.seek IS
'Sets a subscription''s cursor, forward or back: events behind after come next; ''-'': the oldest there is, '
'''+'': from now on. since: instead, events of that time or later. stream: NULL for all of its streams. Never '
'beyond what is settled. Takes the subscription''s lock until the transaction ends. Safe to retry. Errors: 42704 '
'no such subscription, 42501 it is another role''s, WR003 the position lies ahead of the stream, WR004 what '
'follows it was removed, 22004, 22023, 25006.';

CREATE FUNCTION weir.unsubscribe(name text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_unsubscribe' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.unsubscribe IS
'Removes a subscription with its cursors; true if there was one. Waits for a transaction that is using it. Safe '
'to retry. Errors: 42501 it is another role''s, 22004, 22023, 25006.';

CREATE FUNCTION weir.give_subscription(name text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_give_subscription' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.give_subscription IS
'Makes a subscription another role''s, as where the role that it belonged to was dropped. Who may call it may use '
'every subscription. Takes the subscription''s lock until the transaction ends. Safe to retry. Errors: 42704 no '
'such subscription or role, 22004, 22023, 25006.';

CREATE FUNCTION weir.encode_cursor("position" weir.position) RETURNS bytea
    AS 'MODULE_PATHNAME', 'weir_encode_cursor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.encode_cursor IS
'A position as opaque bytes, for clients that keep cursors of many kinds: 0x02 and 8 bytes, big-endian.';

CREATE FUNCTION weir.decode_cursor(cursor bytea) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_decode_cursor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.decode_cursor IS
'The position that encode_cursor() was given. Error: 22P03 any other prefix or length.';

CREATE FUNCTION weir.list_subscriptions(subscription text)
    RETURNS TABLE (name text, stream text, cursor weir.position, lag_frames bigint, lag_seconds float8, expired boolean,
                   last_seen timestamptz, streams text[], types text[], headers jsonb, hold boolean,
                   owner regrole)
    AS 'MODULE_PATHNAME', 'weir_list_subscriptions' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.list_subscriptions IS
'Internal. What the view subscriptions is made of: one of them, where the caller may see it.';

-- A condition on the name is met by the index; but the barrier keeps conditions that could tell names on from
-- those of others, so that is = and not LIKE.
CREATE VIEW weir.subscriptions WITH (security_barrier) AS
    SELECT n.name, s.stream, s.cursor, s.lag_frames, s.lag_seconds, s.expired, s.last_seen, s.streams, s.types, s.headers,
           s.hold, s.owner
    FROM weir.subscription n
    CROSS JOIN LATERAL weir.list_subscriptions(n.name) s;

COMMENT ON VIEW weir.subscriptions IS
'Where each subscription stands that the caller may use, or all of them for members of pg_read_all_stats: a row '
'for each of its streams that is there. Costs a little for each row, not for each event, and looks at one '
'subscription alone WHERE name = ….';
COMMENT ON COLUMN weir.subscriptions.name IS
'The subscription.';
COMMENT ON COLUMN weir.subscriptions.stream IS
'The stream. NULL where none matches yet.';
COMMENT ON COLUMN weir.subscriptions.cursor IS
'Everything up to this position is acknowledged, or was dropped by the filter. NULL where there is no stream yet.';
COMMENT ON COLUMN weir.subscriptions.lag_frames IS
'Settled frames of the stream behind the cursor, whether the filter passes them or not.';
COMMENT ON COLUMN weir.subscriptions.lag_seconds IS
'Age of the first settled frame behind the cursor, 0 for none.';
COMMENT ON COLUMN weir.subscriptions.expired IS
'Whether frames behind the cursor were removed before they were acknowledged: fetch() raises WR004.';
COMMENT ON COLUMN weir.subscriptions.last_seen IS
'When the cursor moved or events were fetched last, to ten seconds. NULL for never.';
COMMENT ON COLUMN weir.subscriptions.streams IS
'Names and patterns subscribed to.';
COMMENT ON COLUMN weir.subscriptions.types IS
'Only events of these types. NULL for all.';
COMMENT ON COLUMN weir.subscriptions.headers IS
'Only events whose headers contain these. NULL for all.';
COMMENT ON COLUMN weir.subscriptions.hold IS
'Whether retention keeps what is not acknowledged.';
COMMENT ON COLUMN weir.subscriptions.owner IS
'The role it belongs to. A number: of one that was dropped.';

-- Retention ----------------------------------------------------------------

CREATE FUNCTION weir.retain(stream text DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_retain' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.retain IS
'Applies retention now, to a stream, or to all (NULL), and returns how many frames were removed. For streams that '
'are seldom written, whose events would outlive their age. Waits for another trim or drop of the stream. Safe to '
'retry. Errors: 22023, 54000, 25006.';

CREATE VIEW weir.retention WITH (security_barrier) AS
    SELECT n.name AS stream,
           pg_catalog.justify_hours((p.properties OPERATOR(pg_catalog.->>) 'max_age')::bigint
                                    OPERATOR(pg_catalog.*) pg_catalog.interval '1 millisecond') AS max_age,
           (p.properties OPERATOR(pg_catalog.->>) 'max_frames')::bigint AS max_frames,
           coalesce(pg_catalog.justify_hours((p.properties OPERATOR(pg_catalog.->>) 'hold_age')::bigint
                                             OPERATOR(pg_catalog.*) pg_catalog.interval '1 millisecond'),
                    (SELECT l."default"::interval FROM weir.list_stream_properties() l
                     WHERE l.property OPERATOR(pg_catalog.=) 'hold_age')) AS hold_age,
           coalesce((p.properties OPERATOR(pg_catalog.->>) 'hold_frames')::bigint,
                    (SELECT l."default"::bigint FROM weir.list_stream_properties() l
                     WHERE l.property OPERATOR(pg_catalog.=) 'hold_frames')) AS hold_frames
    FROM weir.stream_property p
    CROSS JOIN LATERAL (SELECT r.name FROM weir.registry r WHERE r.id OPERATOR(pg_catalog.=) p.stream_id LIMIT 1) n
    WHERE p.retained AND weir.has_access(n.name);

COMMENT ON VIEW weir.retention IS
'The streams whose frames do not stay for ever, and the properties that say so (create_stream()).';
COMMENT ON COLUMN weir.retention.stream IS
'The stream.';
COMMENT ON COLUMN weir.retention.max_age IS
'Frames older than that go. NULL: of any age stay.';
COMMENT ON COLUMN weir.retention.max_frames IS
'All but the newest so many go. NULL: any number stays.';
COMMENT ON COLUMN weir.retention.hold_age IS
'Older than that they go even where a subscription holds them.';
COMMENT ON COLUMN weir.retention.hold_frames IS
'All but the newest so many go even where a subscription holds them.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'fetch'), ('read', 'ack'), ('read', 'seek'), ('read', 'subscribe'), ('read', 'subscribe_many'), ('read', 'unsubscribe'),
    ('read', 'encode_cursor'), ('read', 'decode_cursor'), ('read', 'list_subscriptions'), ('read', 'subscriptions'),
    ('read', 'retention'),
    ('write', 'emit'), ('write', 'emit_text'), ('write', 'emit_bytes'),
    ('write', 'emit_batch'), ('write', 'emit_text_batch'), ('write', 'emit_bytes_batch'), ('write', 'outbox'),
    ('admin', 'retain'), ('admin', 'give_subscription');
-- SPDX-License-Identifier: PostgreSQL
-- Triggers for tables of one's own: positions, summaries and lengths as streams have
-- them. weir.outbox() is in outbox.sql, weir.ring() in doorbell.sql.

CREATE FUNCTION weir.mint() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_mint' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.mint IS
'Trigger function: fills the position column of each inserted row, going up for each key and never back, whatever '
'the clock does. BEFORE INSERT FOR EACH ROW. Arguments: column=c (of type weir.position or bigint, to be left '
'NULL by the insert), key=a,b (default: one order for the table), order=commit or mint. With order=commit, the '
'default, the key is locked until the transaction ends, so that rows of a key become visible in the order of '
'their positions and a reader that goes on from the last one it saw misses none; transactions that write one key '
'take turns; one with more keys than max_locks_per_transaction locks all of the table that others do not have. '
'With order=mint they do not, and such a reader may miss rows. Needs a btree index on the key''s columns and then '
'the position column. Needs no privilege on weir. Errors: 39P01 not fired as it must be, no column, no index, '
'428C9 a position given by the insert, 22023 bad argument, 42703 unknown column.';

CREATE FUNCTION weir.merge_patch_into() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_merge_patch_into' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.merge_patch_into IS
'Trigger function: applies the RFC 7396 merge patch in each inserted row to a document in another table. AFTER '
'INSERT FOR EACH ROW. Arguments: the table of documents (without a schema: that of the trigger''s table), then '
'key=a,b (columns of both tables, of the same types, with a unique index on them in the table of documents), and '
'any of patch=c (jsonb, default patch; NULL changes nothing), document=c (jsonb, default document), version=c '
'(bigint: 1, 2, 3 and so on), null_sentinel=s (a string that sets JSON null). Locks the document''s row until the '
'transaction ends. Its statements run as whoever inserts, who needs SELECT, INSERT and UPDATE on the table of '
'documents, and no privilege on weir. Errors: 39P01 not fired as it must be, argument missing, 22023 bad '
'argument, or a patch that is not an object, 54001 deeper than weir.max_patch_depth, 22004 NULL in a key, 42P01 '
'unknown table, 42703 unknown column, 42804 column of another type, 42P10 no unique index on the key.';

CREATE FUNCTION weir.trim_to() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_trim_to' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.trim_to IS
'Trigger function: deletes the oldest rows of each key. AFTER INSERT FOR EACH ROW. Arguments: order=c '
'(weir.position, timestamptz, bigint or integer), key=a,b (default: the whole table), and either maxlen=n, the '
'newest rows to keep, or ttl_ms=t with maxlen_floor=n (64) and maxlen_ceiling=n (16384): keep what is younger '
'than t, but at least and at most so many; needs weir.position or timestamptz. only=column=value: rows with '
'another value neither count nor go. run=n: an insert in so many trims (default: a quarter of the least that '
'stays), so there are up to so many more rows for each session that inserts. Wants an index on the key''s columns '
'and then the order column. Its statements run as whoever inserts, who needs SELECT and DELETE, and no privilege '
'on weir. Errors: 39P01 not fired as it must be, argument missing, 22023 bad argument, 42703 unknown column.';

INSERT INTO weir.privilege (level, name) VALUES ('write', 'mint'), ('write', 'merge_patch_into'), ('write', 'trim_to');
-- SPDX-License-Identifier: PostgreSQL
-- What others put into weir's tables: see src/log/foreign.hpp. The last of the tables'
-- files, so that it covers them all.

CREATE FUNCTION weir.skip_replicated() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_skip_replicated' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.skip_replicated IS
'Internal. Trigger of weir''s own tables: leaves out what logical replication brings.';

CREATE FUNCTION weir.refuse_restored() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_refuse_restored' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.refuse_restored IS
'Internal. Trigger of weir''s own tables: refuses rows of a dump where weir has been used.';

CREATE FUNCTION weir.refuse_restored_name() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_refuse_restored_name' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.refuse_restored_name IS
'Internal. Likewise for names, which must not meet.';

INSERT INTO weir.privilege (level, name) VALUES
    ('owner', 'skip_replicated'), ('owner', 'refuse_restored'), ('owner', 'refuse_restored_name');

DO $$
DECLARE
    relation record;
BEGIN
    FOR relation IN
        SELECT c.oid::regclass AS name, c.relname, c.oid = ANY (e.extconfig) AS is_dumped
        FROM pg_class c, pg_extension e
        WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'p' AND e.extname = 'weir'
    LOOP
        EXECUTE format('CREATE TRIGGER skip_replicated BEFORE INSERT OR UPDATE OR DELETE ON %s'
                       ' FOR EACH ROW EXECUTE FUNCTION weir.skip_replicated()', relation.name);
        EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER skip_replicated', relation.name);
        IF relation.is_dumped THEN
            EXECUTE format('CREATE TRIGGER refuse_restored BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION weir.%I()',
                           relation.name,
                           CASE relation.relname WHEN 'registry' THEN 'refuse_restored_name' ELSE 'refuse_restored' END);
        END IF;
    END LOOP;
END
$$;

-- The one table without a primary key: two transactions may enter a name at the same time.
ALTER TABLE weir.registry REPLICA IDENTITY FULL;
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
'admin: also trim, retention, drop_stream, drop_streams, lease_revoke and, with all names, the subscriptions of '
'others. The privileges of each call are in the table weir.privilege. A higher level includes the lower ones. '
'names: a pattern of the names, of streams and leases, that this level is for: * stands for any run of '
'characters, ? for any one, \ takes the next as it is; NULL: all names. Calls add up: a lower level granted later '
'takes nothing away, nor do narrower names; use revoke_access() first. Members of the role have what it has, as '
'with the server''s own privileges. EXECUTE granted by hand opens no name. Counts for statements that begin after '
'the commit. Call it again after an upgrade of the extension. Needs the owner of the extension. Safe to retry. '
'Errors: 22023 unknown level, or blank names, 22025 names that end with a single \, 22004 NULL role, 42704 no such '
'role, 54000 names too long, 42501 not the owner.';

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
        EXECUTE format('REVOKE ALL ON TYPE weir."position", weir.frame FROM %s', role);
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
    SELECT g.role, g.level, g.names
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
