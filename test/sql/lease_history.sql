-- SPDX-License-Identifier: PostgreSQL
-- Claim: whatever happens to a lease is one event in the stream of its namespace, in
-- the transaction that it happened in, with epoch, owner, previous owner and reason,
-- and with the headers of the lease, by which readers filter; what does not happen
-- leaves none.
CREATE PROCEDURE pg_temp.lapse(which text) LANGUAGE sql AS
$$ UPDATE weir.lease SET expires_at = weir.lease_time() - interval '1 second' WHERE name = which $$;

-- All six, in the namespace that the headers name.
SELECT epoch FROM weir.lease_acquire('history.a', 'ann', '10 seconds', '{"namespace": "history.one", "tag": {"region": "eu"}, "n": 1}');
SELECT weir.lease_renew('history.a', 'ann', 1, '20 seconds') IS NOT NULL AS renewed;
CALL pg_temp.lapse('history.a');
SELECT epoch FROM weir.lease_acquire('history.a', 'bob', '10 seconds', '{"namespace": "history.one", "tag": {"region": "us"}}');
SELECT weir.lease_revoke('history.a', 'ops', 'drain the node');
SELECT epoch FROM weir.lease_acquire('history.a', 'ann', '10 seconds', '{"namespace": "history.one"}');
SELECT weir.lease_release('history.a', 'ann', 3, 'done');
SELECT mode, type, payload FROM weir.read('leases/history.one');
SELECT type, headers FROM weir.read('leases/history.one');
-- By type, tag and name.
SELECT type, payload->'epoch' AS epoch FROM weir.read('leases/history.one', headers => '{"tag": {"region": "us"}}');
SELECT type, payload->'epoch' AS epoch FROM weir.read('leases/history.one', types => '{acquired,reclaimed}');
SELECT count(*) AS of_this_lease, (SELECT count(*) FROM weir.read('leases/history.one', headers => '{"lease": "history.b"}')) AS of_another
FROM weir.read('leases/history.one', headers => '{"lease": "history.a"}');
SELECT namespace, headers, epoch, state FROM weir.leases WHERE name = 'history.a';

-- Whoever acquires says where its history goes from then on; that its predecessor let it lapse is said where that one's went.
SELECT epoch FROM weir.lease_acquire('history.a', 'ann', headers => '{"namespace": "history.two"}');
CALL pg_temp.lapse('history.a');
SELECT epoch FROM weir.lease_acquire('history.a', 'bob');
SELECT stream, type, payload->'epoch' AS epoch FROM weir.read_many(ARRAY['leases/history.one', 'leases/history.two', 'leases'], headers => '{"lease": "history.a"}')
WHERE (payload->>'epoch')::int > 3 ORDER BY (payload->>'epoch')::int, type DESC;

-- Over all namespaces at once, and a sweep over several.
SELECT count(weir.lease_acquire('history.many.' || i, 'ann', headers => jsonb_build_object('namespace', 'history.many.' || i % 3))) FROM generate_series(1, 30) i;
UPDATE weir.lease SET expires_at = weir.lease_time() - interval '1 second' WHERE name LIKE 'history.many.%';
SELECT weir.lease_sweep() >= 30 AS swept;
SELECT stream, type, count(*), count(DISTINCT payload->>'lease') AS leases FROM weir.read_many(ARRAY['leases/history.many.0', 'leases/history.many.1', 'leases/history.many.2']) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS each_with_its_own_headers FROM weir.read_many(ARRAY['leases/history.many.0', 'leases/history.many.1', 'leases/history.many.2'], types => '{expired}')
WHERE headers->>'lease' = payload->>'lease' AND 'leases/' || (headers->>'namespace') = stream;

-- What is refused leaves nothing.
SELECT weir.head('leases') AS before \gset
SELECT acquired FROM weir.lease_acquire('history.a', 'ann');
SELECT weir.lease_renew('history.a', 'ann', 5);
SELECT weir.lease_revoke('history.a', 'ops', epoch => 4), weir.lease_revoke('history.none', 'ops'), weir.lease_sweep();
BEGIN;
SELECT weir.lease_release('history.a', 'bob', 5);
ROLLBACK;
SELECT weir.head('leases') = :'before' AS nothing;

