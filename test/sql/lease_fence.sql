-- SPDX-License-Identifier: PostgreSQL
-- Claim: every form of append takes lease and epoch, writes under the lease that is
-- live at that epoch, and under any other writes nothing and says why; a key that
-- has its result already gives it to a late retry as well.

CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
CREATE TEMP TABLE form (n serial, call text);
INSERT INTO form (call) VALUES
    ('append(''fence.s'', ''1'', %s)'), ('append_text(''fence.s'', ''1'', %s)'), ('append_bytes(''fence.s'', ''1'', %s)'),
    ('append_batch(''fence.s'', ARRAY[''1'']::jsonb[], %s)'), ('append_text_batch(''fence.s'', ARRAY[''1'']::text[], %s)'), ('append_bytes_batch(''fence.s'', ARRAY[''1'']::bytea[], %s)'),
    ('append_patch(''fence.s'', ''{}'', %s)'),
    ('append_best_effort(''fence.s'', ''1'', %s)'), ('append_best_effort_text(''fence.s'', ''1'', %s)'), ('append_best_effort_bytes(''fence.s'', ''1'', %s)'),
    ('append_best_effort_batch(''fence.s'', ARRAY[''1'']::jsonb[], %s)'), ('append_best_effort_text_batch(''fence.s'', ARRAY[''1'']::text[], %s)'), ('append_best_effort_bytes_batch(''fence.s'', ARRAY[''1'']::bytea[], %s)');
CREATE FUNCTION pg_temp.tried(arguments text) RETURNS TABLE (n integer, sqlstate text) LANGUAGE sql AS
$$ SELECT n, pg_temp.state_of('SELECT * FROM weir.' || format(call, arguments)) FROM form ORDER BY n $$;

SELECT epoch FROM weir.lease_acquire('fence.held', 'ann', '1 hour');
SELECT epoch FROM weir.lease_acquire('fence.released', 'ann', '1 hour');
SELECT weir.lease_release('fence.released', 'ann', 1);
SELECT epoch FROM weir.lease_acquire('fence.revoked', 'ann', '1 hour');
SELECT weir.lease_revoke('fence.revoked', 'ops', 'drain');
SELECT epoch FROM weir.lease_acquire('fence.expired', 'ann', '1 hour');
UPDATE weir.lease SET expires_at = weir.lease_time() - interval '1 second' WHERE name = 'fence.expired';

SELECT f.n, regexp_replace(f.call, '\(.*?(::\w+)?(\[\])?, %s\)', '\1\2') AS form, none.sqlstate AS without, live.sqlstate AS live, stale.sqlstate AS stale, ahead.sqlstate AS ahead,
       unknown.sqlstate AS unknown, released.sqlstate AS released, revoked.sqlstate AS revoked, expired.sqlstate AS expired, alone.sqlstate AS lease_alone, alone2.sqlstate AS epoch_alone
FROM form f, pg_temp.tried('NULL') none, pg_temp.tried('lease => ''fence.held'', epoch => 1') live, pg_temp.tried('lease => ''fence.held'', epoch => 0') stale,
     pg_temp.tried('lease => ''fence.held'', epoch => 2') ahead, pg_temp.tried('lease => ''fence.none'', epoch => 1') unknown, pg_temp.tried('lease => ''fence.released'', epoch => 1') released,
     pg_temp.tried('lease => ''fence.revoked'', epoch => 1') revoked, pg_temp.tried('lease => ''fence.expired'', epoch => 1') expired,
     pg_temp.tried('lease => ''fence.held''') alone, pg_temp.tried('epoch => 1') alone2
WHERE f.n = none.n AND f.n = live.n AND f.n = stale.n AND f.n = ahead.n AND f.n = unknown.n AND f.n = released.n AND f.n = revoked.n AND f.n = expired.n AND f.n = alone.n AND f.n = alone2.n
ORDER BY f.n;
-- Two accepted calls a form, and nothing of the others.
SELECT mode, count(*) FROM weir.read('fence.s') GROUP BY mode ORDER BY mode;
-- In words.
SELECT weir.append('fence.s', '1', lease => 'fence.held', epoch => 7);
SELECT weir.append('fence.s', '1', lease => 'fence.none', epoch => 1);
SELECT weir.append('fence.s', '1', lease => 'fence.released', epoch => 1);
SELECT weir.append('fence.s', '1', lease => 'fence.revoked', epoch => 1);
SELECT weir.append('fence.s', '1', lease => 'fence.expired', epoch => 1);
SELECT weir.append('fence.s', '1', lease => 'fence.held');
SELECT weir.append('fence.s', '1', epoch => 1);
SELECT weir.append('fence.s', '1', lease => ' ', epoch => 1);
SELECT pg_temp.state_of($$ SELECT weir.append('fence.s', '1', lease => repeat('x', 513), epoch => 1) $$) AS too_long;
-- A stream that the refused call would have made is not there.
SELECT weir.append('fence.new', '1', lease => 'fence.held', epoch => 7);
SELECT count(*) FROM weir.streams WHERE stream = 'fence.new';

-- What an acquire that failed returns lets nothing through.
SELECT weir.append('fence.s', '1', lease => 'fence.held', epoch => (SELECT epoch FROM weir.lease_acquire('fence.held', 'bob')));

-- A retry under a key gets its answer, although the lease is gone by now; a new call does not.
SELECT weir.append('fence.keyed', '1', idempotency_key => 'k', lease => 'fence.held', epoch => 1) AS first \gset
SELECT weir.lease_release('fence.held', 'ann', 1);
SELECT weir.append('fence.keyed', '1', idempotency_key => 'k', lease => 'fence.held', epoch => 1) = :'first' AS the_same;
SELECT weir.append('fence.keyed', '1', idempotency_key => 'k2', lease => 'fence.held', epoch => 1);
-- Also by the next holder, who finishes what the last one began: the key is of the call, not of who makes it.
SELECT epoch FROM weir.lease_acquire('fence.held', 'bob', '1 hour');
SELECT weir.append('fence.keyed', '1', idempotency_key => 'k', lease => 'fence.held', epoch => 2) = :'first' AS the_same;
SELECT count(*) FROM weir.read('fence.keyed');

-- Acquire, write and release in one transaction; and what a rollback to a savepoint takes back.
BEGIN;
SELECT epoch FROM weir.lease_acquire('fence.once', 'ann');
SELECT weir.append('fence.once', '1', lease => 'fence.once', epoch => 1) IS NOT NULL AS done;
SAVEPOINT s;
SELECT weir.lease_release('fence.once', 'ann', 1);
SELECT pg_temp.state_of($$ SELECT weir.append('fence.once', '2', lease => 'fence.once', epoch => 1) $$) AS released;
ROLLBACK TO s;
SELECT weir.append('fence.once', '3', lease => 'fence.once', epoch => 1) IS NOT NULL AS done;
SELECT weir.lease_release('fence.once', 'ann', 1);
COMMIT;
SELECT payload FROM weir.read('fence.once');

-- Writes of one's own: in one statement with the check.
CREATE TABLE regress_ledger (entry text);
SELECT epoch FROM weir.lease_acquire('fence.ledger', 'ann', '1 hour');
INSERT INTO regress_ledger SELECT 'one' WHERE weir.lease_check('fence.ledger', 1) IS NOT NULL;
INSERT INTO regress_ledger SELECT 'two' WHERE weir.lease_check('fence.ledger', 2) IS NOT NULL;
SELECT * FROM regress_ledger;
DROP TABLE regress_ledger;
