-- SPDX-License-Identifier: PostgreSQL
-- Claim: a name is one thing, whatever its kind. What is not a stream is refused by every call on streams, read or
-- write, remembered by the backend or not; and it is not listed among streams.
SET client_min_messages = warning;
SELECT weir.append('kind.stream', '1') IS NOT NULL AS appended, weir.append('kind.other', '1') IS NOT NULL AS appended_too;
UPDATE weir.registry SET kind = '?' WHERE name = 'kind.other';
\c -
SET client_min_messages = warning;
\set VERBOSITY verbose
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.refused(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text;
BEGIN
    EXECUTE call;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN format('%s %s: %s', SQLSTATE, message, detail);
END $$;
SELECT call, pg_temp.refused(call) FROM (VALUES
    ('SELECT weir.append(''kind.other'', ''1'')'),
    ('SELECT weir.append(''kind.other'', ''1'', idempotency_key => ''k'')'),
    ('SELECT * FROM weir.read(''kind.other'')'),
    ('SELECT * FROM weir.stream_info(''kind.other'')'),
    ('SELECT weir.create_stream(''kind.other'')'),
    ('SELECT weir.close(''kind.other'')'),
    ('SELECT weir.drop_stream(''kind.other'')')) c (call);
-- The second time from memory.
SELECT pg_temp.refused('SELECT * FROM weir.read(''kind.other'')');
-- Not among the streams.
SELECT * FROM weir.list_streams('kind.*');
SELECT weir.drop_streams('kind.*');
SELECT name, kind, dropped_at IS NOT NULL AS dropped FROM weir.registry WHERE name LIKE 'kind.%' ORDER BY name;
DELETE FROM weir.registry WHERE name = 'kind.other';
