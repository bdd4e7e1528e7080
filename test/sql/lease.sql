-- SPDX-License-Identifier: PostgreSQL
-- Claim: a lease has one holder at a time; its epoch goes up with every issuance and
-- at no other time, also over release, revocation, expiry and after the name was
-- forgotten; a call by anyone but the holder is refused for the first reason in
-- the order not held, revoked, expired, held by another, and changes nothing.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
-- As if its time had passed.
CREATE PROCEDURE pg_temp.lapse(which text) LANGUAGE sql AS
$$ UPDATE weir.lease SET expires_at = weir.lease_time() - interval '1 second' WHERE name = which $$;
CREATE FUNCTION pg_temp.events(which text) RETURNS TABLE (event text, epoch bigint, owner text, previous text, reason text) LANGUAGE sql AS
$$ SELECT type, (payload->>'epoch')::bigint, payload->>'owner', payload->>'previous_owner', payload->>'reason'
   FROM weir.read('leases', headers => jsonb_build_object('lease', which)) $$;

SELECT last_value AS floor FROM weir.lease_floor \gset

-- Acquired: the first epoch is 1, and it expires when it was asked to.
SELECT acquired, epoch, held_by, expires_at - clock_timestamp() BETWEEN '9 seconds' AND '10 seconds' AS in_ten_seconds
FROM weir.lease_acquire('lease.a', 'ann', '10 seconds');
SELECT expires_at - clock_timestamp() BETWEEN '29 seconds' AND '30 seconds' AS in_thirty_by_default FROM weir.lease_acquire('lease.default', 'ann');
-- Held: another is refused, and told by whom; no epoch that it could use by mistake.
SELECT acquired, epoch, held_by, expires_at > clock_timestamp() AS later FROM weir.lease_acquire('lease.a', 'bob', '10 seconds');
-- Renewed: the epoch stays, the time is the one granted last unless another is asked for.
SELECT weir.lease_renew('lease.a', 'ann', 1) - clock_timestamp() BETWEEN '9 seconds' AND '10 seconds' AS ten,
       weir.lease_renew('lease.a', 'ann', 1, '1 minute') - clock_timestamp() BETWEEN '59 seconds' AND '60 seconds' AS sixty,
       weir.lease_renew('lease.a', 'ann', 1) - clock_timestamp() BETWEEN '59 seconds' AND '60 seconds' AS still_sixty,
       weir.lease_renew('lease.a', 'ann', 1, '1 day') - clock_timestamp() BETWEEN '23:59:59' AND '24 hours' AS a_day;
SELECT name, owner, epoch, state, ttl, previous_owner, ended_at FROM weir.leases WHERE name = 'lease.a';

-- By others: another epoch, another owner.
SELECT weir.lease_renew('lease.a', 'ann', 0);
SELECT weir.lease_renew('lease.a', 'ann', 100);
SELECT weir.lease_renew('lease.a', 'bob', 1);
SELECT weir.lease_release('lease.a', 'bob', 1);
SELECT weir.lease_check('lease.a', 2);
SELECT weir.lease_check('lease.a', 1) > clock_timestamp() AS passes;
SELECT owner, epoch, state FROM weir.leases WHERE name = 'lease.a';

-- Expired: by the clock alone. The holder has lost it, and it is shown so.
CALL pg_temp.lapse('lease.a');
SELECT owner, epoch, state, expires_at < clock_timestamp() AS over, previous_owner FROM weir.leases WHERE name = 'lease.a';
SELECT weir.lease_renew('lease.a', 'ann', 1);
SELECT pg_temp.state_of($$ SELECT weir.lease_release('lease.a', 'ann', 1) $$) AS release, pg_temp.state_of($$ SELECT weir.lease_check('lease.a', 1) $$) AS checked,
       pg_temp.state_of($$ SELECT weir.lease_renew('lease.a', 'bob', 7) $$) AS stale_comes_after_expired;
-- Reclaimed, by another and then by its own late holder.
SELECT acquired, epoch FROM weir.lease_acquire('lease.a', 'bob', '10 seconds');
SELECT weir.lease_renew('lease.a', 'ann', 1);
SELECT weir.lease_renew('lease.a', 'bob', 2) IS NOT NULL AS renewed;
CALL pg_temp.lapse('lease.a');
SELECT acquired, epoch FROM weir.lease_acquire('lease.a', 'bob', '10 seconds');
SELECT * FROM pg_temp.events('lease.a');

