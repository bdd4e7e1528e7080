-- SPDX-License-Identifier: PostgreSQL
-- Claim: read gives each settled frame of the range once, in id order, whatever
-- the bounds, the page size, the filters and the direction; durable and best
-- effort frames merge into that one order; a page is full as long as there is
-- more. Every answer is compared with the whole list filtered in SQL.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;

-- Ten frames over all modes; ids kept by number.
CREATE TEMP TABLE f (n serial PRIMARY KEY, id weir.position);
INSERT INTO f (id) SELECT weir.append('read.a', '1', 'x', '{"k": 1, "t": "a"}');
INSERT INTO f (id) SELECT weir.append_best_effort('read.a', '2', 'y', '{"k": 1}');
INSERT INTO f (id) SELECT (weir.append_patch('read.a', '{"p": 3}', 'x')).id;
INSERT INTO f (id) SELECT weir.append_best_effort('read.a', '4', NULL, NULL);
INSERT INTO f (id) SELECT weir.append_text('read.a', '5', 'z', '{"k": [1, 2], "deep": {"a": 1, "b": 2}}');
INSERT INTO f (id) SELECT weir.append('read.a', '6');
INSERT INTO f (id) SELECT weir.append_best_effort_bytes('read.a', '7', 'x', '{"k": 2}');
INSERT INTO f (id) SELECT weir.append('read.a', '8', 'X', '{}');
INSERT INTO f (id) SELECT weir.append('read.a', '9', 'y', '{"k": 1, "t": "b"}');
INSERT INTO f (id) SELECT weir.append_best_effort('read.a', '10', 'z');
CREATE FUNCTION pg_temp.numbers(ids weir.position[]) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(coalesce(f.n::text, '?'), ' ' ORDER BY u.o) FROM unnest(ids) WITH ORDINALITY u(id, o) LEFT JOIN f ON f.id = u.id $$;
CREATE FUNCTION pg_temp.at(n integer) RETURNS weir.position LANGUAGE sql AS $$ SELECT id FROM f WHERE f.n = $1 $$;

SELECT n, r.mode, r.type, r.payload, r.bytes, r.headers
FROM weir.read('read.a') WITH ORDINALITY r(id, at, mode, type, payload, bytes, headers, o) JOIN f ON f.id = r.id AND f.n = r.o ORDER BY o;

-- Bounds: after exclusive, upto inclusive, NULL open; reverse is the same set.
SELECT pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => pg_temp.at(3)))) AS after_3,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', upto => pg_temp.at(3)))) AS upto_3,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => pg_temp.at(3), upto => pg_temp.at(7)))) AS after_3_upto_7,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => pg_temp.at(3), upto => pg_temp.at(7), reverse => true))) AS reversed,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', reverse => true))) AS all_reversed;
SELECT count(*) AS wrong FROM (SELECT NULL::integer AS n UNION ALL SELECT n FROM f) a, (SELECT NULL::integer AS n UNION ALL SELECT n FROM f) b,
    (VALUES (false), (true)) r(reverse),
    LATERAL (SELECT pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => pg_temp.at(a.n), upto => pg_temp.at(b.n), reverse => r.reverse))) AS got,
                    (SELECT string_agg(f.n::text, ' ' ORDER BY CASE WHEN r.reverse THEN -f.n ELSE f.n END) FROM f
                     WHERE (a.n IS NULL OR f.n > a.n) AND (b.n IS NULL OR f.n <= b.n)) AS want) c
WHERE got IS DISTINCT FROM want;
-- Bounds need be no frame: below everything, above everything, between two.
SELECT pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => '-'))) AS after_least,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', upto => '+', max => 2))) AS upto_greatest,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', upto => '-'))) AS upto_least,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => '1-0', upto => '2-0'))) AS long_ago,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => (pg_temp.at(5)::bigint - 1)::weir.position, upto => (pg_temp.at(6)::bigint + 0)::weir.position))) AS by_one,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', after => pg_temp.at(10)))) AS after_the_last,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', reverse => true, upto => '+', max => 3))) AS newest_three;
-- A cursor that this log never gave out is an error, not an endless wait.
\set VERBOSITY sqlstate
SELECT * FROM weir.read('read.a', after => '+');
SELECT * FROM weir.read('read.a', after => (now() + interval '10 years')::weir.position);
\set VERBOSITY default

