-- SPDX-License-Identifier: PostgreSQL
-- Claim: a position in a table of one's own behaves as any plain 8-byte type does, with nothing on the search_path:
-- comparisons and the grammar that looks for them, aggregates, joins, keys, partitions, windows, and every kind of
-- index; the planner expects the rows of a range to within a bucket of the histogram; and whoever may read the table
-- may do so without access to weir.
SET search_path = '';
CREATE SCHEMA position_table;
CREATE TABLE position_table.event (id weir.position PRIMARY KEY,
    cause weir.position REFERENCES position_table.event ON DELETE CASCADE, note text);
INSERT INTO position_table.event VALUES ('10-0', NULL, 'a'), ('10-1', '10-0', 'b'), ('9-5', NULL, 'c'), ('11-0',
    '10-1', 'd'), ('+', NULL, 'e');

-- Literals of no type, and the grammar that finds an operator by itself.
SELECT note FROM position_table.event WHERE id = '10-1';
SELECT note FROM position_table.event WHERE id <> '10-1' AND id < '11-0' ORDER BY id;
SELECT note FROM position_table.event WHERE id IN ('10-0', '11-0') ORDER BY id;
SELECT note FROM position_table.event WHERE id NOT IN ('10-0', '11-0') ORDER BY id DESC;
SELECT note FROM position_table.event WHERE id BETWEEN '9-5' AND '10-0' ORDER BY id;
SELECT note FROM position_table.event WHERE id NOT BETWEEN SYMMETRIC '11-0' AND '10-0' ORDER BY id;
SELECT note, cause IS DISTINCT FROM '10-0' AS other_cause, NULLIF(cause, '10-1') AS nullif,
    CASE id WHEN '+' THEN 'last' ELSE 'on' END AS simple_case
FROM position_table.event ORDER BY id;
SELECT note FROM position_table.event WHERE id = ANY ('{10-0,+}') ORDER BY id;
SELECT note FROM position_table.event WHERE id = ANY (ARRAY['10-0', '+']) ORDER BY id;
SELECT note FROM position_table.event WHERE id > ALL ('{10-0,10-1}') ORDER BY id;
SELECT note FROM position_table.event WHERE (id, note) > ('10-0', 'a') ORDER BY id;
PREPARE after AS SELECT note FROM position_table.event WHERE id > $1 AND cause IS NOT DISTINCT FROM $2
    ORDER BY id LIMIT 1;
EXECUTE after ('9-5', NULL);
PREPARE among AS SELECT note FROM position_table.event WHERE id = ANY ($1) ORDER BY id;
EXECUTE among ('{9-5,11-0}');
SELECT max(id), min(id), max(cause), count(DISTINCT cause), greatest(min(id), '10-0'), array_agg(id ORDER BY id DESC)
    FROM position_table.event;
SELECT id, c.note FROM position_table.event e JOIN (SELECT cause AS id, note FROM position_table.event) c USING (id)
    ORDER BY id, c.note;
SELECT id FROM position_table.event NATURAL JOIN (VALUES ('11-0'::weir.position)) v(id);
SELECT DISTINCT cause FROM position_table.event ORDER BY cause NULLS FIRST;
SELECT id FROM position_table.event INTERSECT SELECT cause FROM position_table.event ORDER BY 1;
SELECT '{9-5,10-0}'::weir.position[] < '{10-0}' AS arrays_compare,
    ARRAY['9-5']::weir.position[] <@ '{10-0,9-5}' AS and_contain;
DO $$
DECLARE
    cursor weir.position := '-';
    seen integer := 0;
BEGIN
    LOOP
        SELECT e.id INTO cursor FROM position_table.event e WHERE e.id > cursor ORDER BY e.id LIMIT 1;
        EXIT WHEN NOT FOUND;
        seen := seen + 1;
        EXIT WHEN cursor = '+' OR seen > 10;
    END LOOP;
    RAISE NOTICE 'seen %', seen;
END
$$;
INSERT INTO position_table.event VALUES ('10-0', NULL, 'again') ON CONFLICT (id) DO UPDATE SET note = EXCLUDED.note
    WHERE event.id >= '10-0' RETURNING note;
MERGE INTO position_table.event e USING (VALUES ('10-0'::weir.position), ('12-0')) v(id) ON e.id = v.id
    WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN INSERT VALUES (v.id, NULL, 'new');
SELECT id, note FROM position_table.event WHERE note IN ('merged', 'new') ORDER BY id;
-- Foreign keys.
\set VERBOSITY sqlstate
INSERT INTO position_table.event VALUES ('20-0', '19-0');
\set VERBOSITY default
DELETE FROM position_table.event WHERE id = '10-0';
SELECT id FROM position_table.event ORDER BY id;

-- As many rows are expected as of the bigint that it is, to within one of the hundred buckets of the histogram, also
-- of a range from both sides; where in a bucket a value lies is known of bigint alone.
CREATE TABLE position_table.many (id weir.position, n bigint, few weir.position, few_n bigint);
INSERT INTO position_table.many
    SELECT p.p, p.p::bigint, p.f, p.f::bigint
    FROM (SELECT ((1795171438346 + i * i)::bigint * 1048576 + i % 3)::weir.position,
        ((i % 7)::bigint * 1048576)::weir.position FROM generate_series(1, 20000) i) p(p, f)
    ORDER BY 1;
