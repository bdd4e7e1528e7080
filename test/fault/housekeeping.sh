#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: housekeeping costs no caller anything. Whatever keeps its jobs from being done (an
# error, a lock that is never granted, memory that is not there, no place for a worker),
# appends, emits, commits, trims, drops, reads and keyed calls neither fail nor
# wait; the log says so once; the other jobs go on; and once the cause is gone each job
# is done. Nothing that a prepared transaction holds was left there by housekeeping.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start house "max_worker_processes = 8"
cluster_use house
psql -c 'CREATE EXTENSION weir'
server_log=$WEIR_TMP/house/server.log

housekeeping() { value -c "SELECT $2 FROM weir.housekeeping WHERE job = '$1'"; }
is_house() { [ "$(housekeeping "$1" "$2")" = t ]; }
# Every call that housekeeping stands behind, each with a limit that only a wait would reach.
every_call="SET statement_timeout = '4s';
SELECT count(weir.append('h.log', to_jsonb(i))) FROM generate_series(1, 1100) i;
SELECT count(weir.append('h.keyed', '1', idempotency_key => 'k' || i || random())) FROM generate_series(1, 130) i;
SELECT count(weir.append_patch('h.doc', jsonb_build_object('k' || i % 10, i))) FROM generate_series(1, 600) i;
SELECT count(weir.append_best_effort('h.live', '1')) FROM generate_series(1, 300) i;
SELECT count(weir.emit('h.kept', '1', 'n')) FROM generate_series(1, 1100) i;
SELECT weir.append('h.dropped', '1') IS NOT NULL, weir.drop_stream('h.dropped');
SELECT weir.trim('h.trimmed', keep => 1);
SELECT count(*) FROM weir.read('h.log', max => 10000), weir.summary('h.doc'), weir.stream_info('h.kept');
SELECT acquired FROM weir.lease_acquire('h' || random(), 'me', '1 second');"
# nobody_minds CLAIM
nobody_minds() {
    local state
    state=$(sqlstate "$every_call")
    is "$1: no call fails or waits" "$state" 00000
}
psql -c "SELECT weir.create_stream('h.kept', max_frames => 10), weir.append('h.trimmed', '1')" \
    -c "SELECT weir.create_stream(n, maxlen_floor => 32, maxlen_ceiling => 32)
        FROM unnest('{h.live,h.lock,h.prep,h.busy}'::text[]) n" >/dev/null
nobody_minds "(as it should be)"

