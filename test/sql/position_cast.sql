-- SPDX-License-Identifier: PostgreSQL
-- Claim: text and varchar are taken for a position wherever one is wanted, as drivers send them, and the binary form
-- where one is assigned; they are refused by SQLSTATE where they name none. No expression over the server's own types
-- means anything else than without weir, and none is accepted that was not, although weir's operators and aggregates
-- stand in pg_catalog.
SET search_path = '';
CREATE TEMP TABLE sent (p weir.position, t text, v varchar, b bytea);
INSERT INTO sent VALUES ('1-1', '1-1', '1-1', weir.position_send('1-1')), ('2-0', '10-0', '10-0',
    weir.position_send('10-0'));
SELECT p, p = t AS text, p = v AS varchar, p = b::weir.position AS bytea, p < t AS less, t > p AS other_side FROM sent;
SELECT p FROM sent WHERE p = ANY (ARRAY['1-1', '3-0']);
SELECT p FROM sent WHERE p = ANY (ARRAY['1-1', '3-0']::varchar[]);
SELECT p FROM sent WHERE p = ANY (ARRAY[weir.position_send('2-0')]::weir.position[]);
SELECT p FROM sent WHERE p IN ('1-1'::text, '2-0'::varchar);
PREPARE by_text(text) AS SELECT p FROM sent WHERE p > $1;
EXECUTE by_text('1-1');
PREPARE by_bytea(bytea) AS SELECT p FROM sent WHERE p > $1::weir.position;
EXECUTE by_bytea('\x0000000000100001');
SELECT count(*) FROM weir.read('position.none', after => '1-1'::varchar);
SELECT count(*) FROM weir.read_many(ARRAY['position.none', 'position.other'], after => ARRAY['-', '1-1']);
INSERT INTO sent (p) VALUES ('5-0'::text), ('6-0'::varchar), ('\x0000000000700001'::bytea) RETURNING p;
-- Not everything that could be meant: a number, a time or bytes are neither side of a comparison.
\set VERBOSITY sqlstate
SELECT p = 5 FROM sent;
SELECT p = 5::bigint FROM sent;
SELECT p > now() FROM sent;
SELECT p = b FROM sent;
SELECT p = 'x'::text FROM sent;
SELECT '\x00'::bytea::weir.position;
SELECT '\xff00000000000000'::bytea::weir.position;
SELECT '\x000000000000000000'::bytea::weir.position;
INSERT INTO sent (p) VALUES ('\x00'::bytea);
\set VERBOSITY default
SELECT 'x'::varchar::weir.position;
SELECT '\x00'::bytea::weir.position;

-- What expressions are resolved to, of those that are: one side is of any type of the server's, the other of that
-- type, a literal, or of one that is cast to positions.
CREATE DATABASE regress_weir_position TEMPLATE template0;
\c regress_weir_position
SET search_path = '';
CREATE FUNCTION public.resolved() RETURNS TABLE (expression text, output text) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE (SELECT pg_catalog.format('CREATE TEMP TABLE typed (%s)',
        pg_catalog.string_agg(pg_catalog.format('c%s %s', t.oid, pg_catalog.format_type(t.oid, NULL)), ', '))
             FROM pg_catalog.pg_type t WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
                 AND t.typtype IN ('b', 'r') AND t.typcategory <> 'A' AND t.oid < 10000);
    FOR expression IN
        WITH side (a, b) AS (
            SELECT a.attname, b.other FROM pg_catalog.pg_attribute a
            CROSS JOIN LATERAL (VALUES ('NULL'), (a.attname), ('c25'), ('c1043'), ('c17')) b (other)
            WHERE a.attrelid = 'pg_temp.typed'::pg_catalog.regclass AND a.attnum > 0
        ), symbol (s) AS (VALUES ('='), ('<>'), ('<'), ('<='), ('>'), ('>='))
        SELECT pg_catalog.concat_ws(' ', a, s, b) FROM side, symbol
        UNION SELECT pg_catalog.concat_ws(' ', b, s, a) FROM side, symbol
        UNION SELECT pg_catalog.format('%s(%s)', f, a) FROM side, (VALUES ('min'), ('max')) v (f)
        UNION SELECT pg_catalog.format('%s(%s, %s)', f, a, b) FROM side, (VALUES ('COALESCE'), ('NULLIF')) v (f)
    LOOP
        BEGIN
            EXECUTE pg_catalog.format('EXPLAIN (VERBOSE, FORMAT JSON) SELECT %s FROM pg_temp.typed', expression)
                INTO plan;
            output := plan -> 0 -> 'Plan' -> 'Output';
            RETURN NEXT;
        EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
            NULL; -- there is no such operator, or no one of them is the best
        END;
    END LOOP;
    DROP TABLE pg_temp.typed;
END
$$;
CREATE TABLE public.without AS SELECT * FROM public.resolved();
CREATE EXTENSION weir;
CREATE TABLE public.beside AS SELECT * FROM public.resolved();
SELECT count(*) > 1000 AS many FROM public.without;
SELECT expression, w.output AS without_weir, b.output AS with_weir FROM public.without w FULL JOIN public.beside b
    USING (expression)
WHERE b.output IS DISTINCT FROM w.output;
\c contrib_regression
DROP DATABASE regress_weir_position;