CREATE INDEX many_id ON position_table.many (id);
CREATE INDEX many_n ON position_table.many (n);
VACUUM ANALYZE position_table.many;
CREATE FUNCTION pg_temp.expected(condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT FROM position_table.many WHERE ' || condition INTO plan;
    RETURN plan -> 0 -> 'Plan' -> 'Plan Rows';
END
$$;
SELECT count(*) AS conditions, count(*) FILTER (WHERE abs(p - n) > 200) AS otherwise_than_of_bigint,
    min(p) < 10 AS few, max(p) > 19000 AS many
FROM (
    SELECT pg_temp.expected(format(c, 'id', quote_literal(a.id), quote_literal(b.id))) AS p,
           pg_temp.expected(format(c, 'n', a.n, b.n)) AS n
    FROM (VALUES ('%1$s > %2$s'), ('%1$s >= %2$s'), ('%1$s < %2$s'), ('%1$s <= %2$s'), ('%1$s = %2$s'),
        ('%1$s <> %2$s'),
                 ('%1$s > %2$s AND %1$s <= %3$s'), ('%1$s BETWEEN %2$s AND %3$s'), ('%1$s IN (%2$s, %3$s)'),
                     ('%2$s < %1$s')) v(c),
         (SELECT id, n, lead(id, 10) OVER w AS bid, lead(n, 10) OVER w AS bn, row_number() OVER w AS r
             FROM position_table.many WINDOW w AS (ORDER BY id)) a,
         LATERAL (SELECT a.bid AS id, a.bn AS n) b
    WHERE a.r % 1777 = 5 OR a.r IN (1, 19985)
) e;
SELECT pg_temp.expected($$id > '+'$$) <= 1 AS none_above,
    pg_temp.expected($$few > '4-0'$$) = pg_temp.expected('few_n > 4194304') AS common_values,
       pg_temp.expected($$id > NULL$$) <= 1 AS null_is_none;
-- Not only of literals: of parameters, subqueries and other columns, of which nothing is known.
PREPARE custom(weir.position) AS SELECT FROM position_table.many WHERE id > $1;
SET plan_cache_mode = force_generic_plan;
SELECT count(*) > 0 AS planned FROM (SELECT FROM position_table.many WHERE id > (SELECT max(few)
    FROM position_table.many) AND few < id LIMIT 1) s;
EXPLAIN (COSTS OFF) EXECUTE custom('1795171438346-1');
RESET plan_cache_mode;
SELECT count(*) AS joined FROM position_table.many a JOIN position_table.many b ON a.id > b.id
    AND a.id < '1795171438350-1' AND b.id < '1795171438350-1';

-- Indexes: equal ones share an entry, the ends are found in it, and every kind finds what there is.
CREATE INDEX many_few ON position_table.many (few);
CREATE INDEX many_few_n ON position_table.many (few_n);
SELECT pg_relation_size('position_table.many_few') = pg_relation_size('position_table.many_few_n') AS as_dense;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (COSTS OFF, FORMAT JSON) ' || query INTO plan;
    RETURN plan;
END
$$;
SELECT pg_temp.plan_of('SELECT max(id) FROM position_table.many') ~ '"Backward".*many_id' AS max_by_index,
       pg_temp.plan_of('SELECT min(id) FROM position_table.many') ~ '"Forward".*many_id' AS min_by_index;
SELECT max(id) = max(n)::weir.position AS max, min(id) = min(n)::weir.position AS min FROM position_table.many;
DROP INDEX position_table.many_few, position_table.many_id;
SET enable_seqscan = off;
DO $$
DECLARE
    kind text;
    condition text;
    found bigint;
    wanted bigint;
    plan text;
BEGIN
    FOR kind, condition IN
        SELECT k, c FROM (VALUES ('btree (id)'), ('hash (id)'), ('brin (id) WITH (pages_per_range = 4)'),
                 ('brin (id weir.position_minmax_multi_ops(values_per_range = 16)) WITH (pages_per_range = 4)'),
                                 ('brin (id weir.position_bloom_ops) WITH (pages_per_range = 4)')) i(k),
             (VALUES ('= ''1795171438355-0'''), ('= ''1795171438355-1'''), ('< ''1795171448346-0'''),
                 ('<= ''1795171438355-0'''), ('>= ''1795571438346-7'''), ('> ''1795571438346-0''')) v(c)
        WHERE k ~ 'btree|minmax|brin \(id\)' OR c ~ '^='
    LOOP
        EXECUTE 'SELECT count(*) FROM position_table.many WHERE n ' || replace(condition, ' ''',
            ' weir.position ''') || '::bigint' INTO wanted;
        EXECUTE 'CREATE INDEX many_tried ON position_table.many USING ' || kind;
        EXECUTE 'SELECT count(*) FROM position_table.many WHERE id ' || condition INTO found;
        plan := pg_temp.plan_of('SELECT FROM position_table.many WHERE id ' || condition);
        IF found <> wanted OR plan !~ 'many_tried' THEN
            RAISE NOTICE '% by %: % instead of %, %', condition, kind, found, wanted, plan;
        END IF;
        DROP INDEX position_table.many_tried;
    END LOOP;
END
$$;
RESET enable_seqscan;
-- Of an expression over it, too: the casts are immutable.
CREATE INDEX many_time ON position_table.many ((id::timestamptz));

-- Partitions.
CREATE TABLE position_table.ranged (id weir.position PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE position_table.ranged_1 PARTITION OF position_table.ranged FOR VALUES FROM ('-') TO ('100-0');
CREATE TABLE position_table.ranged_2 PARTITION OF position_table.ranged FOR VALUES FROM ('100-0') TO (MAXVALUE);
CREATE TABLE position_table.hashed (id weir.position PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE position_table.hashed_1 PARTITION OF position_table.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE position_table.hashed_2 PARTITION OF position_table.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE position_table.listed (id weir.position) PARTITION BY LIST (id);
CREATE TABLE position_table.listed_1 PARTITION OF position_table.listed FOR VALUES IN ('-', '+');
INSERT INTO position_table.ranged SELECT (i::bigint << 20)::weir.position FROM pg_catalog.generate_series(1, 200) i;
INSERT INTO position_table.hashed TABLE position_table.ranged;
INSERT INTO position_table.listed VALUES ('+'), ('-');
SELECT (SELECT count(*) FROM ONLY position_table.ranged_1) AS below, (SELECT count(*)
    FROM ONLY position_table.ranged_2) AS above,
       (SELECT count(*) BETWEEN 60 AND 140 FROM ONLY position_table.hashed_1) AS even;
SELECT pg_temp.plan_of($$SELECT FROM position_table.ranged WHERE id > '150-0'$$) !~ 'ranged_1' AS range_pruned,
       (SELECT sum((pg_temp.plan_of($$SELECT FROM position_table.hashed
           WHERE id = '$$ || i || $$-0'$$) ~ 'hashed_1')::integer) BETWEEN 2 AND 18
        FROM generate_series(1, 20) i) AS hash_pruned;

-- Windows by time: days count 24 hours, months 30 days, whatever the time zone; the sequence number counts.
SELECT id, count(*) OVER back AS of_the_second_before, count(*) OVER around AS around
FROM (VALUES ('1000-0'::weir.position), ('1500-7'), ('2000-0'), ('2500-6'), ('2500-7'), ('2500-8'), ('9000-0'),
    ('+'), ('-')) v(id)
WINDOW back AS (ORDER BY id RANGE BETWEEN '1 s' PRECEDING AND CURRENT ROW),
       around AS (ORDER BY id DESC RANGE BETWEEN '500 ms' PRECEDING AND '1 day' FOLLOWING) ORDER BY id;
SELECT count(*) OVER (ORDER BY id RANGE BETWEEN '178000000 years' PRECEDING
    AND '178000000 years' FOLLOWING) AS all_of_them FROM (VALUES ('-'::weir.position), ('+')) v(id);
\set VERBOSITY sqlstate
SELECT count(*) OVER (ORDER BY id RANGE BETWEEN '-1 s' PRECEDING AND CURRENT ROW) FROM (VALUES ('-'::weir.position),
    ('+')) v(id);
\set VERBOSITY default

-- Whoever may read the table, and no more.
CREATE ROLE regress_weir_analyst;
GRANT USAGE ON SCHEMA position_table TO regress_weir_analyst;
GRANT SELECT ON position_table.event, position_table.many TO regress_weir_analyst;
SET ROLE regress_weir_analyst;
SELECT id, note FROM position_table.event WHERE id > '9-0' AND id <> '+' AND cause IS DISTINCT FROM '1-1'
    AND id BETWEEN '1-0' AND '100-0' ORDER BY id;
SELECT max(id), min(id::timestamptz) > '2000-01-01' AS time, count(*) FILTER (WHERE id = '12-0'::text) AS by_text
    FROM position_table.event WHERE id IN ('12-0', '9-5');
SELECT count(*) FROM position_table.many a JOIN position_table.many b USING (id);
\set VERBOSITY sqlstate
CREATE TEMP TABLE mine (id weir.position);
SELECT weir.head('position.none');
\set VERBOSITY default
RESET ROLE;

-- What is stored of an expression is found again, with whatever search_path.
CREATE VIEW position_table.seen AS SELECT id IS DISTINCT FROM cause AS other, NULLIF(id, cause) AS nullif,
    id IN ('1-0', '2-0') AS among, max(id) OVER () AS newest
    FROM position_table.event WHERE id BETWEEN '1-0' AND '+';
SELECT pg_catalog.pg_get_viewdef('position_table.seen'::regclass) AS definition \gset
CREATE VIEW position_table.again AS :definition
SELECT pg_catalog.pg_get_viewdef('position_table.again'::regclass) = :'definition' AS same;
SET client_min_messages = warning;
DROP SCHEMA position_table CASCADE;
DROP ROLE regress_weir_analyst;
