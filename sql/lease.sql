-- SPDX-License-Identifier: PostgreSQL
-- Leases: who may do something for now, fenced by an epoch, with a history.

-- One row a name, updated in place (src/lease/row.hpp): room is left on each page,
-- and no index on what a renewal changes.
CREATE TABLE weir.lease (
    name           text COLLATE "C" PRIMARY KEY,
    epoch          bigint NOT NULL,
    line           bigint NOT NULL,
    state          "char" NOT NULL,
    expires_at     timestamptz NOT NULL,
    ttl_us         bigint NOT NULL,
    acquired_at    timestamptz NOT NULL,
    renewed_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    owner          text NOT NULL,
    previous_owner text,
    ended_by       text,
    reason         text,
    namespace      text,
    headers        jsonb NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE weir.lease IS
'Internal. Leases; see the view weir.leases.';

-- (epoch << 20) | line of the database's history: names not in the table start above the epoch.
CREATE SEQUENCE weir.lease_floor MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.lease_floor IS
'Internal. An upper bound of the epochs of all leases that were forgotten, so that none is given out twice.';

SELECT pg_catalog.pg_extension_config_dump('weir.lease', '');
SELECT pg_catalog.pg_extension_config_dump('weir.lease_floor', '');

CREATE FUNCTION weir.lease_acquire(name text, owner text, ttl interval DEFAULT '30 seconds', headers jsonb DEFAULT NULL,
                                   OUT acquired boolean, OUT epoch bigint, OUT expires_at timestamptz, OUT held_by text)
    AS 'MODULE_PATHNAME', 'weir_lease_acquire' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_acquire IS
'Acquires a lease if nobody else holds it. acquired: whether it did; epoch: what to name in later calls, NULL '
'where not acquired; expires_at and held_by: those of whoever holds it now. The epoch is above every one of that '
'name before. name: up to weir.max_name_bytes; owner: up to 512 bytes, unique to the holder; ttl: 1 millisecond '
'to 1 day; headers: a JSON object of up to 8192 bytes without a member "lease", whose member "namespace", a '
'string, names the stream of the history. Takes over a lease that has expired (event reclaimed), and issues one '
'anew to its present owner, whose old epoch is then stale: so a retry after a lost answer is safe. Where another '
'holds it, it returns at once and locks nothing; otherwise it waits for transactions that work under the old '
'epoch, or are issuing or ending the lease, to end: bound that with lock_timeout. The commit is flushed whatever '
'synchronous_commit says. Errors: 22004 NULL name, owner or ttl, 22023 bad ttl, headers or namespace, blank name '
'or empty owner, 54000 name, owner or headers too long, 25006 read-only transaction or standby.';

CREATE FUNCTION weir.lease_renew(name text, owner text, epoch bigint, ttl interval DEFAULT NULL) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_lease_renew' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_renew IS
'Keeps a lease for ttl from now (NULL: the ttl granted last), and returns when it expires then; the epoch stays. '
'Until commit, nobody else can acquire it. Waits only for another renewal of the lease in flight, or for a '
'transaction that is ending it. Safe to retry. Errors, in this order: WR010 not held, WR011 revoked, WR012 '
'expired, WR013 held by another owner or at another epoch; 22004, 22023, 54000, 25006 as lease_acquire().';

CREATE FUNCTION weir.lease_release(name text, owner text, epoch bigint, reason text DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_lease_release' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_release IS
'Gives up a lease, so that it can be acquired at once. reason: up to 8192 bytes, for its history. True; false '
'where the same owner released the same epoch before, so a retry is safe. Waits for transactions that work under '
'the lease. Errors: as lease_renew().';

CREATE FUNCTION weir.lease_check(name text, epoch bigint) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_lease_check' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_check IS
'The fence, for writes of your own: raises unless the lease is live at that epoch, and keeps it from being '
'reclaimed, revoked or released until this transaction ends (it can be renewed). Returns when it expires. The '
'parameters lease and epoch of the append functions do the same. Waits for a transaction that is issuing or '
'ending the lease. Errors, in this order: WR010 not held, WR011 revoked, WR012 expired, WR013 at another epoch; '
'22004, 22023, 54000, 25006.';

CREATE FUNCTION weir.lease_revoke(name text, by text, reason text DEFAULT NULL,
                                  epoch bigint DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_lease_revoke' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_revoke IS
'Takes a lease from its holder, whose later calls fail with WR011. by: who does it; reason: up to 8192 bytes. '
'epoch: only if it is held at that epoch, NULL: whatever it is at. True, or false where nobody held it (at that '
'epoch). Waits for transactions that work under the lease. Safe to retry. The commit is flushed whatever '
'synchronous_commit says. Errors: 22004 NULL name or by, 22023, 54000, 25006.';

CREATE FUNCTION weir.lease_sweep(max integer DEFAULT 10000) RETURNS integer
    AS 'MODULE_PATHNAME', 'weir_lease_sweep' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_sweep IS
'Writes down the leases that have expired, up to max (1 to 100000), with an event each, and returns how many; and '
'forgets those that nobody has held for weir.lease_retention. Leases expire without it: it brings their events '
'when nobody acquires them again, and keeps the table small. Waits for nobody: a lease that somebody still works '
'under is left for later, and while another sweep is in flight there is nothing to do. Costs a look at every '
'lease. Safe to retry. Errors: 22004, 22023, 25006.';

CREATE FUNCTION weir.lease_time() RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'weir_lease_time' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.lease_time IS
'The clock that leases go by: that of the server, but not moved by steps of it as long as the server runs. Never '
'blocks.';

CREATE VIEW weir.leases WITH (security_barrier) AS
    SELECT l.name,
           CASE WHEN c.live THEN l.owner END AS owner,
           l.epoch,
           CASE WHEN c.live THEN 'held'
                WHEN l.state OPERATOR(pg_catalog.=) 'r' THEN 'released'
                WHEN l.state OPERATOR(pg_catalog.=) 'v' THEN 'revoked'
                ELSE 'expired' END AS state,
           CASE WHEN l.state OPERATOR(pg_catalog.=) ANY (ARRAY['h', 'x']::pg_catalog."char"[])
                THEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
                     (l.expires_at OPERATOR(pg_catalog.-) c.now) END AS expires_at,
           l.ttl_us OPERATOR(pg_catalog.*) pg_catalog.interval '1 microsecond' AS ttl,
           l.acquired_at, l.renewed_at, l.ended_at,
           CASE WHEN c.live THEN l.previous_owner ELSE l.owner END AS previous_owner,
           l.ended_by, l.reason, l.namespace, l.headers OPERATOR(pg_catalog.-) 'lease'::pg_catalog.text AS headers
    FROM (SELECT weir.lease_time() AS now OFFSET 0) t
    CROSS JOIN weir.lease l
    CROSS JOIN LATERAL (SELECT t.now, l.state OPERATOR(pg_catalog.=) 'h'
                               AND l.expires_at OPERATOR(pg_catalog.>) t.now AS live) c
    WHERE weir.has_access(l.name);

COMMENT ON VIEW weir.leases IS
'Every lease that the caller may read and that is held, or was within weir.lease_retention, as it stands now: one '
'that has expired is shown so whether or not a sweep has come by.';
COMMENT ON COLUMN weir.leases.name IS
'The lease.';
COMMENT ON COLUMN weir.leases.owner IS
'Who holds it, NULL where nobody does.';
COMMENT ON COLUMN weir.leases.epoch IS
'The epoch at which it is held, or was held last.';
COMMENT ON COLUMN weir.leases.state IS
'held, released, revoked or expired.';
COMMENT ON COLUMN weir.leases.expires_at IS
'When it expires unless it is renewed, or did expire, by the server''s clock as it stands now; NULL where it '
'ended otherwise.';
COMMENT ON COLUMN weir.leases.ttl IS
'The time granted by the last acquire or renew.';
COMMENT ON COLUMN weir.leases.acquired_at IS
'When this epoch was issued.';
COMMENT ON COLUMN weir.leases.renewed_at IS
'When it was last renewed, or issued.';
COMMENT ON COLUMN weir.leases.ended_at IS
'When it was released, revoked or written down as expired.';
COMMENT ON COLUMN weir.leases.previous_owner IS
'Who held it before: before the holder, or last.';
COMMENT ON COLUMN weir.leases.ended_by IS
'Who revoked it.';
COMMENT ON COLUMN weir.leases.reason IS
'The reason given for its release or revocation.';
COMMENT ON COLUMN weir.leases.namespace IS
'The member "namespace" of its headers: its history goes to the stream leases/namespace, or to leases where there '
'is none.';
COMMENT ON COLUMN weir.leases.headers IS
'The headers given with the acquire, carried by each of its events.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'leases'), ('read', 'lease_time'),
    ('write', 'lease_acquire'), ('write', 'lease_renew'), ('write', 'lease_release'), ('write', 'lease_check'),
    ('write', 'lease_sweep'), ('admin', 'lease_revoke');