-- Issued anew to its owner, as after a lost answer: the answer that was lost is worth nothing.
SELECT acquired, epoch FROM weir.lease_acquire('lease.a', 'bob', '10 seconds');
SELECT pg_temp.state_of($$ SELECT weir.lease_renew('lease.a', 'bob', 3) $$) AS the_old_epoch, pg_temp.state_of($$ SELECT weir.lease_renew('lease.a', 'bob', 4) $$) AS the_new_one;

-- Released: free at once. Once more by the same owner at the same epoch is no error, by anyone else it is.
SELECT weir.lease_release('lease.a', 'bob', 4, 'done'), weir.lease_release('lease.a', 'bob', 4, 'done') AS again;
SELECT pg_temp.state_of($$ SELECT weir.lease_release('lease.a', 'bob', 3) $$) AS other_epoch, pg_temp.state_of($$ SELECT weir.lease_release('lease.a', 'ann', 4) $$) AS other_owner,
       pg_temp.state_of($$ SELECT weir.lease_renew('lease.a', 'bob', 4) $$) AS renew, pg_temp.state_of($$ SELECT weir.lease_check('lease.a', 4) $$) AS checked;
SELECT owner, epoch, state, expires_at, ended_at IS NOT NULL AS ended, previous_owner, ended_by, reason FROM weir.leases WHERE name = 'lease.a';
SELECT acquired, epoch FROM weir.lease_acquire('lease.a', 'ann', '10 seconds');

-- Revoked, from whoever holds it or at one epoch only; once.
SELECT weir.lease_revoke('lease.a', 'ops', epoch => 4) AS an_epoch_gone_by, weir.lease_revoke('lease.a', 'ops', 'drain', 5) AS revoked, weir.lease_revoke('lease.a', 'ops', 'drain', 5) AS again,
       weir.lease_revoke('lease.none', 'ops') AS unknown;
SELECT weir.lease_renew('lease.a', 'ann', 5);
SELECT pg_temp.state_of($$ SELECT weir.lease_release('lease.a', 'ann', 5) $$) AS release, pg_temp.state_of($$ SELECT weir.lease_check('lease.a', 5) $$) AS checked,
       pg_temp.state_of($$ SELECT weir.lease_check('lease.a', 1) $$) AS revoked_comes_first;
SELECT owner, epoch, state, previous_owner, ended_by, reason FROM weir.leases WHERE name = 'lease.a';
SELECT acquired, epoch FROM weir.lease_acquire('lease.a', 'ann', '10 seconds');
SELECT previous_owner, ended_by, reason FROM weir.leases WHERE name = 'lease.a';
SELECT weir.lease_revoke('lease.a', 'ops') AS without_reason;
SELECT weir.lease_renew('lease.a', 'ann', 6);
SELECT * FROM pg_temp.events('lease.a') OFFSET 4;
-- Revoking what has expired is not revoking: it is written down as expired.
SELECT acquired, epoch FROM weir.lease_acquire('lease.a', 'ann', '10 seconds');
CALL pg_temp.lapse('lease.a');
SELECT weir.lease_revoke('lease.a', 'ops') AS revoked, weir.lease_revoke('lease.a', 'ops') AS again;
SELECT * FROM pg_temp.events('lease.a') OFFSET 11;
SELECT pg_temp.state_of($$ SELECT weir.lease_renew('lease.a', 'ann', 7) $$) AS renew;

-- A name that nobody has used.
SELECT weir.lease_renew('lease.none', 'ann', 1);
SELECT pg_temp.state_of($$ SELECT weir.lease_release('lease.none', 'ann', 1) $$) AS release, pg_temp.state_of($$ SELECT weir.lease_check('lease.none', 1) $$) AS checked;
SELECT count(*) FROM weir.leases WHERE name = 'lease.none';

-- The sweep writes down what has expired, once, and touches nothing else.
SELECT count(weir.lease_acquire('lease.sweep.' || i, 'ann')) FROM generate_series(1, 5) i;
DO $$ BEGIN FOR i IN 1..3 LOOP CALL pg_temp.lapse('lease.sweep.' || i); END LOOP; END $$;
SELECT weir.lease_sweep(2) AS two_at_the_most, weir.lease_sweep() AS the_rest, weir.lease_sweep() AS none;
SELECT name, state, owner, previous_owner, ended_at IS NOT NULL AS ended FROM weir.leases WHERE name LIKE 'lease.sweep.%' ORDER BY name;
SELECT type, payload->>'lease' AS lease, payload->>'reason' AS reason FROM weir.read('leases', types => '{expired}') WHERE payload->>'lease' LIKE 'lease.sweep.%' ORDER BY 2;
SELECT acquired, epoch FROM weir.lease_acquire('lease.sweep.1', 'bob');
SELECT * FROM pg_temp.events('lease.sweep.1');

