-- SPDX-License-Identifier: PostgreSQL
-- Claim: lists cost what is asked for: list_streams() goes by page through the names that a pattern matches, in their
-- order, each once; a condition on the name of the views is met before a stream or subscription is looked at.
SELECT count(weir.append(format('list.%s', lpad(i::text, 3, '0')), '1')) FROM generate_series(1, 250) i;
SELECT weir.close('list.002') IS NOT NULL AS closed, weir.drop_stream('list.003'), weir.drop_stream('list.004');
SELECT weir.append('list.004', '"again"') IS NOT NULL AS again, weir.create_stream('list.000'), weir.append('list.Z',
    '1') IS NOT NULL AS upper_case,
       weir.append('list.ä', '1') IS NOT NULL AS umlaut, weir.append_best_effort('list.best_effort', '1') IS NOT NULL AS best_effort;
SELECT * FROM weir.list_streams('list.*', max => 5);
SELECT * FROM weir.list_streams('list.*', after => 'list.248');
SELECT * FROM weir.list_streams('list.*', after => 'list.003', max => 2);
SELECT string_agg(stream, ' ') FROM weir.list_streams('list.?');
SELECT string_agg(stream, ' ') FROM weir.list_streams('*.00*', 'list.001', 3);
SELECT string_agg(stream, ' ') FROM weir.list_streams('list.002');
SELECT count(*) AS before_all FROM weir.list_streams('list.*', after => 'a');
SELECT count(*) AS behind_all FROM weir.list_streams('list.*', after => 'z');
SELECT count(*) AS none FROM weir.list_streams('list.\*');
-- Page by page it is what it is at once.
WITH RECURSIVE page AS (
    SELECT array_agg(stream ORDER BY stream COLLATE "C") AS names FROM weir.list_streams('list.*', max => 17)
    UNION ALL
    SELECT (SELECT array_agg(stream ORDER BY stream COLLATE "C") FROM weir.list_streams('list.*',
        p.names[array_upper(p.names, 1)], 17)) FROM page p WHERE p.names IS NOT NULL)
SELECT count(*) AS names, count(DISTINCT n) AS different, (SELECT count(*) FROM weir.list_streams('list.*'))
    AS at_once, (SELECT count(*) FROM weir.streams WHERE stream LIKE 'list.%') AS in_the_view
FROM page, unnest(names) n;
SELECT * FROM weir.list_streams(NULL);
SELECT * FROM weir.list_streams('a\');
SELECT * FROM weir.list_streams(max => 0);
SELECT * FROM weir.list_streams(max => 10001);
SELECT * FROM weir.list_streams(max => NULL);

-- How many streams the view looks at.
CREATE FUNCTION pg_temp.looked_at(query text, function text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := coalesce((SELECT calls FROM pg_stat_xact_user_functions WHERE funcname = function), 0);
BEGIN
    EXECUTE query;
    RETURN (SELECT calls FROM pg_stat_xact_user_functions WHERE funcname = function) - before;
END
$$;
SET track_functions = 'all';
-- The registry is small here.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
BEGIN;
SELECT pg_temp.looked_at('SELECT * FROM weir.streams WHERE stream = ''list.001''', 'stream_info') AS equal,
       pg_temp.looked_at('SELECT * FROM weir.streams WHERE stream LIKE ''list.01%''', 'stream_info') AS beginning,
       pg_temp.looked_at('SELECT * FROM weir.streams WHERE stream > ''list.240'' AND stream < ''list.248''',
           'stream_info') AS range,
       pg_temp.looked_at('SELECT * FROM weir.streams WHERE stream IN (''list.001'', ''list.nowhere'')', 'stream_info')
           AS one_of,
       pg_temp.looked_at('SELECT * FROM weir.streams WHERE stream > ''list.'' ORDER BY stream LIMIT 5', 'stream_info')
           AS first_five;
COMMIT;
SELECT count(weir.subscribe(format('list.s%s', i), 'list.001')) FROM generate_series(1, 20) i;
BEGIN;
SELECT pg_temp.looked_at('SELECT * FROM weir.subscriptions WHERE name = ''list.s7''', 'list_subscriptions') AS equal;
COMMIT;
-- A condition that tells on what it sees is not asked about the subscriptions of others.
CREATE ROLE regress_weir_curious;
SELECT weir.grant_access('regress_weir_curious', 'read');
SET ROLE regress_weir_curious;
CREATE FUNCTION pg_temp.told(name text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE '%',
    name; RETURN true; END $$;
SELECT count(*) FROM weir.subscriptions WHERE pg_temp.told(name);
RESET ROLE;
SELECT weir.revoke_access('regress_weir_curious');
DROP FUNCTION pg_temp.told(text);
DROP ROLE regress_weir_curious;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET track_functions;
SELECT bool_and(weir.unsubscribe(format('list.s%s', i))) FROM generate_series(1, 20) i;
SELECT count(weir.drop_stream(stream)) FROM weir.list_streams('list.*');

-- Dropped in bulk: what matches, each with all that it has, but nothing that weir writes itself.
SELECT count(weir.append('bulk.' || i, '1')) FROM generate_series(1, 300) i;
SELECT weir.append('bulk.é', '1') IS NOT NULL AS more, weir.close('bulk.closed') IS NOT NULL AS closed,
    weir.create_stream('bulk.empty'), weir.append('Bulk.1', '1') IS NOT NULL AS another;
SELECT weir.drop_streams('bulk.1?'), weir.drop_streams('bulk.none*') AS none, weir.drop_streams('bulk.\*') AS literal;
SELECT weir.append('bulk.10', '"new"') IS NOT NULL AS again;
BEGIN;
SELECT weir.drop_streams('bulk.*');
SELECT count(*) FROM weir.list_streams('bulk.*');
ROLLBACK;
SELECT count(*) FROM weir.list_streams('bulk.*');
SELECT weir.drop_streams('bulk.*');
SELECT stream FROM weir.list_streams('?ulk.*');
SELECT epoch FROM weir.lease_acquire('bulk.lease', 'ann', headers => '{"namespace": "bulk"}');
SELECT weir.drop_streams('*s/bulk') AS of_a_history, weir.drop_stream('leases/bulk') AS by_name, weir.drop_streams('Bulk.1');
SELECT weir.drop_streams(NULL);
SELECT weir.drop_streams('a\');
