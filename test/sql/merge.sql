-- SPDX-License-Identifier: PostgreSQL
-- Claim: merge_patch is RFC 7396 on jsonb, exactly: the Appendix A vectors, every
-- random pair compared with a naive implementation, numbers and strings kept to
-- the digit. merge_diff and merge_patches return a patch that does what it says
-- or an error, never a patch that lies. Deep input is an error, never a crash.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.nest(depth integer, leaf text DEFAULT '1') RETURNS jsonb LANGUAGE sql AS
$$ SELECT (repeat('{"a":', depth) || leaf || repeat('}', depth))::jsonb $$;

-- RFC 7396 Appendix A.
SELECT n, weir.merge_patch(target::jsonb, patch::jsonb) AS result,
       weir.merge_patch(target::jsonb, patch::jsonb) = result::jsonb AS as_in_the_rfc
FROM (VALUES
    (1, '{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    (2, '{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    (3, '{"a":"b"}', '{"a":null}', '{}'),
    (4, '{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    (5, '{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    (6, '{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    (7, '{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    (8, '{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    (9, '["a","b"]', '["c","d"]', '["c","d"]'),
    (10, '{"a":"b"}', '["c"]', '["c"]'),
    (11, '{"a":"foo"}', 'null', 'null'),
    (12, '{"a":"foo"}', '"bar"', '"bar"'),
    (13, '{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    (14, '[1,2]', '{"a":"b","c":null}', '{"a":"b"}'),
    (15, '{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}')
) v(n, target, patch, result) ORDER BY n;
-- The example of section 3 of the RFC.
SELECT weir.merge_patch(
    '{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}',
    '{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}');

-- Corners that the appendix leaves out.
SELECT n, weir.merge_patch(target::jsonb, patch::jsonb) AS result
FROM (VALUES
    (1, '{"a":1}', '{}'),                        -- the empty patch
    (2, '1', '{}'), (3, 'null', '{"a":null}'),   -- a target that is no object counts as {}
    (4, '{"a":1}', '{"a":{}}'),                  -- {} over a scalar
    (5, '{"a":{"b":1}}', '{"a":{}}'),            -- {} over an object keeps it
    (6, '{"a":1}', '{"b":[null,{"c":null}]}'),   -- nulls inside an array are values
    (7, '{"a":{"b":null}}', '{"a":{"c":1}}'),    -- a null of the target stays
    (8, '{"":1,"a":2}', '{"":null}'),            -- the empty key
    (9, '{"a":1}', '{"x":null,"y":{"z":null}}'), -- removing what is not there
    (10, '[]', '[]'), (11, '{}', 'true'), (12, '{"a":1}', '{"a":1}')
) v(n, target, patch) ORDER BY n;
SELECT weir.merge_patch(NULL, '{}') IS NULL AS null_target, weir.merge_patch('{}', NULL) IS NULL AS null_patch,
       weir.merge_patch(NULL, '{}', 's') IS NULL AS null_target_3, weir.merge_patch('{}', NULL, 's') IS NULL AS null_patch_3,
       weir.merge_diff(NULL, '{}') IS NULL AS null_from, weir.merge_diff('{}', NULL) IS NULL AS null_to,
       weir.merge_diff(NULL, '{}', 's') IS NULL AS null_from_3, weir.merge_diff('{}', NULL, 's') IS NULL AS null_to_3,
       weir.merge_patches(NULL, '{}') IS NULL AS null_a, weir.merge_patches('{}', NULL) IS NULL AS null_b;

-- Numbers to the digit, strings to the byte, the target untouched by reference.
SELECT weir.merge_patch('{"keep":12345678901234567890.10,"go":1}',
                        '{"a":1.10,"b":1e400,"c":-0.0,"d":0.1,"e":123456789012345678901234567890,"f":1e-400,"go":null}')
       = '{"keep":12345678901234567890.10,"a":1.10,"b":1e400,"c":-0.0,"d":0.1,"e":123456789012345678901234567890,"f":1e-400}' AS equal;
SELECT d ->> 'keep' AS keep, d ->> 'a' AS a, d ->> 'c' AS c, length(d ->> 'b') AS b_digits, d ->> 'e' AS e
FROM weir.merge_patch('{"keep":12345678901234567890.10}', '{"a":1.10,"b":1e400,"c":-0.0,"e":123456789012345678901234567890}') d;
SELECT weir.merge_patch('{"\u00e9":1,"e":2}', '{"\ud83d\ude00":"\u4e2d\u6587","\u00e9":null}')
       = '{"e":2,"\ud83d\ude00":"\u4e2d\u6587"}' AS unicode_keys,
       weir.merge_patch('{"\ud83d\ude00":{"a":1}}', '{"\ud83d\ude00":{"b":"\u0001\"\\"}}')
       = '{"\ud83d\ude00":{"a":1,"b":"\u0001\"\\"}}' AS unicode_path;

-- Against the obvious implementation, over random documents.
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
CREATE FUNCTION pg_temp.random_document(depth integer, nulls boolean DEFAULT true) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    pick float8 := random();
    result jsonb;
BEGIN
    IF depth > 0 AND pick < 0.6 THEN
        result := '{}';
        FOR i IN 1 .. (random() * 5)::integer LOOP
            result := result || jsonb_build_object(
                (ARRAY['a', 'b', 'cc', 'dd', 'eee', ''])[1 + (random() * 5)::integer], pg_temp.random_document(depth - 1, nulls));
        END LOOP;
        RETURN result;
    ELSIF depth > 0 AND pick < 0.7 THEN
        RETURN jsonb_build_array(pg_temp.random_document(depth - 1, true), pg_temp.random_document(depth - 1, true));
    ELSIF pick < 0.8 AND nulls THEN
        RETURN 'null';
    ELSIF pick < 0.9 THEN
        RETURN to_jsonb((random() * 5)::integer);
    END IF;
    RETURN to_jsonb('s' || (random() * 3)::integer);
END
$$;
CREATE TEMP TABLE triple AS
    SELECT pg_temp.random_document(4) AS t, pg_temp.random_document(4) AS a, pg_temp.random_document(4) AS b
    FROM generate_series(1, 3000);
SELECT count(*) > 1000 AS enough_objects,
       count(*) FILTER (WHERE weir.merge_patch(t, a) IS DISTINCT FROM pg_temp.naive_merge(t, a)) AS wrong
FROM triple WHERE jsonb_typeof(a) = 'object';
SELECT count(*) FILTER (WHERE weir.merge_patch(t, a)::text IS DISTINCT FROM pg_temp.naive_merge(t, a)::text) AS wrong_text FROM triple;
-- Applying a patch twice is applying it once.
SELECT count(*) FILTER (WHERE weir.merge_patch(weir.merge_patch(t, a), a) <> weir.merge_patch(t, a)) AS not_idempotent FROM triple;

-- Objects far beyond 32 keys, keys of many lengths.
SELECT weir.merge_patch(t, p) = pg_temp.naive_merge(t, p) AS big_equal,
       (SELECT count(*) FROM jsonb_object_keys(weir.merge_patch(t, p))) AS keys
FROM (SELECT jsonb_object_agg('k' || repeat('x', i % 7) || i, i) AS t FROM generate_series(1, 2000) i) t,
     (SELECT jsonb_object_agg('k' || repeat('x', i % 7) || i, CASE i % 3 WHEN 0 THEN NULL ELSE i * 2 END) AS p
      FROM generate_series(1000, 3000) i) p;
SELECT bool_and(weir.merge_patch(t, p) = pg_temp.naive_merge(t, p)) AS equal_at_31_to_35_keys
FROM (SELECT n, jsonb_object_agg('k' || i, i) AS t FROM generate_series(31, 35) n, generate_series(1, n) i GROUP BY n) t,
     (SELECT m, jsonb_object_agg('k' || i * 2, CASE WHEN i % 2 = 0 THEN i END) AS p
      FROM generate_series(31, 35) m, generate_series(1, m) i GROUP BY m) p;
-- Values beyond the inline size, read back from TOAST.
CREATE TEMP TABLE big (d jsonb);
INSERT INTO big SELECT jsonb_object_agg('key' || i, md5(i::text)) FROM generate_series(1, 5000) i;
SELECT weir.merge_patch(d, '{"key1":null,"extra":true}') = d - 'key1' || '{"extra":true}' AS toasted FROM big;

-- The sentinel: a string equal to it, at any depth and in arrays, sets null.
SELECT n, weir.merge_patch(target::jsonb, patch::jsonb, 'S') AS result
FROM (VALUES
    (1, '{"x":1}', '{"x":"S"}'), (2, '{}', '{"a":{"b":"S"}}'), (3, '{}', '{"a":["S",1,["S"],{"b":"S"}]}'),
    (4, '{"x":1}', '"S"'), (5, '{}', '["S"]'), (6, '{"x":1}', '{"S":1}'), (7, '{"x":"S"}', '{"y":1}'),
    (8, '{"x":1}', '{"x":"SS","y":"s","z":" S"}'), (9, '{"x":1,"y":2}', '{"x":null,"y":"S"}'), (10, '{"a":1}', '{"a":{"b":"S"}}')
) v(n, target, patch) ORDER BY n;
SELECT weir.merge_patch('{}', '{"a":"S"}', NULL) AS no_sentinel, weir.merge_patch('{}', '{"a":"S"}') AS two_arguments;

-- merge_diff: the shortest patch that does it.
SELECT n, weir.merge_diff(a::jsonb, b::jsonb) AS patch
FROM (VALUES
    (1, '{"a":1}', '{"a":1}'), (2, '{"a":1}', '{"a":2}'), (3, '{"a":1}', '{}'), (4, '{}', '{"a":{"b":1}}'),
    (5, '{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":3}}'), (6, '{"a":{"b":1}}', '{"a":{}}'), (7, '{"a":1}', '{"a":{}}'),
    (8, '{"a":[1,2]}', '{"a":[1,null]}'), (9, '[1]', '{"a":1}'), (10, '{"a":1}', '[1]'), (11, '{"a":1}', 'null'), (12, '1', '{}'),
    (13, '{"a":null,"b":1}', '{"a":null,"b":2}'), (14, '{"a":null}', '{}')
) v(n, a, b) ORDER BY n;
-- It exists unless "to" has a null member that "from" has not.
CREATE FUNCTION pg_temp.diff_exists(a jsonb, b jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    k text;
    v jsonb;
BEGIN
    IF jsonb_typeof(b) <> 'object' OR a = b THEN
        RETURN true;
    END IF;
    IF jsonb_typeof(a) <> 'object' THEN
        a := '{}';
    END IF;
    FOR k, v IN SELECT * FROM jsonb_each(b) LOOP
        IF v = 'null' AND (a -> k IS DISTINCT FROM 'null') THEN
            RETURN false;
        END IF;
        IF NOT pg_temp.diff_exists(coalesce(a -> k, '{}'), v) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END
$$;
CREATE FUNCTION pg_temp.try_diff(a jsonb, b jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN weir.merge_patch(a, weir.merge_diff(a, b)) = b THEN 'right' ELSE 'lie' END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'refused';
END
$$;
SELECT DISTINCT pg_temp.diff_exists(t, a) AS exists, pg_temp.try_diff(t, a) AS got FROM triple ORDER BY 1, 2;
-- Documents close to each other, where diffs are small.
SELECT DISTINCT pg_temp.diff_exists(t, b) AS exists, pg_temp.try_diff(t, b) AS got
FROM (SELECT t, weir.merge_patch(t, a, 's1') AS b FROM triple) near ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE weir.merge_patch(t, weir.merge_diff(t, a, 'S'), 'S') <> a) AS wrong_with_sentinel FROM triple;
SELECT weir.merge_diff('{"a":1}', '{"a":null,"b":{"c":null}}', 'S') AS nulls_by_sentinel;
SELECT weir.merge_diff('{"a":1}', '{"a":null}');
SELECT weir.merge_diff('{"a":1}', '{"a":"S"}', 'S');
\set VERBOSITY sqlstate
SELECT weir.merge_diff('{"a":1}', '{"a":["x",{"b":"S"}]}', 'S');
\set VERBOSITY default

-- merge_patches: a and then b, whatever they are applied to.
SELECT n, weir.merge_patches(a::jsonb, b::jsonb) AS patch
FROM (VALUES
    (1, '{"a":1}', '{"b":2}'), (2, '{"a":1}', '{"a":null}'), (3, '{"a":null}', '{"a":1}'), (4, '{"a":{"b":1}}', '{"a":{"c":null}}'),
    (5, '{"a":{"b":1}}', '{"a":2}'), (6, '{"a":1}', '[1]'), (7, '[1]', '2'), (8, '{}', '{"a":{"b":null}}'), (9, '{"a":null}', '{}')
) v(n, a, b) ORDER BY n;
SELECT n, pg_temp.state_of(format('SELECT weir.merge_patches(%L, %L)', a, b)) AS sqlstate
FROM (VALUES
    (1, '{"a":1}', '{"a":{"b":1}}'), (2, '{"a":null}', '{"a":{"b":1}}'), (3, '{"a":[]}', '{"a":{}}'), (4, '[1]', '{}'),
    (5, 'null', '{"a":1}'), (6, '{"x":{"a":"s"}}', '{"x":{"a":{}}}')
) v(n, a, b) ORDER BY n;
SELECT weir.merge_patches('{"a":1}', '{"a":{"b":1}}');
CREATE FUNCTION pg_temp.try_patches(t jsonb, a jsonb, b jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN weir.merge_patch(t, weir.merge_patches(a, b)) = weir.merge_patch(weir.merge_patch(t, a), b) THEN 'right' ELSE 'lie' END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'refused';
END
$$;
CREATE FUNCTION pg_temp.patches_compose(a jsonb, b jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN jsonb_typeof(b) <> 'object'
        OR jsonb_typeof(a) = 'object' AND NOT EXISTS (
            SELECT FROM jsonb_each(b) e WHERE a ? e.key AND NOT pg_temp.patches_compose(a -> e.key, e.value));
END
$$;
SELECT DISTINCT pg_temp.patches_compose(a, b) AS composes, pg_temp.try_patches(t, a, b) AS got FROM triple ORDER BY 1, 2;

-- Depth: a deep patch is refused at a fixed bound, a deep target is only copied.
SELECT depth, pg_temp.state_of(format('SELECT weir.merge_patch(''{}'', pg_temp.nest(%s))', depth)) AS patch,
       pg_temp.state_of(format('SELECT weir.merge_patch(pg_temp.nest(%1$s, ''{"b":1}''), pg_temp.nest(%1$s, ''{"b":2}''))', depth - 1)) AS both
FROM (VALUES (64), (512), (513), (1000), (5000)) v(depth);
SELECT weir.merge_patch(pg_temp.nest(5000), '{"b":2}') -> 'b' AS over_deep_target,
       weir.merge_patch(pg_temp.nest(5000), '{"b":2}') -> 'a' = pg_temp.nest(4999) AS target_kept;
SELECT pg_temp.state_of('SELECT weir.merge_diff(pg_temp.nest(5000), pg_temp.nest(5000, ''2''))') AS diff,
       pg_temp.state_of('SELECT weir.merge_patches(pg_temp.nest(5000), pg_temp.nest(5000, ''2''))') AS patches,
       pg_temp.state_of('SELECT weir.merge_patch(''{}'', (''{"a":'' || repeat(''['', 5000) || ''"S"'' || repeat('']'', 5000) || ''}'')::jsonb, ''S'')') AS arrays;
-- A stack that small must give an error as well, and leave the session alive.
SET max_stack_depth = '100kB';
SELECT pg_temp.state_of('SELECT weir.merge_patch(''{}'', pg_temp.nest(400))') IN ('accepted', '54001') AS small_stack;
RESET max_stack_depth;
DROP TABLE triple, big;
