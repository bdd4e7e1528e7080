-- SPDX-License-Identifier: PostgreSQL
-- Claim: a read that asks for a bookmark ends with the position up to which everything settled was looked
-- at, whatever its filter dropped; its cost is bounded, and it says where it stopped before the end; a cursor at a
-- bookmark is as good as that of a frame, after the frames were trimmed as well.
SELECT count(weir.append('bm', to_jsonb(i), CASE WHEN i % 4 = 0 THEN 'kept' ELSE 'dropped' END)) AS appended FROM generate_series(1, 10) i;
SELECT weir.append_best_effort('bm', '11', 'dropped') IS NOT NULL AS best_effort;
CREATE VIEW place AS SELECT id, payload FROM weir.read('bm');
CREATE FUNCTION pg_temp.read_on(after weir.position, max integer, visibility text DEFAULT 'all') RETURNS TABLE (mode text, type text, payload jsonb, at_frame jsonb, columns boolean) LANGUAGE sql AS
$$ SELECT r.mode, r.type, r.payload, p.payload, r.at = r.id::timestamptz AND num_nulls(r.bytes, r.headers) = 2
   FROM weir.read('bm', after => $1, max => $2, visibility => $3, types => '{kept}', bookmark => true) WITH ORDINALITY r(id, at, mode, type, payload, bytes, headers, n)
   LEFT JOIN place p ON p.id = r.id ORDER BY r.n $$;
SELECT * FROM pg_temp.read_on(NULL, 1);
SELECT * FROM pg_temp.read_on(NULL, 2);
SELECT * FROM pg_temp.read_on(NULL, 3);
SELECT * FROM pg_temp.read_on(NULL, 3, 'exclude_best_effort');
-- From the bookmark on there is nothing, and the bookmark stays; then what comes.
SELECT max(id) AS mark FROM weir.read('bm', types => '{kept}', bookmark => true) WHERE mode = 'bookmark' \gset
SELECT mode, type, id = :'mark' AS same FROM weir.read('bm', after => :'mark', types => '{kept}', bookmark => true);
SELECT weir.append('bm', '12', 'kept') IS NOT NULL AS appended;
SELECT mode, payload FROM weir.read('bm', after => :'mark', types => '{kept}', bookmark => true);
-- Nothing at all, and bounds.
SELECT id, at, mode, type FROM weir.read('bm.absent', bookmark => true);
SELECT id, mode FROM weir.read('bm.absent', after => '5-0', bookmark => true);
SELECT p.payload FROM weir.read('bm', upto => (SELECT max(id) FROM place WHERE payload::integer <= 6), types => '{none}', bookmark => true) r JOIN place p ON p.id = r.id;
SELECT mode FROM weir.read('bm', since => '2100-01-01', bookmark => true);
SELECT count(*) AS without FROM weir.read('bm', types => '{none}', bookmark => false);
SELECT weir.read('bm', reverse => true, bookmark => true);
SELECT weir.read('bm', bookmark => NULL);
SELECT weir.read_many('{bm}', bookmark => NULL);
-- Of several streams, one each.
SELECT weir.append('bm.2', '1', 'dropped') IS NOT NULL AS appended;
SELECT stream, mode, type, payload, id = weir.head(stream) AS at_head
FROM weir.read_many('{bm.2,bm.absent,bm}', max => 2, types => '{kept}', bookmark => true);
-- Trimmed up to the bookmark, it is accepted; beyond, it is told, as any cursor.
SELECT weir.trim('bm', keep => 1) AS trimmed;
SELECT mode, payload FROM weir.read('bm', after => :'mark', types => '{kept}', bookmark => true);
SELECT weir.trim('bm', keep => 0) AS trimmed;
\set VERBOSITY sqlstate
SELECT weir.read('bm', after => :'mark', bookmark => true);
\set VERBOSITY default
SELECT weir.drop_stream('bm'), weir.drop_stream('bm.2');

-- One call looks at 100000 frames, and the calls together at all of them.
SET client_min_messages = warning;
SELECT sum(frames) AS appended FROM generate_series(1, 21) n,
    weir.append_batch('bm.long', ARRAY(SELECT to_jsonb(i) FROM generate_series(1, 10000) i), CASE n WHEN 21 THEN 'kept' ELSE 'dropped' END);
DO $$
DECLARE
    cursor weir.position; calls integer := 0; stopped text; found integer := 0; r record;
BEGIN
    LOOP
        FOR r IN SELECT * FROM weir.read('bm.long', after => cursor, max => 10000, types => '{kept}', bookmark => true) LOOP
            found := found + (r.mode <> 'bookmark')::integer;
            cursor := r.id;
            stopped := r.type;
        END LOOP;
        calls := calls + 1;
        EXIT WHEN stopped IS NULL;
    END LOOP;
    RAISE WARNING 'calls: %, found: %', calls, found;
END
$$;
SELECT type, payload FROM weir.read_many('{bm.long,bm.absent}', max => 1, types => '{kept}', bookmark => true);
SELECT weir.drop_stream('bm.long');
DROP VIEW place;