-- Forgotten after weir.lease_retention: a name that comes back starts above all that were.
SELECT count(*) FROM (SELECT weir.lease_acquire('lease.often', 'ann') FROM generate_series(1, 20)) x;
SELECT weir.lease_release('lease.often', 'ann', 20);
SELECT weir.lease_sweep(), (SELECT count(*) FROM weir.leases WHERE name = 'lease.often') AS kept;
SET weir.lease_retention = 0;
SELECT weir.lease_sweep(), (SELECT count(*) FROM weir.leases WHERE name = 'lease.often') AS kept;
SELECT count(*) AS nobody_held_kept FROM weir.leases WHERE owner IS NULL AND name LIKE 'lease.%';
SELECT count(*) > 0 AS held_kept FROM weir.leases WHERE owner IS NOT NULL AND name LIKE 'lease.%';
RESET weir.lease_retention;
SELECT acquired, epoch > 20 AS above FROM weir.lease_acquire('lease.often', 'ann');
SELECT acquired, epoch > 7 AS above FROM weir.lease_acquire('lease.a', 'ann');
SELECT pg_temp.state_of($$ SELECT weir.lease_renew('lease.often', 'ann', 20) $$) AS from_before;

-- In one statement and in one transaction each call sees what the one before did.
SELECT (a).acquired, weir.lease_renew('lease.one', 'ann', (a).epoch) IS NOT NULL AS renewed, weir.lease_release('lease.one', 'ann', (a).epoch) AS released
FROM (SELECT weir.lease_acquire('lease.one', 'ann') AS a OFFSET 0) x;
-- What is rolled back never happened.
SELECT acquired, epoch AS before FROM weir.lease_acquire('lease.back', 'ann') \gset
BEGIN;
SELECT weir.lease_release('lease.back', 'ann', :before);
SELECT acquired, epoch = :before + 1 AS next FROM weir.lease_acquire('lease.back', 'bob');
SAVEPOINT s;
SELECT weir.lease_revoke('lease.back', 'ops');
ROLLBACK TO s;
SELECT owner, epoch - :before AS ahead FROM weir.leases WHERE name = 'lease.back';
ROLLBACK;
SELECT owner, epoch - :before AS ahead FROM weir.leases WHERE name = 'lease.back';
SELECT event FROM pg_temp.events('lease.back');
-- Whatever snapshot the transaction has: a lease is as it is now.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM weir.leases WHERE name = 'lease.rr';
SELECT acquired FROM weir.lease_acquire('lease.rr', 'ann');
SELECT weir.lease_renew('lease.rr', 'ann', epoch) IS NOT NULL AS renewed FROM weir.leases WHERE name = 'lease.rr';
COMMIT;
BEGIN READ ONLY;
SAVEPOINT s;
SELECT weir.lease_acquire('lease.rr', 'bob');
ROLLBACK TO s;
SELECT weir.lease_check('lease.rr', 1);
ROLLBACK TO s;
SELECT owner FROM weir.leases WHERE name = 'lease.rr';
COMMIT;

-- A clock behind the one it was granted by: no more is left than was granted.
SELECT epoch AS behind FROM weir.lease_acquire('lease.behind', 'ann', '10 seconds') \gset
UPDATE weir.lease SET expires_at = expires_at + interval '1 hour' WHERE name = 'lease.behind';
SELECT acquired, held_by FROM weir.lease_acquire('lease.behind', 'bob');
SELECT weir.lease_sweep() >= 0 AS swept;
SELECT expires_at - clock_timestamp() <= '10 seconds' AS cut, owner FROM weir.leases WHERE name = 'lease.behind';
-- Issued last in another line of the database's history: epochs may have been lost with a server, so the next lies
-- far above.
UPDATE weir.lease SET line = line + 1 WHERE name = 'lease.behind';
SELECT acquired, epoch >= floor(extract(epoch FROM now()) * 1000) AS far_above, epoch AS jumped FROM weir.lease_acquire('lease.behind', 'ann') \gset
SELECT :'acquired' AS acquired, :'far_above' AS far_above;
SELECT epoch - :jumped AS once FROM weir.lease_acquire('lease.behind', 'ann');
-- Likewise names that were never seen.
BEGIN;
SELECT max(epoch) AS greatest FROM weir.lease \gset
SELECT setval('weir.lease_floor', (last_value >> 20 << 20) | ((last_value + 1) & 1048575)) IS NOT NULL AS done FROM weir.lease_floor;
SELECT acquired, epoch > :greatest + 1000000 AS far_above FROM weir.lease_acquire('lease.fresh', 'ann');
ROLLBACK;
SELECT setval('weir.lease_floor', :floor) = :floor AS as_before;