-- Pages of every size meet without a gap or a repeat, forward and backward.
CREATE FUNCTION pg_temp.paged(size integer, vis text, backward boolean, with_types text[] DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    seen weir.position;
    page weir.position[];
    whole weir.position[] := '{}';
BEGIN
    LOOP
        IF backward THEN
            page := ARRAY(SELECT id FROM weir.read('read.a', max => size, visibility => vis, types => with_types, reverse => true,
                                                   upto => (seen::bigint - 1)::weir.position));
        ELSE
            page := ARRAY(SELECT id FROM weir.read('read.a', after => seen, max => size, visibility => vis, types => with_types));
        END IF;
        whole := whole || page;
        EXIT WHEN cardinality(page) < size;
        seen := page[cardinality(page)];
    END LOOP;
    RETURN pg_temp.numbers(whole);
END
$$;
SELECT DISTINCT vis, backward, with_types, pg_temp.paged(size, vis, backward, with_types)
FROM generate_series(1, 12) size, (VALUES ('all'), ('exclude_best_effort')) v(vis), (VALUES (false), (true)) b(backward), (VALUES (NULL), ('{x}'::text[])) t(with_types)
ORDER BY vis, backward, with_types NULLS FIRST;

-- Visibility and filters; the limit counts what passes, so a short page is the end.
SELECT pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', visibility => 'exclude_best_effort'))) AS durable,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', visibility => 'exclude_best_effort', max => 4))) AS durable_four,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', types => '{x}'))) AS x,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', types => '{y,z,absent}'))) AS y_or_z,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', types => '{x,x}', max => 2))) AS x_two,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', types => '{}'))) AS no_type,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', headers => '{}'))) AS any_headers,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', headers => '{"k": 1}'))) AS k_1,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', headers => '{"k": [2]}'))) AS contained_array,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', headers => '{"deep": {"b": 2}}'))) AS contained_object,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', headers => '{"k": 1, "t": "b"}'))) AS two_keys,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', types => '{y}', headers => '{"k": 1}', visibility => 'exclude_best_effort', reverse => true))) AS together;
SELECT count(*) AS as_containment
FROM (VALUES ('{"k": 1}'), ('{"k": [1]}'), ('{"deep": {}}'), ('{"t": "a"}'), ('{"k": null}')) v(h)
WHERE pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', headers => h::jsonb)))
      IS NOT DISTINCT FROM pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a') r WHERE r.headers @> h::jsonb));

-- since: a lower bound in time, whatever the cursor, never an error.
SELECT pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => '-infinity', max => 1))) AS ever,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => '1960-01-01'))) AS before_1970,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => now() - interval '1 day', after => pg_temp.at(8)))) AS with_after,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => now() + interval '1 day'))) AS tomorrow,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => '2249-01-01'))) AS beyond_positions,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => '294276-12-31'))) AS last_of_all,
       pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => 'infinity'))) AS never;
SELECT count(*) FILTER (WHERE got IS DISTINCT FROM want) AS wrong
FROM f, LATERAL (SELECT pg_temp.numbers(ARRAY(SELECT id FROM weir.read('read.a', since => f.id::timestamptz))) AS got,
                        (SELECT string_agg(g.n::text, ' ' ORDER BY g.n) FROM f g WHERE g.id::timestamptz >= f.id::timestamptz) AS want) c;

-- head: the newest settled position over both tables; 0-0 where there is none.
SELECT weir.head('read.a') = pg_temp.at(10) AS newest, weir.head('read.never') AS unknown;
SELECT count(*) AS from_now FROM weir.read('read.a', after => weir.head('read.a'));
SELECT count(*) AS unknown FROM weir.read('read.never');
SELECT count(*) AS unknown FROM weir.read('read.never', after => pg_temp.at(1), reverse => true);

-- Both tables in one order over a thousand frames mixed at random.
SELECT weir.create_stream('read.b', maxlen_floor => 10000);
SELECT count(CASE WHEN i * 7919 % 5 < 2 THEN weir.append_best_effort('read.b', to_jsonb(i), ttl => '86400000 ms') ELSE weir.append('read.b', to_jsonb(i)) END)
FROM generate_series(1, 1000) i;
SELECT mode, count(*) FROM weir.read('read.b') GROUP BY mode ORDER BY mode;
SELECT count(*) AS frames, bool_and(payload = to_jsonb(n)) AS in_order FROM (SELECT payload, row_number() OVER () AS n FROM weir.read('read.b')) r;
SELECT count(*) AS frames, bool_and(payload = to_jsonb(1001 - n)) AS in_reverse FROM (SELECT payload, row_number() OVER () AS n FROM weir.read('read.b', reverse => true)) r;
-- The default page is a thousand frames, the largest ten thousand.
SELECT count(weir.append('read.b', '0')) FROM generate_series(1, 5) i;
SELECT (SELECT count(*) FROM weir.read('read.b')) AS default_page, (SELECT count(*) FROM weir.read('read.b', max => 10000)) AS all_of_them;

