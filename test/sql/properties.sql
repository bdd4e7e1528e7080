-- SPDX-License-Identifier: PostgreSQL
-- Claim: what belongs to a stream is described once: create_stream() and alter_stream() have a parameter for each
-- property that the library knows, of its type, and say it in their comments; what is out of its range is refused
-- with that range; a stream has what it was given, shown by stream_info(), until it is dropped, and defaults after
-- that.

-- The declarations and the library agree.
SELECT property, type, "default", range, alterable FROM weir.list_stream_properties();
SELECT p.proname, coalesce(a.name, l.property) AS differs
FROM pg_proc p
CROSS JOIN LATERAL (SELECT n.name, t.type, n.i FROM unnest(p.proargnames) WITH ORDINALITY n(name, i)
                    JOIN unnest(p.proargtypes) WITH ORDINALITY t(type, i) USING (i)
                    WHERE n.name NOT IN ('stream', 'reset')) a
FULL JOIN weir.list_stream_properties() l ON a.name = l.property AND a.type = l.type
WHERE p.pronamespace = 'weir'::regnamespace AND p.proname IN ('create_stream', 'alter_stream')
  AND (a.name IS NULL OR l.property IS NULL);
SELECT p.proname, count(*) = (SELECT count(*) FROM weir.list_stream_properties()) AS has_all,
       bool_and(pg_get_function_arg_default(p.oid, a.i::integer) LIKE 'NULL%') AS left_out_is_null
FROM pg_proc p CROSS JOIN unnest(p.proargnames) WITH ORDINALITY a(name, i)
WHERE p.pronamespace = 'weir'::regnamespace AND p.proname IN ('create_stream', 'alter_stream')
  AND a.name NOT IN ('stream', 'reset')
GROUP BY p.proname ORDER BY p.proname;
SELECT l.property AS not_in_the_comment FROM weir.list_stream_properties() l
WHERE obj_description('weir.create_stream'::regproc, 'pg_proc') !~ ('\m' || l.property || '\M');

-- A stream has what it was given, and loses it with a drop.
SELECT weir.create_stream('properties.a', null_sentinel => '<nil>');
SELECT properties FROM weir.streams WHERE stream = 'properties.a';
SELECT summary_version FROM weir.append_patch('properties.a', '{"x": "<nil>"}');
SELECT document FROM weir.summary('properties.a');
SELECT weir.create_stream('properties.a', null_sentinel => '<nil>');
SELECT weir.drop_stream('properties.a');
SELECT summary_version FROM weir.append_patch('properties.a', '{"x": "<nil>"}');
SELECT document FROM weir.summary('properties.a');
SELECT properties FROM weir.stream_info('properties.a');

-- Within the statement, and undone with its transaction or savepoint.
SELECT weir.create_stream('properties.b', null_sentinel => '~'), id IS NOT NULL AS patched
FROM weir.append_patch('properties.c', '{}');
BEGIN;
SELECT weir.create_stream('properties.d', null_sentinel => '~');
SELECT summary_version FROM weir.append_patch('properties.d', '{"x": "~"}');
SELECT document FROM weir.summary('properties.d');
ROLLBACK;
SELECT summary_version FROM weir.append_patch('properties.d', '{"x": "~"}');
SELECT document FROM weir.summary('properties.d');

-- Altered: what is given changes, what is left out stays, what is reset has its default.
SELECT weir.create_stream('properties.e', max_age => '2 days 12 hours', max_frames => 5);
SELECT weir.alter_stream('properties.e', max_frames => 7, hold_frames => 9);
SELECT properties FROM weir.stream_info('properties.e');
SELECT weir.alter_stream('properties.e', max_age => '7', reset => '{max_frames,hold_age}');
SELECT properties FROM weir.stream_info('properties.e');
SELECT * FROM weir.retention WHERE stream = 'properties.e';
SELECT weir.alter_stream('properties.e', reset => '{max_age,hold_frames}');
SELECT properties FROM weir.stream_info('properties.e');
SELECT count(*) AS kept_nothing FROM weir.stream_property p JOIN weir.registry s ON s.id = p.stream_id
WHERE s.name = 'properties.e';

-- A frame has a limit of the stream's, below that of the server.
SELECT weir.create_stream('properties.f', max_frame_bytes => 100);
SELECT weir.append_bytes('properties.f', convert_to(repeat('x', 90), 'UTF8'), 'ten bytes.') IS NOT NULL AS fits;
SELECT weir.append_bytes('properties.f', convert_to(repeat('x', 91), 'UTF8'), 'ten bytes.');
SELECT weir.append_bytes_batch('properties.f', ARRAY['x', convert_to(repeat('x', 101), 'UTF8')]);
BEGIN;
SELECT weir.emit_bytes('properties.f', convert_to(repeat('x', 101), 'UTF8'));
COMMIT;
SELECT frames FROM weir.stream_info('properties.f');
SELECT weir.alter_stream('properties.f', reset => '{max_frame_bytes}');
SELECT weir.append_text('properties.f', repeat('x', 1000)) IS NOT NULL AS fits;

-- Refused: what is set for good, names that are none, nothing at all, a stream that is not there.
CREATE FUNCTION pg_temp.refusal(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE call;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only
SELECT v.call, pg_temp.refusal('SELECT weir.' || v.call) FROM (VALUES
    ('create_stream(''properties.x'', null_sentinel => '''')'),
    ('create_stream(''properties.x'', null_sentinel => repeat(''x'', 513))'),
    ('create_stream(NULL)'),
    ('create_stream(''properties.x'', max_age => ''0'')'),
    ('create_stream(''properties.x'', max_frames => -1)'),
    ('alter_stream(''properties.e'', max_age => ''200 years'')'),
    ('alter_stream(''properties.e'', max_age => ''1 day'', reset => ''{max_age}'')'),
    ('create_stream(''leases'')'),
    ('alter_stream(''properties.a'', null_sentinel => ''x'')'),
    ('alter_stream(''properties.a'', reset => ''{null_sentinel}'')'),
    ('alter_stream(''properties.a'', reset => ''{nothing}'')'),
    ('alter_stream(''properties.a'', reset => ''{NULL}'')'),
    ('alter_stream(''properties.a'', reset => ''{}'')'),
    ('alter_stream(''properties.a'')'),
    ('alter_stream(''properties.never'', reset => ''{nothing}'')'),
    ('alter_stream(NULL, reset => ''{nothing}'')')) v(call);
\pset format aligned
\pset tuples_only off
SELECT count(*) AS made_by_mistake FROM weir.streams WHERE stream = 'properties.x';

SELECT weir.drop_streams('properties.*');
SELECT count(*) AS left_behind FROM weir.stream_property;
