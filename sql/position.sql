-- SPDX-License-Identifier: PostgreSQL
-- weir.position: (milliseconds << 20) | sequence, stored, compared and hashed as
-- the bigint that it is, so all comparison support is the server's own.

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
'are the least and the greatest position. Binary form: 8 bytes, big-endian, (ms << 20) | seq.';

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

CREATE OPERATOR weir.= (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_eq,
    COMMUTATOR = OPERATOR(weir.=), NEGATOR = OPERATOR(weir.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR weir.<> (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_ne,
    COMMUTATOR = OPERATOR(weir.<>), NEGATOR = OPERATOR(weir.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR weir.< (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_lt,
    COMMUTATOR = OPERATOR(weir.>), NEGATOR = OPERATOR(weir.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR weir.<= (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_le,
    COMMUTATOR = OPERATOR(weir.>=), NEGATOR = OPERATOR(weir.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR weir.> (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_gt,
    COMMUTATOR = OPERATOR(weir.<), NEGATOR = OPERATOR(weir.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR weir.>= (
    LEFTARG = weir.position, RIGHTARG = weir.position, FUNCTION = weir.position_ge,
    COMMUTATOR = OPERATOR(weir.<=), NEGATOR = OPERATOR(weir.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS weir.position_ops DEFAULT FOR TYPE weir.position USING btree AS
    OPERATOR 1 weir.<, OPERATOR 2 weir.<=, OPERATOR 3 weir.=, OPERATOR 4 weir.>=, OPERATOR 5 weir.>,
    FUNCTION 1 weir.position_cmp(weir.position, weir.position),
    FUNCTION 2 weir.position_sortsupport(internal),
    FUNCTION 4 pg_catalog.btequalimage(oid);
CREATE OPERATOR CLASS weir.position_hash_ops DEFAULT FOR TYPE weir.position USING hash AS
    OPERATOR 1 weir.=,
    FUNCTION 1 weir.position_hash(weir.position),
    FUNCTION 2 weir.position_hash_extended(weir.position, bigint);

CREATE AGGREGATE weir.max(weir.position) (
    SFUNC = weir.position_larger, STYPE = weir.position, COMBINEFUNC = weir.position_larger,
    SORTOP = OPERATOR(weir.>), PARALLEL = SAFE
);
CREATE AGGREGATE weir.min(weir.position) (
    SFUNC = weir.position_smaller, STYPE = weir.position, COMBINEFUNC = weir.position_smaller,
    SORTOP = OPERATOR(weir.<), PARALLEL = SAFE
);
COMMENT ON AGGREGATE weir.max(weir.position) IS
'The greatest position of the input, NULL for none.';
COMMENT ON AGGREGATE weir.min(weir.position) IS
'The least position of the input, NULL for none.';

CREATE FUNCTION weir.to_position(bigint) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_from_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.to_position(bigint) IS
'The position whose integer form is given. Negative: 22003.';

CREATE FUNCTION weir.to_position(timestamptz) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_position_from_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.to_position(timestamptz) IS
'The first position of that millisecond, ms-0. infinity and -infinity are the greatest and the least position; '
'before 1970 or after the year 2248: 22008.';

CREATE FUNCTION weir.to_timestamptz(weir.position) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_position_to_timestamptz' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.to_timestamptz IS
'The millisecond of a position on the server''s clock. Exact unless the clock stood behind the log when the '
'position was given out.';

CREATE CAST (weir.position AS bigint) WITHOUT FUNCTION;
CREATE CAST (bigint AS weir.position) WITH FUNCTION weir.to_position(bigint);
CREATE CAST (timestamptz AS weir.position) WITH FUNCTION weir.to_position(timestamptz);
CREATE CAST (weir.position AS timestamptz) WITH FUNCTION weir.to_timestamptz(weir.position);

INSERT INTO weir.privilege (level, name)
    SELECT DISTINCT 'read', p.proname FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'weir'::regnamespace;
