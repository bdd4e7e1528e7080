-- SPDX-License-Identifier: PostgreSQL
-- Claim: a subscription to several streams, by name or pattern, hands out their events
-- merged in the order of their positions, each stream's complete and from a cursor of its own,
-- streams that are made later included; an ack moves the cursor of one stream and no other.
CREATE FUNCTION pg_temp.fetched(name text, max integer DEFAULT 100) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(f.stream || ' ' || (f.payload #>> '{}'), ', ' ORDER BY f.stream, f.n)
   FROM weir.fetch($1, $2) WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n) $$;
CREATE FUNCTION pg_temp.at(stream text, payload text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT r.id FROM weir.read($1, max => 10000) r WHERE r.payload #>> '{}' = $2 $$;

-- What a pattern matches.
SELECT weir.emit(t, to_jsonb(t), 'n') FROM unnest(ARRAY['st.a', 'st.b', 'st.a.b', 'st.', 'st', 'st.*', 'st.?', 'st.\', 'st.ä', 'stx', 'other']) t;
SELECT p, weir.subscribe('st ' || p, p, '-') AS made, (SELECT array_agg(stream ORDER BY stream COLLATE "C") FROM weir.fetch('st ' || p, 10000) WHERE stream LIKE 'st%' OR stream = 'other') AS streams
FROM unnest(ARRAY['st.*', 'st.?', 'st?*', 'st.a', '*.b', '*', 's*.*.*b', 'st.\*', 'st.\?', 'st.\\', 'st.[ab]', 'none*', '**', '??']) p;
SELECT bool_and(weir.unsubscribe('st ' || p)) FROM unnest(ARRAY['st.*', 'st.?', 'st?*', 'st.a', '*.b', '*', 's*.*.*b', 'st.\*', 'st.\?', 'st.\\', 'st.[ab]', 'none*', '**', '??']) p;
SELECT bool_and(weir.drop_stream(t)) FROM unnest(ARRAY['st.a', 'st.b', 'st.a.b', 'st.', 'st', 'st.*', 'st.?', 'st.\', 'st.ä', 'stx', 'other']) t;

-- Merged in order; interleaved one by one, and in runs.
DO $$ BEGIN FOR i IN 1 .. 9 LOOP PERFORM weir.emit('st.' || chr(97 + i % 3), to_jsonb(i), 'n'); COMMIT; END LOOP; END $$;
SELECT weir.subscribe('st.all', 'st.*', '-'), weir.subscribe_many('st.two', ARRAY['st.a', 'st.c', 'st.none'], '-'), weir.subscribe_many('st.overlap', ARRAY['st.*', 'st.a', '*a'], '-');
SELECT pg_temp.fetched('st.all');
SELECT pg_temp.fetched('st.two');
SELECT pg_temp.fetched('st.overlap');
SELECT count(*), bool_and(weir.position_le(before, id)) AS in_order FROM (SELECT id, coalesce(lag(id) OVER (ORDER BY n), id) AS before FROM weir.fetch('st.all', 4) WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n)) f;
SELECT bool_and(weir.position_le(before, id)) AS in_order FROM (SELECT id, coalesce(lag(id) OVER (ORDER BY n), id) AS before FROM weir.fetch('st.all') WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n)) f;
-- Each stream has its cursor: acknowledged one by one, and not together.
SELECT weir.ack('st.all', pg_temp.at('st.b', '4'), 'st.b') AS passed, pg_temp.fetched('st.all');
SELECT weir.ack('st.all', pg_temp.at('st.c', '8'), 'st.c') AS passed, pg_temp.fetched('st.all');
SELECT name, stream, lag_frames FROM weir.subscriptions WHERE name LIKE 'st.%' ORDER BY name, stream;
SELECT weir.ack('st.all', pg_temp.at('st.a', '9'));
SELECT weir.ack('st.all', pg_temp.at('st.a', '9'), 'elsewhere');
SELECT weir.ack('st.two', pg_temp.at('st.a', '9'), 'st.b');
-- A batch at once.
SELECT sum(weir.ack('st.all', b.upto, b.stream)) FROM (SELECT stream, max(id) AS upto FROM weir.fetch('st.all') GROUP BY stream) b;
SELECT pg_temp.fetched('st.all');

-- A stream made later is there from its beginning, whatever the start was.
SELECT weir.subscribe('st.now', 'st.*');
SELECT weir.emit('st.later', '1', 'n'), weir.emit('st.a', '10', 'n'), weir.emit('elsewhere', '11', 'n');
SELECT pg_temp.fetched('st.now');
SELECT pg_temp.fetched('st.all');
-- Seeking all of them, or one.
SELECT weir.seek('st.now', '-', 'st.b'), pg_temp.fetched('st.now');
SELECT weir.seek('st.now', '-'), pg_temp.fetched('st.now');
SELECT weir.seek('st.now', '+'), pg_temp.fetched('st.now');
-- A quiet stream is none the worse for a position beyond its newest, or a time.
SELECT weir.seek('st.now', pg_temp.at('st.a', '10')), pg_temp.fetched('st.now');
SELECT weir.subscribe('st.time', 'st.*', since => now() - interval '1 hour');
SELECT count(*) FROM weir.fetch('st.time');

-- Many streams with many events: all of them, once, in order, page by page.
BEGIN;
SELECT count(weir.emit('st.m.' || i % 37, to_jsonb(i), CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END)) FROM generate_series(1, 5000) i;
COMMIT;
DO $$ BEGIN FOR i IN 5001 .. 5200 LOOP PERFORM weir.emit('st.m.' || i % 5, to_jsonb(i), 'odd'); COMMIT; END LOOP; END $$;
SELECT weir.subscribe('st.many', 'st.m.*', '-'), weir.subscribe('st.odd', 'st.m.*', '-', types => '{odd}');
CREATE TEMP TABLE got (name text, page integer, n bigint, stream text, id weir.position, payload integer);
CREATE PROCEDURE pg_temp.consume(consumer text, size integer) LANGUAGE plpgsql AS
$$
DECLARE
    pages integer := 0;
    rows integer;
BEGIN
    LOOP
        INSERT INTO got SELECT consumer, pages, f.n, f.stream, f.id, f.payload::text::integer
            FROM weir.fetch(consumer, size) WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n);
        GET DIAGNOSTICS rows = ROW_COUNT;
        EXIT WHEN rows = 0;
        ASSERT rows = size OR NOT EXISTS (SELECT FROM got g WHERE g.name = consumer AND g.page = pages + 1);
        PERFORM weir.ack(consumer, b.upto, b.stream) FROM (SELECT g.stream, max(g.id) AS upto FROM got g WHERE g.name = consumer AND g.page = pages GROUP BY g.stream) b;
        COMMIT;
        pages := pages + 1;
    END LOOP;
END
$$;
CALL pg_temp.consume('st.many', 700);
CALL pg_temp.consume('st.odd', 1000);
SELECT name, count(*), count(DISTINCT payload), count(DISTINCT stream), bool_and(weir.position_le(before, id)) AS in_order, max(page) AS last_page
FROM (SELECT *, coalesce(lag(id) OVER (PARTITION BY name, page ORDER BY n), id) AS before FROM got) g GROUP BY name ORDER BY name;
SELECT name, stream, bool_and(before < payload) AS in_order FROM (SELECT *, coalesce(lag(payload) OVER (PARTITION BY name, stream ORDER BY page, n), 0) AS before FROM got) g
GROUP BY name, stream HAVING NOT bool_and(before < payload);
SELECT sum(lag_frames) FROM weir.subscriptions WHERE name = 'st.many';

-- Filters that drop everything pass each stream's cursor.
SELECT weir.subscribe('st.nothing', 'st.m.*', '-', types => '{absent}');
SELECT count(*) FROM weir.fetch('st.nothing');
SELECT sum(lag_frames) FILTER (WHERE lag_frames >= 128) AS passed_where_many FROM weir.subscriptions WHERE name = 'st.nothing';

-- Memory does not go by the number of streams times the size of events: one event is wanted here, and 160 MB
-- of them are at the heads of the streams.
CREATE FUNCTION pg_temp.peak_mb() RETURNS bigint LANGUAGE sql AS
$$ SELECT substring(pg_read_file('/proc/self/status') FROM 'VmPeak:\s*(\d+) kB')::bigint / 1024 $$;
SELECT count(weir.append('st.big.' || t, to_jsonb(repeat(md5(t || '-' || n), 32000)))) AS appended
FROM generate_series(1, 20) t, generate_series(1, 8) n;
SELECT weir.subscribe('st.big', 'st.big.*', '-');
SELECT pg_temp.peak_mb() AS before \gset
SELECT count(*), sum(length(payload #>> '{}')) FROM weir.fetch('st.big', 1);
SELECT pg_temp.peak_mb() - :before < 60 AS bounded;
SELECT count(*), sum(length(payload #>> '{}')) FROM weir.fetch('st.big', 400);
SELECT pg_temp.peak_mb() - :before < 60 AS bounded;

SELECT bool_and(weir.unsubscribe(s.name)) AS unsubscribed FROM (SELECT DISTINCT name FROM weir.subscriptions) s;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'st.%' OR stream = 'elsewhere';
