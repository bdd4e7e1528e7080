-- SPDX-License-Identifier: PostgreSQL
-- Claim: the summary is the fold of a stream's patches in id order, computed from
-- the log: the same document as a naive fold in SQL at every step and after ten
-- thousand patches, whatever was rolled back, trimmed or written in between; its
-- version is that of its newest patch; a sentinel sets a null and never shows.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.naive_merge(target jsonb, patch jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
    k text;
    v jsonb;
BEGIN
    IF jsonb_typeof(patch) <> 'object' THEN
        RETURN patch;
    END IF;
    result := CASE WHEN jsonb_typeof(target) = 'object' THEN target ELSE '{}' END;
    FOR k, v IN SELECT * FROM jsonb_each(patch) LOOP
        IF v = 'null' THEN
            result := result - k;
        ELSE
            result := result || jsonb_build_object(k, pg_temp.naive_merge(result -> k, v));
        END IF;
    END LOOP;
    RETURN result;
END
$$;

-- No row where no patch was applied.
SELECT count(*) AS unknown FROM weir.summary('summary.never');
SELECT weir.append('summary.none', '{"a": 1}') IS NOT NULL AS durable;
SELECT count(*) AS unpatched FROM weir.summary('summary.none');

-- Three patches: set, set another, overwrite and set a null by the sentinel.
SELECT summary_version FROM weir.append_patch('summary.a', '{"a": 1}');
SELECT summary_version FROM weir.append_patch('summary.a', '{"b": 2}');
SELECT id AS third, summary_version FROM weir.append_patch('summary.a', '{"a": 42, "c": {"x": "__weir_null__"}}') \gset
SELECT :summary_version AS version;
SELECT document, version, "position" = :'third' AS at_the_third, patch_kind, first_applied <= last_updated AS times_in_order,
       last_updated = "position"::timestamptz AS updated_at_its_patch
FROM weir.summary('summary.a');
SELECT jsonb_typeof(document #> '{c,x}') AS x_is, document::text LIKE '%weir_null%' AS sentinel_shows FROM weir.summary('summary.a');
-- Merge: null removes, objects merge.
SELECT summary_version FROM weir.append_patch('summary.b', '{"a": 1, "b": {"c": 2}}');
SELECT summary_version FROM weir.append_patch('summary.b', '{"a": null, "b": {"d": 3}}');
SELECT document, version FROM weir.summary('summary.b');
-- Other frames in between are frames, not patches.
SELECT weir.append('summary.c', '{"not": "a patch"}') IS NOT NULL AS done;
SELECT summary_version FROM weir.append_patch('summary.c', '{"n": 1}', 'progress', '{"h": 1}');
SELECT weir.append('summary.c', '{"not": "a patch"}') IS NOT NULL AS done;
SELECT weir.append_best_effort('summary.c', '{"not": "a patch"}') IS NOT NULL AS done;
SELECT summary_version FROM weir.append_patch('summary.c', '{"n": 2}');
SELECT mode, type, payload, headers FROM weir.read('summary.c');
SELECT count(*) AS summary_frames_stay FROM weir.read('summary.c', visibility => 'exclude_best_effort');
SELECT document, version FROM weir.summary('summary.c');
SELECT f.id = s."position" AS at_its_newest_patch FROM weir.summary('summary.c') s, weir.read('summary.c', reverse => true, max => 1) f;
-- The empty patch is a patch; a removal of everything leaves {}.
SELECT summary_version FROM weir.append_patch('summary.d', '{}');
SELECT document, version FROM weir.summary('summary.d');
SELECT summary_version FROM weir.append_patch('summary.d', '{"a": 1}');
SELECT summary_version FROM weir.append_patch('summary.d', '{"a": null, "b": null}');
SELECT document, version FROM weir.summary('summary.d');

-- The transaction that patched sees its summary; a rolled-back one leaves no trace but, at most, a gap.
BEGIN;
SELECT summary_version FROM weir.append_patch('summary.a', '{"tx": 1}');
SAVEPOINT s;
SELECT summary_version > 4 AS later FROM weir.append_patch('summary.a', '{"savepoint": 1}');
SELECT document FROM weir.summary('summary.a');
ROLLBACK TO s;
SELECT document, version FROM weir.summary('summary.a');
ROLLBACK;
SELECT document, version, "position" = :'third' AS at_the_third FROM weir.summary('summary.a');
SELECT summary_version AS version FROM weir.append_patch('summary.a', '{"after": "rollback"}') \gset
SELECT :version > 3 AS above, document - 'c' AS document, version = :version AS same_version FROM weir.summary('summary.a');
SELECT summary_version = :version + 1 AS next FROM weir.append_patch('summary.a', '{"after": null}');

-- Roots other than an object, and depth, are refused; nothing of them remains.
SELECT patch, pg_temp.state_of(format('SELECT weir.append_patch(''summary.b'', %L)', patch)) AS sqlstate
FROM (VALUES ('[]'), ('"__weir_null__"'), ('null'), ('1'), ('true'), (NULL)) v(patch);
SELECT depth, pg_temp.state_of(format('SELECT weir.append_patch(''summary.depth'', %L)', repeat('{"a":', depth) || '1' || repeat('}', depth))) AS sqlstate
FROM (VALUES (63), (64), (65), (1000), (5000)) v(depth);
SELECT pg_temp.state_of(format('SELECT weir.append_patch(''summary.depth'', %L)', '{"a":' || repeat('[', 1000) || repeat(']', 1000) || '}')) AS deep_array;
SELECT weir.append_patch('summary.b', '[1]');
SELECT weir.append_patch('summary.depth', (repeat('{"a":', 65) || '1' || repeat('}', 65))::jsonb);
SELECT document, version FROM weir.summary('summary.b');
SELECT summary_version FROM weir.append_patch('summary.b', '{"z": 1}');

-- Sentinels: anywhere in the patch, arrays too; keys, targets and longer strings are not meant.
SELECT summary_version FROM weir.append_patch('summary.e', '{"list": ["__weir_null__", {"deep": "__weir_null__"}], "__weir_null__": 1, "x": "__weir_null__ ", "y": null}');
SELECT document FROM weir.summary('summary.e');
SELECT payload FROM weir.read('summary.e');
-- The sentinel is a property of the stream.
SELECT weir.create_stream('summary.f', null_sentinel => '<nil>');
SELECT count(*) AS none_yet FROM weir.summary('summary.f');
SELECT summary_version FROM weir.append_patch('summary.f', '{"a": "<nil>", "b": "__weir_null__", "c": ["<nil>"]}');
SELECT document FROM weir.summary('summary.f');
SELECT document FROM weir.summary_at('summary.f', weir.head('summary.f'));

-- summary_at: the document as it stood at each of 300 positions, patches or not.
CREATE TEMP TABLE step (n integer, id weir.position, patch jsonb, document jsonb, version bigint);
DO $$
DECLARE
    d jsonb := '{}';
    p jsonb;
    at weir.position;
    v bigint := 0;
BEGIN
    FOR i IN 1 .. 300 LOOP
        IF i % 4 = 0 THEN
            at := weir.append('summary.g', to_jsonb(i));
            p := NULL;
        ELSE
            p := jsonb_build_object('k' || i % 17, CASE WHEN i % 5 = 0 THEN NULL ELSE i END, 'nested', jsonb_build_object('k' || i % 7, i), 'n', i);
            SELECT id, summary_version INTO at, v FROM weir.append_patch('summary.g', p);
            d := pg_temp.naive_merge(d, p);
        END IF;
        INSERT INTO step VALUES (i, at, p, d, v);
        COMMIT;
    END LOOP;
END
$$;
SELECT count(*) AS steps, count(s.version) AS answered,
       count(*) FILTER (WHERE s.document IS DISTINCT FROM step.document OR s.version IS DISTINCT FROM step.version) AS wrong,
       count(*) FILTER (WHERE s."position" > step.id) AS ahead
FROM step LEFT JOIN LATERAL weir.summary_at('summary.g', step.id) s ON true;
SELECT (SELECT document FROM weir.summary('summary.g')) = (SELECT document FROM step WHERE n = 300) AS now_is_the_last,
       (SELECT version FROM weir.summary('summary.g')) AS version;
SELECT count(*) AS before_the_first FROM step, weir.summary_at('summary.g', (step.id::bigint - 1)::weir.position) WHERE step.n = 1;
SELECT count(*) AS at_the_least FROM weir.summary_at('summary.g', '-');
SELECT count(*) AS unknown_stream FROM step, weir.summary_at('summary.never', step.id) WHERE step.n = 1;
SELECT pg_temp.state_of('SELECT * FROM weir.summary_at(''summary.g'', ''+'')') AS above,
       pg_temp.state_of('SELECT * FROM weir.summary_at(''summary.g'', NULL)') AS null_position,
       pg_temp.state_of('SELECT * FROM weir.summary_at(NULL, ''1-1'')') AS null_stream,
       pg_temp.state_of('SELECT * FROM weir.summary(NULL)') AS null_summary;

-- Trim: the document stays, what it was before is a clear error.
SELECT weir.trim('summary.g', before => (SELECT id FROM step WHERE n = 201)) AS trimmed;
SELECT (SELECT document FROM weir.summary('summary.g')) = (SELECT document FROM step WHERE n = 300) AS document_stays,
       (SELECT version FROM weir.summary('summary.g')) AS version;
SELECT DISTINCT pg_temp.state_of(format('SELECT * FROM weir.summary_at(''summary.g'', %L)', id)) AS sqlstate, n < 200 AS before_the_trim
FROM step WHERE n <> 200 ORDER BY 2;
SELECT count(*) FILTER (WHERE s.document IS DISTINCT FROM step.document OR s.version IS DISTINCT FROM step.version) AS wrong
FROM step LEFT JOIN LATERAL weir.summary_at('summary.g', step.id) s ON true WHERE step.n > 200;
-- A trim below the last one, as a late retry is, takes nothing and spoils nothing.
SELECT weir.trim('summary.g', before => (SELECT id FROM step WHERE n = 101)) AS nothing_left_there, weir.trim('summary.g', before => '-') AS nothing_at_all;
SELECT count(*) FILTER (WHERE s.document IS DISTINCT FROM step.document OR s.version IS DISTINCT FROM step.version) AS wrong_afterwards
FROM step LEFT JOIN LATERAL weir.summary_at('summary.g', step.id) s ON true WHERE step.n > 200;
SELECT pg_temp.state_of(format('SELECT * FROM weir.summary_at(''summary.g'', %L)', id)) AS still_expired FROM step WHERE n = 150;
SELECT weir.trim('summary.g', keep => 0) AS trimmed;
SELECT (SELECT document FROM weir.summary('summary.g')) = (SELECT document FROM step WHERE n = 300) AS document_survives, version FROM weir.summary('summary.g');
SELECT summary_version FROM weir.append_patch('summary.g', '{"n": 301}');
SELECT document = (SELECT document || '{"n": 301}' FROM step WHERE n = 300) AS goes_on, version FROM weir.summary('summary.g');
\set VERBOSITY sqlstate
SELECT * FROM weir.summary_at('summary.g', (SELECT id FROM step WHERE n = 250));
\set VERBOSITY default
-- Version 1, trimmed to nothing, is still the summary.
SELECT summary_version FROM weir.append_patch('summary.h', '{"final": "answer", "tokens": 42}');
SELECT weir.trim('summary.h', keep => 0) AS trimmed;
SELECT count(*) AS frames FROM weir.read('summary.h');
SELECT document, version FROM weir.summary('summary.h');

-- Ten thousand patches, one transaction each, some rolled back: the naive fold.
CREATE TEMP TABLE patch (n integer PRIMARY KEY, p jsonb);
INSERT INTO patch SELECT i, jsonb_build_object(
    'k' || i * 7919 % 97, CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN to_jsonb(i) WHEN 2 THEN to_jsonb('s' || i)
                          WHEN 3 THEN jsonb_build_object('a', i, 'b', NULL, 'c' || i % 5, jsonb_build_array(i, NULL)) WHEN 4 THEN '[]' ELSE '{"b": {"x": 1.50}}' END,
    'n', i) FROM generate_series(1, 10000) i;
DO $$
DECLARE
    d jsonb;
BEGIN
    FOR i IN 1 .. 10000 LOOP
        PERFORM weir.append_patch('summary.i', p) FROM patch WHERE n = i;
        COMMIT;
        IF i % 1000 = 0 THEN
            PERFORM weir.append_patch('summary.i', '{"never": true, "n": null}');
            ROLLBACK;
            SELECT document INTO d FROM weir.summary('summary.i');
            ASSERT d -> 'n' = to_jsonb(i), 'summary is not up to date';
        END IF;
    END LOOP;
END
$$;
DO $$
DECLARE
    d jsonb := '{}';
    p jsonb;
    s record;
BEGIN
    FOR p IN SELECT patch.p FROM patch ORDER BY n LOOP
        d := pg_temp.naive_merge(d, p);
    END LOOP;
    SELECT * INTO s FROM weir.summary('summary.i');
    RAISE NOTICE 'equal to the naive fold: %, version at least 10000: %, keys: %', s.document = d, s.version >= 10000, (SELECT count(*) FROM jsonb_object_keys(d));
    ASSERT s.document::text = d::text, 'equal, but not to the digit';
END
$$;
-- The same in one statement and one transaction.
SELECT count((weir.append_patch('summary.j', p)).summary_version) AS patches FROM (SELECT p FROM patch ORDER BY n LIMIT 2000) o;
SELECT s.document = a.document AS as_one_by_one, s.version
FROM weir.summary('summary.j') s, (SELECT id FROM weir.read('summary.i', max => 2000) OFFSET 1999) f, weir.summary_at('summary.i', f.id) a;

-- A document of 64 KiB and more; documents have no bound of their own short of jsonb's.
SELECT count(weir.append_patch('summary.k', jsonb_build_object('key' || i, repeat(md5(i::text), 32)))) FROM generate_series(1, 200) i;
SELECT version, octet_length(document::text) > 200000 AS large, document ->> 'key200' = repeat(md5('200'), 32) AS last_in FROM weir.summary('summary.k');

DROP TABLE step, patch;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'summary.%';