-- read composes: in joins, lateral, cursors, functions, prepared statements.
SELECT s.name, count(r.id) FROM (VALUES ('read.a'), ('read.never'), ('read.b')) s(name) LEFT JOIN LATERAL weir.read(s.name, max => 7) r ON true GROUP BY 1 ORDER BY 1;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT n FROM weir.read('read.a') r JOIN f USING (id) ORDER BY id;
FETCH 3 FROM c;
FETCH BACKWARD 1 FROM c;
COMMIT;
PREPARE page(text, weir.position, integer) AS SELECT pg_temp.numbers(ARRAY(SELECT id FROM weir.read($1, after => $2, max => $3)));
EXECUTE page('read.a', NULL, 2);
EXECUTE page('read.a', pg_temp.at(2), 2);
DEALLOCATE page;
SELECT count(*) AS limited FROM (SELECT id FROM weir.read('read.b') LIMIT 3) r;
-- Read-only transactions read.
BEGIN READ ONLY;
SELECT count(*) FROM weir.read('read.a');
SELECT weir.head('read.a') = pg_temp.at(10) AS head;
\set VERBOSITY sqlstate
SELECT weir.append('read.a', '1');
ROLLBACK;
BEGIN READ ONLY;
SELECT weir.append_best_effort('read.a', '1');
ROLLBACK;
\set VERBOSITY default

-- read_many: each stream as read gives it, named in every row.
SELECT stream, pg_temp.numbers(array_agg(id ORDER BY id)) AS frames
FROM weir.read_many(ARRAY['read.a', 'read.never'], ARRAY[pg_temp.at(6), NULL]) GROUP BY stream ORDER BY stream;
SELECT stream, count(*), min(payload::text) AS first FROM weir.read_many(ARRAY['read.b', 'read.a'], max => 3) GROUP BY stream ORDER BY stream;
SELECT stream, count(*) FROM weir.read_many(ARRAY['read.a', 'read.b'], visibility => 'exclude_best_effort', types => '{x}', headers => '{"k": 1}') GROUP BY stream;
SELECT bool_and(m.frame IS NOT DISTINCT FROM r.frame) AS same_rows, count(*)
FROM (SELECT row_number() OVER () AS n, (id, at, mode, type, payload, bytes, headers)::text AS frame FROM weir.read_many(ARRAY['read.a'])) m
FULL JOIN (SELECT row_number() OVER () AS n, (id, at, mode, type, payload, bytes, headers)::text AS frame FROM weir.read('read.a')) r USING (n);
SELECT stream, pg_temp.numbers(array_agg(id ORDER BY id)) AS frames
FROM weir.read_many(ARRAY['read.never', 'read.a'], ARRAY[NULL, NULL]::weir.position[]) GROUP BY stream;
SELECT count(*) AS none FROM weir.read_many('{}');
SELECT stream, count(*) FROM weir.read_many(ARRAY['read.a', 'read.a']) GROUP BY stream;
-- Ten thousand rows in all, divided evenly.
SELECT count(weir.append_batch('read.c' || i, (SELECT array_agg(to_jsonb(j)) FROM generate_series(1, 4000) j))) FROM generate_series(1, 4) i;
SELECT stream, count(*) FROM weir.read_many(ARRAY['read.c1', 'read.c2', 'read.c3', 'read.c4'], max => 10000) GROUP BY stream ORDER BY stream;
SELECT call, pg_temp.state_of('SELECT count(*) FROM weir.read_many(' || call || ')') AS sqlstate
FROM (VALUES (1, 'NULL'), (2, 'ARRAY[''read.a'', NULL]'), (3, 'ARRAY[''read.a'', '' '']'), (4, 'ARRAY[''read.a''], ARRAY[''-'', ''-'']::weir.position[]'),
             (5, 'ARRAY[''read.a'', ''read.b''], ARRAY[''1-1'']::weir.position[]'), (6, 'ARRAY[[''read.a''], [''read.b'']]'),
             (7, 'ARRAY[''read.a''], max => 0'), (8, 'ARRAY[''read.a''], max => 10001'), (9, 'ARRAY[''read.a''], max => NULL'),
             (10, 'ARRAY[''read.a''], visibility => ''some'''), (11, 'ARRAY[''read.a''], visibility => NULL'), (12, 'ARRAY[''read.a''], headers => ''[1]'''),
             (13, 'ARRAY[''read.a''], ARRAY[''+'']::weir.position[]')) v(n, call) ORDER BY n;

DROP TABLE f;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'read.%';
