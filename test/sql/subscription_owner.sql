-- SPDX-License-Identifier: PostgreSQL
-- Claim: a subscription belongs to the role that made it: others with the same level can neither fetch from it, move
-- it, remove it nor see it; members of the role and admins can; it stays with a role that is renamed, and is left to
-- the admins by one that is dropped. What a reader can store is bounded.
CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT * FROM ' || query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
CREATE ROLE regress_weir_owner;
CREATE ROLE regress_weir_other;
CREATE ROLE regress_weir_member IN ROLE regress_weir_owner;
CREATE ROLE regress_weir_outsider IN ROLE regress_weir_owner NOINHERIT;
CREATE ROLE regress_weir_chief;
CREATE ROLE regress_weir_monitor IN ROLE pg_read_all_stats;
SELECT weir.grant_access(r::regrole, CASE r WHEN 'regress_weir_chief' THEN 'admin' ELSE 'read' END)
FROM unnest((SELECT array_agg(rolname::text ORDER BY oid) FROM pg_roles WHERE rolname ~ '^regress_weir_')) r;
SELECT count(weir.append('owner.t', to_jsonb(i))) FROM generate_series(1, 5) i;

SET ROLE regress_weir_owner;
SELECT weir.subscribe('owner.s', 'owner.t', '-', headers => NULL);
SELECT name, owner FROM weir.subscriptions WHERE name LIKE 'owner.%';
RESET ROLE;
CREATE TEMP TABLE attempt AS SELECT * FROM (VALUES
    (1, 'weir.fetch(''owner.s'')'), (2, 'weir.ack(''owner.s'', ''0-0'')'), (3, 'weir.seek(''owner.s'', ''-'')'),
    (4, 'weir.subscribe(''owner.s'', ''owner.t'', ''-'')'), (5, 'weir.subscribe(''owner.s'', ''owner.other'')'),
    (6, 'weir.give_subscription(''owner.s'', ''regress_weir_owner'')'), (7, 'weir.unsubscribe(''owner.none'')')) a(n,
        call);
GRANT SELECT ON attempt TO PUBLIC;
CREATE TEMP TABLE outcome (role text, n integer, state text, seen bigint);
GRANT INSERT ON outcome TO PUBLIC;
DO $$
DECLARE
    r text;
BEGIN
    FOREACH r IN ARRAY (SELECT array_agg(rolname::text ORDER BY oid) FROM pg_roles
        WHERE rolname ~ '^regress_weir_') LOOP
        EXECUTE format('SET ROLE %I', r);
        INSERT INTO outcome SELECT r, n, pg_temp.state_of(call), (SELECT count(*) FROM weir.subscriptions
            WHERE name = 'owner.s') FROM attempt ORDER BY n;
    END LOOP;
    RESET ROLE;
END
$$;
SELECT regexp_replace(role, '.*_', '') AS role,
       string_agg(state, ' ' ORDER BY n) AS "fetch, ack, seek, subscribe, otherwise, give, none", max(seen) AS seen
FROM outcome GROUP BY role ORDER BY role;
SET ROLE regress_weir_other;
SELECT * FROM weir.fetch('owner.s');
SELECT weir.unsubscribe('owner.s');
CALL weir.wait(subscription => 'owner.s', timeout => '0');
-- Who may not use it takes no turn and holds nobody up, in whatever block it tries.
BEGIN;
SELECT pg_temp.state_of('weir.fetch(''owner.s'')'), pg_temp.state_of('weir.unsubscribe(''owner.s'')');
SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
COMMIT;
RESET ROLE;

-- Another name, another owner.
ALTER ROLE regress_weir_owner RENAME TO regress_weir_renamed;
SET ROLE regress_weir_renamed;
SELECT name, owner, weir.ack(name, weir.head('owner.t')) AS acknowledged FROM weir.subscriptions WHERE name = 'owner.s';
RESET ROLE;
-- One that is dropped leaves it to the admins, who give it on; nobody inherits it.
REVOKE regress_weir_renamed FROM regress_weir_member, regress_weir_outsider;
SELECT weir.revoke_access('regress_weir_renamed');
DROP ROLE regress_weir_renamed;
CREATE ROLE regress_weir_owner;
SELECT weir.grant_access('regress_weir_owner', 'read');
SET ROLE regress_weir_owner;
SELECT pg_temp.state_of('weir.fetch(''owner.s'')') AS of_the_same_name, (SELECT count(*) FROM weir.subscriptions
    WHERE name = 'owner.s') AS seen;
