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