-- Headers that a lease can have: large ones out of line, kept over renewals.
SELECT epoch FROM weir.lease_acquire('history.large', 'ann', headers => jsonb_build_object('namespace', 'history.large', 'x', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i)));
SELECT weir.lease_renew('history.large', 'ann', 1) IS NOT NULL, weir.lease_renew('history.large', 'ann', 1) IS NOT NULL;
SELECT type, length(headers->>'x') FROM weir.read('leases/history.large');
SELECT weir.lease_acquire('history.bad', 'ann', headers => jsonb_build_object('x', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)));
SELECT weir.lease_acquire('history.bad', 'ann', headers => '[]');
SELECT weir.lease_acquire('history.bad', 'ann', headers => '{"lease": "x"}');
SELECT weir.lease_acquire('history.bad', 'ann', headers => '{"namespace": 1}');
SELECT weir.lease_acquire('history.bad', 'ann', headers => '{"namespace": null}');
SELECT weir.lease_acquire('history.bad', 'ann', headers => '{"namespace": " "}');
SELECT weir.lease_acquire('history.bad', 'ann', headers => jsonb_build_object('namespace', repeat('x', 513)));
SELECT weir.lease_acquire('history.bad', 'ann', headers => jsonb_build_object('namespace', repeat('x', 506)));
SELECT count(*) FROM weir.leases WHERE name = 'history.bad';

-- No history holds up the leases that write to it: not one that somebody closed before the name was
-- reserved (as which another stream stands in here), nor one that was dropped.
SELECT weir.close('history.closed', 'mine') IS NOT NULL AS closed;
UPDATE weir.registry SET name = 'leases/history.closed' WHERE name = 'history.closed';
SELECT epoch FROM weir.lease_acquire('history.closed', 'ann', headers => '{"namespace": "history.closed"}');
SELECT weir.lease_renew('history.closed', 'ann', 1) IS NOT NULL AS renewed;
SELECT mode, type FROM weir.read('leases/history.closed');
SELECT weir.drop_stream('leases/history.closed');
SELECT weir.lease_renew('history.closed', 'ann', 1) IS NOT NULL AS renewed;
SELECT type FROM weir.read('leases/history.closed');
-- It is a stream like any other.
SELECT weir.trim('leases/history.one', keep => 1);
SELECT frames, lifetime_frames, closed FROM weir.stream_info('leases/history.one');

-- Everything as long as it may be, so that much of the row lies out of line: over two owners, renewals and ends.
SELECT rpad('history.', 512, 'n') AS name, repeat(md5('a'), 16) AS a, repeat(md5('b'), 16) AS b \gset
SELECT jsonb_build_object('namespace', rpad('history.', 505, 'm'), 'x', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 230) i)) AS h, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 256) i) AS reason \gset
SELECT epoch FROM weir.lease_acquire(:'name', :'a', '1 minute', :'h');
SELECT weir.lease_renew(:'name', :'a', 1) IS NOT NULL AS renewed, weir.lease_release(:'name', :'a', 1, :'reason') AS released;
SELECT epoch FROM weir.lease_acquire(:'name', :'b', '1 minute', :'h');
SELECT weir.lease_renew(:'name', :'b', 2) IS NOT NULL AS renewed, weir.lease_revoke(:'name', :'a', :'reason') AS revoked;
SELECT previous_owner = :'b' AS previous_owner, ended_by = :'a' AS ended_by, reason = :'reason' AS reason, headers = :'h' AS headers FROM weir.leases WHERE name = :'name';
SELECT type, payload->>'lease' = :'name' AS lease, payload->>'owner' = :'a' AS a, payload->>'previous_owner' = :'a' AS after_a, payload->>'reason' = :'reason' AS reason, headers - 'lease' = :'h' AS headers
FROM weir.read('leases/' || rpad('history.', 505, 'm'));
