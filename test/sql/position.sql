-- SPDX-License-Identifier: PostgreSQL
-- Claim: a position is the integer (ms << 20) | seq and nothing else: its text,
-- binary and integer forms round-trip over the whole range, its order is the
-- integer's and never the text's, indexes and joins use it like a bigint, and
-- text, bytes, integers or times that name no position are refused by SQLSTATE.
SET timezone = 'UTC';

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (COSTS OFF, FORMAT JSON) ' || query INTO plan;
    RETURN plan;
END
$$;

-- Text to position to text; leading zeros are digits too.
SELECT input, input::weir.position AS position, input::weir.position::bigint AS integer
FROM (VALUES ('0-0'), ('0-1'), ('1-0'), ('0-1048575'), ('1-1048575'), ('007-0009'),
             ('1795171438346-0'), ('8796093022207-0'), ('8796093022207-1048575'), ('-'), ('+')) v(input);
SELECT '1795171438346-7'::weir.position::bigint = ((1795171438346::bigint << 20) | 7) AS is_ms_shifted_and_seq;
SELECT count(*) FILTER (WHERE p::text::weir.position::bigint <> p::bigint) AS not_round_tripped
FROM (SELECT ((random() * 9.2e18)::bigint)::weir.position AS p FROM generate_series(1, 10000)) r;

-- Malformed text is 22P02, a number too large for its place 22003.
SELECT quote_literal(input) AS input, pg_temp.state_of(format('SELECT %L::weir.position', input)) AS sqlstate
FROM (VALUES (''), (' '), ('1'), ('1-'), ('-1'), ('-1-1'), ('1--1'), ('--'), ('++'), ('+-'), ('-+'), ('+1-1'), ('1-+1'),
             (' 1-1'), ('1-1 '), ('1 -1'), ('- '), (' +'), (E'1-1\t'), ('1-2-3'), ('a-1'), ('1-a'), ('1.0-1'), ('1e3-0'),
             ('0x1-1'), ('1_0-1'), ('start'), ('end'), ('NaN'), ('infinity'), ('0')) v(input);
SELECT pg_temp.state_of(format('SELECT %L::weir.position', repeat('1', 100000))) AS long_digits,
       pg_temp.state_of(format('SELECT %L::weir.position', repeat('-', 100000))) AS long_dashes,
       pg_temp.state_of(format('SELECT %L::weir.position', U&'1\20131')) AS en_dash,
       pg_temp.state_of(format('SELECT %L::weir.position', U&'\FF11-1')) AS fullwidth_digit;
SELECT input, pg_temp.state_of(format('SELECT %L::weir.position', input)) AS sqlstate
FROM (VALUES ('8796093022208-0'), ('0-1048576'), ('9223372036854775807-0'), ('9223372036854775808-0'),
             ('18446744073709551616-0'), ('0-18446744073709551616'), ('99999999999999999999999999-0'),
             ('0-99999999999999999999999999')) v(input);
SELECT pg_temp.state_of(format('SELECT %L::weir.position', repeat('9', 100000) || '-0')) AS long_ms,
       repeat('0', 1000) || '1-' || repeat('0', 1000) || '2' = '1-2' AS text_equal,
       (repeat('0', 1000) || '1-' || repeat('0', 1000) || '2')::weir.position AS long_zeros;
SELECT '1-x'::weir.position;
SELECT '8796093022208-0'::weir.position;
SELECT '1-1048576'::weir.position;

-- Binary form: eight bytes, big-endian; a negative or short value is refused.
SELECT weir.position_send('1-2'), weir.position_send('-'), weir.position_send('+');
CREATE TEMP TABLE received (p weir.position);
COPY received FROM PROGRAM
    $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\010\0\0\0\0\0\020\0\002\377\377'$$ (FORMAT binary);
COPY received FROM PROGRAM
    $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\010\177\377\377\377\377\377\377\377\377\377'$$ (FORMAT binary);
SELECT p FROM received ORDER BY p;
\set VERBOSITY sqlstate
COPY received FROM PROGRAM
    $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\010\377\377\377\377\377\377\377\377\377\377'$$ (FORMAT binary);
-- Too short and too long: protocol errors of the server's own.
COPY received FROM PROGRAM
    $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\007\0\0\0\0\020\0\002\377\377'$$ (FORMAT binary);
COPY received FROM PROGRAM
    $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\011\0\0\0\0\0\020\0\002\0\377\377'$$ (FORMAT binary);
\set VERBOSITY default
SELECT count(*) AS still_two FROM received;

-- Casts from and to numbers and times are explicit; text and the binary form are taken as they come (position_cast).
SELECT 0::bigint::weir.position AS least, 9223372036854775807::weir.position AS greatest, 1048577::bigint::weir.position AS one_one;
SELECT weir.position_from_bigint(1048578) AS one_two;
SELECT pg_temp.state_of('SELECT (-1)::bigint::weir.position') AS negative,
       pg_temp.state_of('SELECT (-9223372036854775808)::bigint::weir.position') AS least_bigint,
       pg_temp.state_of('SELECT ''1-1''::weir.position + 1') AS no_arithmetic,
       pg_temp.state_of('SELECT ''1-1''::weir.position = 1048577::bigint') AS no_implicit_bigint,
       pg_temp.state_of('SELECT ''1-1''::weir.position < now()') AS no_implicit_time;
