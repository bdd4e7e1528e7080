-- SPDX-License-Identifier: PostgreSQL
-- Claim: bad input gets a clear error with its SQLSTATE, whichever argument it
-- is in; the transaction is then as Postgres leaves it and nothing was half
-- applied; each weir.* setting bounds exactly what it says, and only a superuser
-- moves it.
SELECT weir.append('limits.a', '"first"') AS first \gset

\getenv tests PG_ABS_SRCDIR
\set refusal :tests '/sql/shared/refusal.sql'
\i :refusal

-- The stream name, in every function that takes one.
CREATE TEMP TABLE named (n serial, call text);
INSERT INTO named (call) VALUES
    ('append(%s, ''1'')'), ('append_text(%s, ''1'')'), ('append_bytes(%s, ''1'')'), ('append_batch(%s, ARRAY[''1'']::jsonb[])'),
    ('append_text_batch(%s, ARRAY[''1'']::text[])'), ('append_bytes_batch(%s, ARRAY[''1'']::bytea[])'), ('append_patch(%s, ''{}'')'), ('append_best_effort(%s, ''1'')'),
    ('append_best_effort_text(%s, ''1'')'), ('append_best_effort_bytes(%s, ''1'')'), ('append_best_effort_batch(%s, ARRAY[''1'']::jsonb[])'),
    ('append_best_effort_text_batch(%s, ARRAY[''1'']::text[])'), ('append_best_effort_bytes_batch(%s, ARRAY[''1'']::bytea[])'), ('create_stream(%s)'), ('close(%s)'),
    ('trim(%s, keep => 1)'), ('drop_stream(%s)'), ('read(%s)'), ('read_many(ARRAY[%s])'), ('head(%s)'), ('summary(%s)'),
    ('summary_at(%s, ''1-0'')'), ('stream_info(%s)');
SELECT split_part(call, '(', 1) AS function, string_agg(pg_temp.refusal(format(call, v.name)), ' ' ORDER BY o) AS null_empty_blank_tabs_long_longer
FROM named, (VALUES (1, 'NULL::text'), (2, ''''''), (3, '''   '''), (4, 'E''\t\n\r '''), (5, 'repeat(''x'', 513)'), (6, 'repeat(''x'', 1000000)')) v(o, name)
GROUP BY n, call ORDER BY n;
DROP TABLE named;
SELECT weir.append(NULL, '1');
SELECT weir.append('  ', '1');
SELECT weir.append(repeat('x', 513), '1');
SELECT pg_temp.refusal('append(repeat(U&''\4E2D'', 171), ''1'')') AS "513 bytes in 171 characters";

-- Payloads: SQL NULL is none.
SELECT call, pg_temp.refusal(call) AS sqlstate
FROM (VALUES ('append(''limits.a'', NULL)'), ('append_text(''limits.a'', NULL)'), ('append_bytes(''limits.a'', NULL)'), ('append_patch(''limits.a'', NULL)'),
             ('append_best_effort(''limits.a'', NULL)'), ('append_best_effort_text(''limits.a'', NULL)'), ('append_best_effort_bytes(''limits.a'', NULL)'), ('append(''limits.new'', NULL)')) v(call);
-- Batches: an array of one dimension with elements.
SELECT form, kind, string_agg(pg_temp.refusal(format('%s(''limits.a'', %s::%s)', form, arr, kind)), ' ' ORDER BY o) AS "null, empty, null element, only null, two dimensions"
FROM (VALUES ('append_batch', 'jsonb[]'), ('append_text_batch', 'text[]'), ('append_bytes_batch', 'bytea[]'),
             ('append_best_effort_batch', 'jsonb[]'), ('append_best_effort_text_batch', 'text[]'), ('append_best_effort_bytes_batch', 'bytea[]')) f(form, kind),
     (VALUES (1, 'NULL'), (2, '''{}'''), (3, '''{1,NULL,2}'''), (4, '''{NULL}'''), (5, '''{{1,2},{3,4}}''')) a(o, arr)