note "a lock that is never granted, of each table that only housekeeping needs for long"
# Held by another session. ROW EXCLUSIVE, which all writers take, is let through; SHARE is what no write can have.
session_start locker
tell_and_wait locker "BEGIN; LOCK TABLE weir.checkpoint IN SHARE MODE;"
state=$(sqlstate "SET statement_timeout = '4s'; SELECT count(weir.append('h.lock', '1'))
    FROM generate_series(1, 1100) i;
    SELECT count(weir.append_best_effort('h.lock', '1'))
    FROM generate_series(1, 300) i;
    SELECT count(*) FROM weir.read('h.lock', max => 10000)")
is "appends and reads do not wait for the checkpoints" "$state" 00000
check "the job fails" poll 20 is_house checkpoints "failures > 0"
is "and says why" "$(housekeeping checkpoints last_error)" "canceling statement due to lock timeout"
runs=$(housekeeping frames runs)
psql -c "SELECT count(weir.append_best_effort('h.lock', '1'))
    FROM generate_series(1, 300) i" >/dev/null
check "other jobs go on" poll 20 is_house frames "runs > $runs"
is "the log says it once for a stream" \
    "$(grep -c 'housekeeping of weir failed: canceling statement due to lock timeout' "$server_log")" 1
tell_and_wait locker "ROLLBACK;"
has_checkpoint() { [ "$(value -c "SELECT count(*) > 0 FROM weir.checkpoint c
    JOIN weir.registry s ON s.id = c.stream_id WHERE s.name = '$1'")" = t ]; }
check "and it is done once the lock is free" poll 60 has_checkpoint h.lock
nobody_minds "after a lock"
session_end locker

note "a publication of all tables, and tables without a replica identity"
psql -c "ALTER SYSTEM SET wal_level = logical" >/dev/null
cluster_start house
psql -c "SELECT weir.append('h.old', '1'), weir.drop_stream('h.old')" >/dev/null
psql -c "UPDATE weir.registry SET dropped_at = '1000-0' WHERE name = 'h.old'"
psql -c "ALTER TABLE weir.registry REPLICA IDENTITY NOTHING" -c "CREATE PUBLICATION everything FOR ALL TABLES"
state=$(sqlstate "SET statement_timeout = '4s'; SELECT weir.append('h.pub', '1');
    SELECT count(weir.append('h.pub', '1')) FROM generate_series(1, 2100) i;
    SELECT weir.drop_stream('h.pub'); SELECT weir.append('h.pub', '1'); SELECT count(*)
    FROM weir.read('h.pub', max => 10000)")
is "appends, drops and reads do not mind" "$state" 00000
psql -c "SELECT steps FROM weir.housekeep('names')" >/dev/null
check "forgetting names fails" is_house names "failures > 0 AND last_error LIKE '%replica identity%'"
psql -c "DROP PUBLICATION everything"
forgotten() { [ "$(value -c "SELECT count(*) FROM weir.registry WHERE name = 'h.old'")" = 0 ]; }
check "and is done once it is gone" poll 90 forgotten
nobody_minds "after a publication"

note "an error in every step: each job's statements are made to fail"
# A trigger that refuses is the plainest of errors; log tables do not run any.
psql -c "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END'"
psql -c "CREATE TRIGGER refuse BEFORE INSERT OR DELETE ON weir.checkpoint FOR EACH ROW EXECUTE FUNCTION refuse()" \
    -c "CREATE TRIGGER refuse BEFORE DELETE ON weir.idempotency FOR EACH ROW EXECUTE FUNCTION refuse()"
psql -c "UPDATE weir.idempotency SET called_at = now() - interval '2 days'"
state=$(sqlstate "SET statement_timeout = '4s'; SELECT count(weir.append('h.err', to_jsonb(i)))
    FROM generate_series(1, 1100) i;
    SELECT count(weir.append('h.err', '1', idempotency_key => 'e' || i)) FROM generate_series(1, 130) i;
    SELECT count(*) FROM weir.read('h.err', max => 10000);
    SELECT document FROM weir.summary('h.doc')")
is "appends, keyed ones too, and reads do not fail" "$state" 00000
check "checkpoints fail" poll 20 is_house checkpoints "last_error = 'refused'"
check "expiring keys fails" poll 20 is_house keys "last_error = 'refused'"
psql -c "DROP TRIGGER refuse ON weir.checkpoint" -c "DROP TRIGGER refuse ON weir.idempotency"
check "checkpoints are written once nothing refuses" poll 90 has_checkpoint h.err
no_old_keys() { [ "$(value -c "SELECT count(*) FROM weir.idempotency
    WHERE called_at < now() - interval '1 day'")" = 0 ]; }
check "keys expire" poll 90 no_old_keys
nobody_minds "after errors"

note "what a prepared transaction holds"
psql -c "BEGIN" -c "SELECT count(weir.append('h.prep', to_jsonb(i))) FROM generate_series(1, 1100) i" \
    -c "SELECT count(weir.append_best_effort('h.prep', '1'))
    FROM generate_series(1, 300) i" \
    -c "PREPARE TRANSACTION 'h'" >/dev/null
is "a trim does not wait for it" "$(sqlstate "SET statement_timeout = '4s';
    SELECT weir.append('h.prep', '1'), weir.trim('h.prep', keep => 1)")" 00000
psql -c "SELECT weir.alter_stream('h.prep', max_frames => 1)" -c "COMMIT PREPARED 'h'" >/dev/null
few_left() { [ "$(value -c "SELECT frames < 10 FROM weir.stream_info('h.prep')")" = t ]; }
check "retention comes to it afterwards" poll 30 few_left

note "no place for a worker"
psql -c "CREATE DATABASE crowded" && psql -d crowded -c 'CREATE EXTENSION weir'
cluster_start house "max_worker_processes = 1"
nobody_minds "without a worker"
for _ in 1 2 3; do psql -c "$every_call" >/dev/null; done
check "best-effort frames stay bounded all the same" test "$(value -c "SELECT count(*) < 1200
    FROM weir.frame_best_effort l JOIN weir.registry s ON s.id = l.stream_id WHERE s.name = 'h.live'")" = t
is "weir.housekeep() does the rest" "$(value -c "SELECT count(*) > 0, coalesce(sum(failures), 0)
    FROM weir.housekeep()")" "t|0"
is "the log says why" "$(grep -c 'could not start the housekeeper of weir' "$server_log" | awk '{ print ($1 > 0) }')" 1
cluster_start house "max_worker_processes = 8"
nobody_minds "with workers again"
nothing_left() { [ "$(value -c "SELECT sum(pending) = 0 FROM weir.housekeeping")" = t ]; }
check "all that was asked for is done" poll 60 nothing_left
is "and nothing fails any more" "$(value -c "SELECT sum(failures) FROM weir.housekeeping")" 0

note "memory that is not there"
# The housekeeper is left as much as it has by now, and asked to fold a document of 6 MB.
house_pid() { value -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'weir housekeeper'
    AND datname = current_database()"; }
has_house() { [ -n "$(house_pid)" ]; }
starved=
# The soft limit, which may be lifted again.
limit_memory() { as_server prlimit --pid "$starved" "--as=$1:" 2>/dev/null; }
starve() {
    psql -c "SELECT count(weir.append_best_effort('h.busy', '1'))
    FROM generate_series(1, 64) i" >/dev/null
    poll 10 has_house || return 1
    starved=$(house_pid)
    limit_memory $(($(awk '/^VmSize/ { print $2 }' "/proc/$starved/status") * 1024 + 2 * 1024 * 1024))
}
check "(it is starved)" poll 20 starve
state=$(sqlstate "SET statement_timeout = '30s'; SELECT count(weir.append_patch('h.hungry', jsonb_build_object('k' \
    || i, repeat(md5(i::text), 300)))) FROM generate_series(1, 600) i")
is "a patch does not find out" "$state" 00000
check "the job does" poll 20 is_house checkpoints "failures > 0 AND last_error ~ 'memory'"
nobody_minds "meanwhile"
limit_memory unlimited || true
check "and is done once it has more" poll 90 has_checkpoint h.hungry

note "by itself: leases expire, retention by age on an idle stream, the clock"
psql -c "SELECT acquired FROM weir.lease_acquire('h.lease', 'me', '1 second')" >/dev/null
expired() { [ "$(value -c "SELECT count(*) FROM weir.read('leases') WHERE type = 'expired'
    AND headers->>'lease' = 'h.lease'")" = 1 ]; }
check "a lease that expires is written down by itself" poll 15 expired
psql -c "SELECT weir.create_stream('h.age', max_age => '1 second'), weir.append('h.age', '1')" >/dev/null
aged() { [ "$(value -c "SELECT count(*) FROM weir.read('h.age')")" = 0 ]; }
check "an idle stream's events go when they come of age" poll 40 aged

note "a synchronous standby that is dead"
psql -c "SELECT weir.append_best_effort('h.sync', '1')" -c "ALTER SYSTEM SET synchronous_standby_names = 'nobody'" \
    -c "SELECT pg_reload_conf()" >/dev/null
waits() { [ "$(value -c "SHOW synchronous_standby_names")" = nobody ]; }
poll 10 waits
done=0
for n in {1..40}; do
    ! timeout 5 "$PGBIN/psql" -X -q -c "SELECT weir.append_best_effort('h.sync', '$n')" >/dev/null 2>&1 || done=$((done + 1))
    sleep 0.1
done
is "no best-effort append waits for it, whoever has to move the bound of the clock" "$done" 40
is "(a durable one does)" "$(timeout 2 "$PGBIN/psql" -X -q \
    -c "SELECT weir.append('h.sync', '1')" >/dev/null 2>&1; echo $?)" 124
check "housekeeping goes on" is_house clock "last_success > now() - interval '5 s'"
psql -c "ALTER SYSTEM RESET synchronous_standby_names" -c "SELECT pg_reload_conf()" >/dev/null
finish