SET ROLE regress_weir_chief;
SELECT name, owner::text ~ '^\d+$' AS nobodys FROM weir.subscriptions WHERE name = 'owner.s';
SELECT weir.give_subscription('owner.s', 'regress_weir_owner');
SELECT weir.give_subscription('owner.none', 'regress_weir_owner');
SELECT pg_temp.state_of('weir.give_subscription(NULL, ''regress_weir_owner'')') AS name,
    pg_temp.state_of('weir.give_subscription(''owner.s'', NULL)') AS role,
    pg_temp.state_of('weir.give_subscription(''owner.s'', 0)') AS nobody;
SET ROLE regress_weir_owner;
SELECT name, owner, (SELECT count(*) FROM weir.fetch('owner.s')) AS left FROM weir.subscriptions WHERE name = 'owner.s';
SELECT weir.unsubscribe('owner.s');

-- What can be stored.
SELECT pg_temp.state_of('weir.subscribe(''owner.l'', ''owner.t'', types => ARRAY[repeat(''x'', 513)])') AS long_type,
       pg_temp.state_of('weir.subscribe(''owner.l'', ''owner.t'', types => ARRAY[''''])') AS empty_type;
SELECT weir.subscribe('owner.l', 'owner.t', types => (SELECT array_agg(rpad(i::text, 512)) FROM generate_series(1,
    150) i));
SELECT weir.subscribe('owner.l', 'owner.t', headers => jsonb_build_object('a', repeat('x', 9000)));
SELECT weir.subscribe('owner.l', 'owner.t', types => (SELECT array_agg(rpad(i::text, 500)) FROM generate_series(1,
    100) i), headers => jsonb_build_object('a', repeat('x', 8000)));
RESET ROLE;
SET weir.max_subscriptions = 3;
SET ROLE regress_weir_owner;
SELECT weir.subscribe('owner.2', 'owner.t'), weir.subscribe('owner.3', 'owner.t'), weir.subscribe('owner.3',
    'owner.t') AS again;
SELECT weir.subscribe('owner.4', 'owner.t');
SELECT weir.unsubscribe('owner.2'), weir.subscribe('owner.4', 'owner.t');
SET ROLE regress_weir_other;
SELECT weir.subscribe('owner.5', 'owner.t') AS anothers_do_not_count;
RESET ROLE;
RESET weir.max_subscriptions;

-- Who drops a stream goes through all subscriptions, but one at a time: 900 of 50 kB take no 45 MB.
SELECT count(weir.subscribe('owner.many.' || i, 'owner.t', types => ARRAY(SELECT rpad(t::text, 500)
                                                                         FROM generate_series(1, 100) t)))
FROM generate_series(1, 900) i;
\c -
CREATE FUNCTION pg_temp.peak() RETURNS bigint LANGUAGE sql
    RETURN (SELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmPeak:\s*(\d+) kB'))[1]::bigint);
SELECT pg_temp.peak() AS before \gset
SELECT weir.append('owner.dropped', '1') IS NOT NULL AS again, weir.drop_stream('owner.dropped');
SELECT CASE WHEN pg_temp.peak() - :before < 25000 THEN 'little' ELSE (pg_temp.peak() - :before)::text END AS memory;
SELECT count(weir.unsubscribe(name)) FROM (SELECT DISTINCT name FROM weir.subscriptions WHERE name LIKE 'owner.%') s;
SELECT weir.drop_stream('owner.t');
SELECT count(weir.revoke_access(oid::regrole)) FROM pg_roles WHERE rolname IN ('regress_weir_owner',
    'regress_weir_other', 'regress_weir_member', 'regress_weir_outsider', 'regress_weir_chief', 'regress_weir_monitor');
DROP ROLE regress_weir_owner, regress_weir_other, regress_weir_member, regress_weir_outsider, regress_weir_chief,
    regress_weir_monitor;