GROUP BY form, kind ORDER BY form, kind;
SELECT weir.append_batch('limits.a', '{1,NULL}'::jsonb[]);
SELECT weir.append_text_batch('limits.a', '{}'::text[]);
SELECT weir.append_batch('limits.a', '{{1},{2}}'::jsonb[]);

-- type, headers and key, in a form of each family.
SELECT form, string_agg(pg_temp.refusal(format('%s(''limits.a'', %s, %s)', form, payload, rest)), ' ' ORDER BY o) AS "type empty, long; headers array, string, null; key empty, long"
FROM (VALUES ('append', '''1'''), ('append_text', '''1'''), ('append_bytes', '''1'''), ('append_batch', '''{1}''::jsonb[]'), ('append_patch', '''{}'''),
             ('append_best_effort', '''1'''), ('append_best_effort_text', '''1'''), ('append_best_effort_bytes', '''1'''), ('append_best_effort_text_batch', '''{1}''::text[]')) f(form, payload),
     (VALUES (1, 'type => '''''), (2, 'type => repeat(''t'', 513)'), (3, 'headers => ''[]'''), (4, 'headers => ''"s"'''), (5, 'headers => ''null'''),
             (6, 'idempotency_key => '''''), (7, 'idempotency_key => repeat(''k'', 513)')) r(o, rest)
GROUP BY form ORDER BY form;
SELECT weir.append('limits.a', '1', type => '');
SELECT weir.append('limits.a', '1', headers => '[1]');
SELECT weir.append('limits.a', '1', idempotency_key => '');

-- The ttl of a best-effort append, and what else belongs to the stream.
SELECT form, bad, pg_temp.refusal(format('%s(''limits.a'', %s, %s)', form, payload, bad)) AS sqlstate
FROM (VALUES ('append_best_effort', '''1'''), ('append_best_effort_text', '''1'''), ('append_best_effort_bytes', '''1'''), ('append_best_effort_batch', '''{1}''::jsonb[]')) f(form, payload),
     (VALUES ('ttl => ''0'''), ('ttl => ''-1 s'''), ('ttl => ''1 day 1 ms'''), ('ttl => ''999 us'''), ('ttl => ''1000 years'''), ('ttl => NULL'), ('maxlen_floor => 1')) b(bad)
WHERE form = 'append_best_effort' OR bad = 'ttl => ''0'''
ORDER BY form, bad COLLATE "C";
SELECT bad, pg_temp.refusal(format('alter_stream(''limits.a'', %s)', bad)) AS sqlstate
FROM (VALUES ('frame_ttl => ''0'''), ('frame_ttl => ''25 hours'''), ('maxlen_floor => 0'), ('maxlen_floor => -5'),
             ('maxlen_floor => 65, maxlen_ceiling => 64'), ('maxlen_ceiling => 63'), ('maxlen_ceiling => 0'), ('maxlen_ceiling => 10000001'),
             ('rate_alpha => 0'), ('rate_alpha => -0.1'), ('rate_alpha => 1.0001'), ('rate_alpha => ''NaN'''), ('rate_alpha => ''Infinity'''), ('rate_alpha => ''-Infinity'''),
             ('rate_alpha => -0.0')) b(bad)
ORDER BY bad COLLATE "C";
SELECT weir.append_best_effort('limits.a', '1', ttl => '0');
SELECT weir.alter_stream('limits.a', maxlen_floor => 10, maxlen_ceiling => 9);
SELECT weir.alter_stream('limits.a', rate_alpha => 'NaN');
SELECT weir.create_stream('limits.b', frame_ttl => '1 day', maxlen_floor => 10000000, maxlen_ceiling => 10000000, rate_alpha => 1);
SELECT weir.append_best_effort('limits.b', '1', ttl => '1 day') IS NOT NULL AS greatest;
SELECT weir.alter_stream('limits.b', frame_ttl => '1 ms', maxlen_floor => 1, maxlen_ceiling => 1, rate_alpha => 1e-300);
SELECT weir.append_best_effort('limits.b', '1', ttl => '1 ms') IS NOT NULL AS least;

-- read: what it takes and what not.
SELECT bad, pg_temp.refusal(format('read(''limits.a'', %s)', bad)) AS sqlstate
FROM (VALUES ('max => 0'), ('max => -1'), ('max => 10001'), ('max => 2147483647'), ('max => NULL'), ('max => 1'), ('max => 10000'),
             ('visibility => NULL'), ('visibility => '''''), ('visibility => ''ALL'''), ('visibility => ''durable'''), ('visibility => repeat(''x'', 100000)'),
             ('headers => ''[]'''), ('headers => ''1'''), ('headers => ''null'''),
             ('reverse => NULL'), ('after => ''+'''), ('after => ''-'''), ('upto => ''+'''), ('upto => ''-'''), ('after => NULL, upto => NULL, types => NULL, headers => NULL, since => NULL')) b(bad);
SELECT count(*) FROM weir.read('limits.a', max => 0);
SELECT count(*) FROM weir.read('limits.a', max => 10001);
SELECT count(*) FROM weir.read('limits.a', visibility => 'durable');
-- The wording of an error that shows positions, with N in place of each.
CREATE FUNCTION pg_temp.wording(query text) RETURNS TABLE (message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    message := regexp_replace(message, '\d+-\d+', 'N', 'g');
    detail := regexp_replace(detail, '\d+-\d+', 'N', 'g');
    hint := regexp_replace(hint, '\d+-\d+', 'N', 'g');
    RETURN NEXT;
END
$$;
\x on
SELECT * FROM pg_temp.wording($$ SELECT * FROM weir.read('limits.a', after => '+') $$);
SELECT * FROM pg_temp.wording($$ SELECT * FROM weir.summary_at('limits.a', '+') $$);
SELECT id AS first_patch FROM weir.append_patch('limits.g', '{"a": 1}') \gset
SELECT id AS second_patch FROM weir.append_patch('limits.g', '{"b": 1}') \gset
SELECT weir.trim('limits.g', keep => 0);
SELECT * FROM pg_temp.wording(format('SELECT * FROM weir.summary_at(''limits.g'', %L)', :'first_patch'));
\x off

-- create_stream.
SELECT call, pg_temp.refusal(call) AS sqlstate
FROM (VALUES ('create_stream(''limits.a'')'), ('create_stream(''limits.new'', '''')')) v(call);
SELECT pg_temp.refusal('create_stream(''limits.new'', repeat(''x'', 100000))') <> 'accepted' AS long_sentinel_refused;
SELECT weir.create_stream('limits.a');

-- An unknown argument name or mode is no function at all.
SELECT pg_temp.refusal('append(''limits.a'', ''1'', mode => ''durable'')') AS mode, pg_temp.refusal('append(''limits.a'')') AS no_payload,
       pg_temp.refusal('append(''limits.a'', ''{"a":}'')') AS not_json, pg_temp.refusal('append(''limits.a'', ''"\u0000"'')') AS nul_in_json,
       pg_temp.refusal('append_patch(''limits.a'', (repeat(''{"a":'', 10000) || ''1'' || repeat(''}'', 10000))::jsonb)') AS deep_patch;
-- Ten thousand deep: kept, or refused where the server's stack is too small for it; never a crash.
SELECT pg_temp.refusal('append(''limits.h'', (repeat(''{"a":'', 10000) || ''1'' || repeat(''}'', 10000))::jsonb)') IN ('accepted', '54001') AS deep_payload,
       pg_temp.refusal('append(''limits.h'', ''1'', headers => (repeat(''{"a":'', 10000) || ''1'' || repeat(''}'', 10000))::jsonb)') IN ('accepted', '54001') AS deep_headers,
       pg_temp.refusal('read(''limits.h'', headers => (repeat(''{"a":'', 10000) || ''1'' || repeat(''}'', 10000))::jsonb)') IN ('accepted', '54001') AS deep_filter,
       pg_temp.refusal('read(''limits.h'', headers => ''{"a": {"a": {}}}'')') AS shallow_filter;
SELECT payload #>> '{}' IS NOT NULL AS readable, pg_column_size(payload) > 0 AS has_size FROM weir.read('limits.a', upto => :'first');

-- weir.max_frame_bytes: 1 MiB of payload passes, a byte more does not.
SHOW weir.max_frame_bytes;
SELECT weir.append_bytes('limits.c', repeat('x', 1048576)::bytea) IS NOT NULL AS exactly;
SELECT pg_temp.refusal('append_bytes(''limits.c'', repeat(''x'', 1048577)::bytea)') AS one_more,
       pg_temp.refusal('append_text(''limits.c'', repeat(''x'', 1048577))') AS text,
       pg_temp.refusal('append(''limits.c'', to_jsonb(repeat(''x'', 1048577)))') AS json,
       pg_temp.refusal('append_patch(''limits.c'', jsonb_build_object(''x'', repeat(''x'', 1048577)))') AS patch,
       pg_temp.refusal('append_best_effort_bytes(''limits.c'', repeat(''x'', 1048577)::bytea)') AS best_effort,
       pg_temp.refusal('append_bytes_batch(''limits.c'', ARRAY[''a'', repeat(''x'', 1048577)]::bytea[])') AS in_a_batch,
       pg_temp.refusal('append(''limits.c'', ''1'', headers => jsonb_build_object(''x'', repeat(''x'', 1048577)))') AS headers,
       pg_temp.refusal('append_bytes(''limits.c'', repeat(''x'', 50000000)::bytea)') AS huge_bytes,
       pg_temp.refusal('append_text(''limits.c'', repeat(''x'', 50000000))') AS huge_text;
SELECT weir.append_bytes('limits.c', repeat('x', 1048577)::bytea);
SELECT count(*), max(octet_length(bytes)) FROM weir.read('limits.c');
-- A whole batch may be larger than a frame: weir.max_batch_bytes, 16 MiB.
SHOW weir.max_batch_bytes;
SELECT frames FROM weir.append_bytes_batch('limits.c', array_fill(repeat('x', 500000)::bytea, ARRAY[10]));
SELECT pg_temp.refusal('append_bytes_batch(''limits.i'', array_fill(repeat(''x'', 1048576)::bytea, ARRAY[16]))') AS sixteen,
       pg_temp.refusal('append_bytes_batch(''limits.i'', array_fill(repeat(''x'', 1048576)::bytea, ARRAY[16]) || ''x''::bytea)') AS one_byte_more,
       pg_temp.refusal('append_best_effort_bytes_batch(''limits.i'', array_fill(repeat(''x'', 1048576)::bytea, ARRAY[17]))') AS best_effort;
SET weir.max_batch_bytes = '1kB';
SELECT pg_temp.refusal('append_bytes_batch(''limits.i'', array_fill(repeat(''x'', 512)::bytea, ARRAY[2]))') AS at_the_limit,
       pg_temp.refusal('append_bytes_batch(''limits.i'', array_fill(repeat(''x'', 513)::bytea, ARRAY[2]))') AS above;
SELECT weir.append_bytes_batch('limits.i', array_fill(repeat('x', 513)::bytea, ARRAY[2]));
RESET weir.max_batch_bytes;
SET weir.max_frame_bytes = '1kB';
SELECT pg_temp.refusal('append_bytes(''limits.c'', repeat(''x'', 1024)::bytea)') AS at_the_limit, pg_temp.refusal('append_bytes(''limits.c'', repeat(''x'', 1025)::bytea)') AS above;
SET weir.max_frame_bytes = '2MB';
SELECT pg_temp.refusal('append_bytes(''limits.c'', repeat(''x'', 2097152)::bytea)') AS at_the_limit, pg_temp.refusal('append_bytes(''limits.c'', repeat(''x'', 2097153)::bytea)') AS above;
RESET weir.max_frame_bytes;

-- weir.max_batch_frames.
SHOW weir.max_batch_frames;
SELECT pg_temp.refusal('append_batch(''limits.d'', array_fill(''1''::jsonb, ARRAY[10001]))') AS one_more, pg_temp.refusal('append_best_effort_text_batch(''limits.d'', array_fill(''1''::text, ARRAY[10001]))') AS best_effort;
SELECT weir.append_batch('limits.d', array_fill('1'::jsonb, ARRAY[10001]));
SET weir.max_batch_frames = 3;
SELECT pg_temp.refusal('append_batch(''limits.d'', ''{1,2,3}''::jsonb[])') AS three, pg_temp.refusal('append_batch(''limits.d'', ''{1,2,3,4}''::jsonb[])') AS four;
RESET weir.max_batch_frames;
-- weir.max_name_bytes.
SHOW weir.max_name_bytes;
SET weir.max_name_bytes = 16;
SELECT pg_temp.refusal('append(rpad(''limits.'', 16, ''x''), ''1'')') AS sixteen, pg_temp.refusal('append(rpad(''limits.'', 17, ''x''), ''1'')') AS seventeen;
RESET weir.max_name_bytes;
-- weir.max_patch_depth.
SHOW weir.max_patch_depth;
SET weir.max_patch_depth = 2;
SELECT pg_temp.refusal('append_patch(''limits.e'', ''{"a": {"b": 1}}'')') AS two, pg_temp.refusal('append_patch(''limits.e'', ''{"a": {"b": {"c": 1}}}'')') AS three;
RESET weir.max_patch_depth;
SELECT pg_temp.refusal('append_patch(''limits.e'', ''{"a": {"b": {"c": 1}}}'')') AS three_by_default;
-- The settings refuse nonsense, and are the superuser's.
SELECT name, context, vartype, unit FROM pg_settings WHERE name LIKE 'weir.%' ORDER BY name COLLATE "C";
CREATE FUNCTION pg_temp.set_state(assignment text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SET LOCAL weir.' || assignment;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
SELECT assignment, pg_temp.set_state(assignment) AS sqlstate
FROM (VALUES ('max_batch_bytes = 0'), ('max_frame_bytes = 0'), ('max_frame_bytes = -1'), ('max_frame_bytes = ''x'''), ('max_batch_frames = 0'), ('max_batch_frames = -1'), ('max_name_bytes = 0'),
             ('max_patch_depth = 0'), ('max_patch_depth = 100000'), ('idempotency_window = -1')) v(assignment);
CREATE ROLE regress_weir_limits;
GRANT EXECUTE ON FUNCTION pg_temp.set_state(text) TO regress_weir_limits;
SET ROLE regress_weir_limits;
SELECT assignment, pg_temp.set_state(assignment) AS sqlstate
FROM (VALUES ('max_batch_bytes = 10'), ('max_frame_bytes = 10'), ('max_batch_frames = 10'), ('max_name_bytes = 10'), ('max_patch_depth = 10'), ('idempotency_window = 10')) v(assignment);
RESET ROLE;
DROP FUNCTION pg_temp.set_state(text);
DROP ROLE regress_weir_limits;

-- Each error leaves an aborted transaction, a savepoint saves the rest, and the session goes on.
BEGIN;
SELECT weir.append('limits.f', '1') IS NOT NULL AS done;
SAVEPOINT s;
SELECT weir.append('limits.f', NULL);
SELECT weir.append('limits.f', '2');
ROLLBACK TO s;
SELECT frames FROM weir.append_batch('limits.f', '{3,4}'::jsonb[]);
COMMIT;
SELECT payload FROM weir.read('limits.f');
BEGIN;
SELECT weir.append('limits.f', '5') IS NOT NULL AS done;
SELECT weir.append('limits.f', '6', headers => '3');
COMMIT;
SELECT payload FROM weir.read('limits.f');

-- What was there is there; of what was refused there is nothing.
SELECT payload FROM weir.read('limits.a', upto => :'first');
SELECT count(*) AS made_by_mistake FROM weir.streams WHERE stream = 'limits.new' OR btrim(stream) = '' OR octet_length(stream) > 512;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'limits.%';