SELECT (-1)::bigint::weir.position;

SELECT t, t::timestamptz::weir.position AS position, (t::timestamptz::weir.position)::timestamptz AS back
FROM (VALUES ('1970-01-01 00:00:00+00'), ('1970-01-01 00:00:00.001+00'), ('2026-11-20 12:00:00.123+00'),
             ('2026-11-20 12:00:00.123999+00'), ('2248-09-26 15:10:22.207+00')) v(t);
SELECT 'infinity'::timestamptz::weir.position = '+' AS infinity_is_greatest,
       '-infinity'::timestamptz::weir.position = '-' AS minus_infinity_is_least;
SELECT '1795171438346-99'::weir.position::timestamptz AS whole_millisecond, '0-5'::weir.position::timestamptz AS epoch;
SELECT t, pg_temp.state_of(format('SELECT %L::timestamptz::weir.position', t)) AS sqlstate
FROM (VALUES ('1969-12-31 23:59:59.999999+00'), ('1969-12-31 23:59:59+00'), ('4713-01-01 00:00:00+00 BC'),
             ('2248-09-26 15:10:22.207999+00'), ('2248-09-26 15:10:22.208+00'), ('294276-12-31 23:59:59+00')) v(t);
SELECT '1969-12-31 23:59:59+00'::timestamptz::weir.position;

-- NULL in, NULL out.
SELECT NULL::weir.position IS NULL AS io, NULL::bigint::weir.position IS NULL AS from_bigint,
       NULL::timestamptz::weir.position IS NULL AS from_time, NULL::weir.position::timestamptz IS NULL AS to_time,
       NULL::text::weir.position IS NULL AS from_text, NULL::bytea::weir.position IS NULL AS from_bytes;

-- Order is the integer's: 9-0 before 10-0, and every operator agrees with bigint.
SELECT p FROM (VALUES ('10-0'::weir.position), ('9-0'), ('9-1048575'), ('+'), ('-'), ('9-2'), ('9-10')) v(p) ORDER BY p;
WITH pool AS (
    SELECT (i * 1048576 + j)::bigint::weir.position AS p FROM generate_series(8, 11) i, generate_series(0, 3) j
)
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE (a.p = b.p) <> (a.p::bigint = b.p::bigint) OR (a.p <> b.p) <> (a.p::bigint <> b.p::bigint)
           OR (a.p < b.p) <> (a.p::bigint < b.p::bigint) OR (a.p <= b.p) <> (a.p::bigint <= b.p::bigint)
           OR (a.p > b.p) <> (a.p::bigint > b.p::bigint) OR (a.p >= b.p) <> (a.p::bigint >= b.p::bigint)
           OR weir.position_cmp(a.p, b.p) <> btint8cmp(a.p::bigint, b.p::bigint)) AS disagreeing
FROM pool a, pool b;
SELECT max(p), min(p) FROM (VALUES ('10-0'::weir.position), ('9-5'), (NULL)) v(p);
SELECT max(p) IS NULL AS max_of_none, min(p) IS NULL AS min_of_none FROM (SELECT NULL::weir.position AS p WHERE false) v;

-- btree and hash classes carry lookups, ranges, ordering, min/max and joins.
CREATE TEMP TABLE places (p weir.position PRIMARY KEY, n integer);
INSERT INTO places SELECT (i::bigint * 1048576)::weir.position, i FROM generate_series(1, 5000) i;
ANALYZE places;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT n FROM places WHERE p > '10-0' AND p <= '20-0' ORDER BY p;
SELECT count(*), min(n), max(n) FROM places WHERE p > '10-0' AND p <= '20-0';
SELECT pg_temp.plan_of('SELECT max(p) FROM places') ~ '"Backward"' AS max_by_index;
SELECT max(p), min(p) FROM places;
CREATE INDEX places_hash ON places USING hash (p);
EXPLAIN (COSTS OFF) SELECT n FROM places WHERE p = '42-0';
DROP INDEX places_hash;
SELECT n FROM places WHERE p = '42-0';
RESET enable_seqscan;
RESET enable_bitmapscan;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) AS hash_joined FROM places a JOIN places b USING (p);
SET enable_hashjoin = off;
SET enable_mergejoin = on;
SELECT count(*) AS merge_joined FROM places a JOIN places b USING (p);
RESET enable_mergejoin;
RESET enable_nestloop;
RESET enable_hashjoin;
SELECT count(DISTINCT p), count(DISTINCT weir.position_hash(p)) > 4900 AS hash_spreads FROM places;
\set VERBOSITY sqlstate
INSERT INTO places VALUES ('42-0', 0);
\set VERBOSITY default
DROP TABLE places, received;
