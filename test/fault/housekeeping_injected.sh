#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: whatever becomes of a step of housekeeping, of each job by itself, no caller fails or
# waits, the other jobs go on, and the work is done once the cause is gone.
#
# Steps are planted (faulty_step.hpp) that fail when all has been done, ask for a lock that
# is never granted while they hold all of their own, run out of memory, or whose process has
# to leave; and there is no worker at all. A step gives up waiting for a lock after four seconds
# here, so that whoever waits for what it holds is found out, and comes again at once.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"
. "$(dirname "$0")/planting.sh"
. "$(dirname "$0")/faulty_steps.sh"

plant_faulty_steps "$WEIR_TMP/copy" \
    's/housekeeper_lock_timeout = "[^"]*"/housekeeper_lock_timeout = "4s"/'
plant_use "$WEIR_TMP/copy"

cluster_start house "max_worker_processes = 8" "autovacuum = off"
cluster_use house
# Calls of every kind, on streams that a step may be at ("busy"), and on others. Each is a transaction of its own
# that has two seconds: half of what a step waits.
psql >/dev/null <<'SQL'
CREATE EXTENSION weir;
SET client_min_messages = warning;
CREATE PROCEDURE calls(n text) LANGUAGE plpgsql AS $$
DECLARE
    -- Whoever appends to a stream whose end is being made waits for that step, as behind any drop.
    appends_behind text := CASE WHEN n LIKE 'lock%' THEN 'SELECT' ELSE 'SELECT weir.append(''over.%1$s'', ''1'')' END;
    call text;
    started timestamptz;
BEGIN
    FOREACH call IN ARRAY ARRAY[
        'SELECT weir.append(''busy.checkpoints.%1$s'', ''1'')',
        'SELECT count(*) FROM weir.read(''busy.checkpoints.%1$s'', max => 10000)',
        'SELECT weir.append_patch(''busy.checkpoints.%1$s'', ''{"a": 1}'')',
        'SELECT weir.summary(''busy.checkpoints.%1$s'')',
        'SELECT weir.stream_info(''busy.checkpoints.%1$s'')',
        'SELECT count(weir.append_best_effort(''busy.frames.%1$s'', ''1''))
            FROM generate_series(1, 100)',
        'SELECT count(*) FROM weir.read(''busy.frames.%1$s'')',
        'SELECT count(weir.append(''busy.keys.%1$s'', ''1'', idempotency_key => ''k'' || i))
            FROM generate_series(1, 100) i',
        'SELECT weir.append(''busy.keys.%1$s'', ''1'', idempotency_key => ''k1'')',
        'SELECT count(weir.emit(''busy.retention.%1$s'', type => ''n'', payload => ''1''))
            FROM generate_series(1, 100)',
        'SELECT count(*) FROM weir.read(''busy.retention.%1$s'', max => 10000)',
        'SELECT count(*) FROM weir.fetch(''reader'')',
        'SELECT weir.ack(''reader'', weir.head(''busy.keys.%1$s''), ''busy.keys.%1$s'')',
        'SELECT weir.create_stream(''over.%1$s'', expires_at => now())',
        appends_behind,
        'SELECT count(*) FROM weir.read(''busy.ended.%1$s''), weir.stream_info(''busy.ended.%1$s'')',
        'SELECT weir.head(''busy.ended.%1$s''), weir.summary(''busy.ended.%1$s'')',
        'SELECT count(*) FROM weir.list_streams(''busy.*'')',
        'SELECT weir.append(''other.%1$s'', ''1''), weir.trim(''other.%1$s'', keep => 0)',
        'SELECT weir.drop_stream(''other.%1$s'')',
        'SELECT weir.append(''other.%1$s'', ''1'')',
        'SELECT weir.close(''other.%1$s'')',
        'SELECT weir.lease_acquire(''other.%1$s'', ''me''), weir.lease_renew(''other.%1$s'', ''me'', 1)',
        'SELECT weir.lease_release(''other.%1$s'', ''me'', 1)',
        'SELECT count(*) FROM weir.leases'] LOOP
        started := clock_timestamp();
        EXECUTE format(call, n);
        COMMIT;
        IF clock_timestamp() - started > interval '2 s' THEN
            RAISE EXCEPTION '% took %', call, clock_timestamp() - started USING ERRCODE = 'query_canceled';
        END IF;
    END LOOP;
END $$;
SELECT weir.append('warm', '1'), weir.append_best_effort('warm', '1'), weir.drop_stream('warm');
SELECT weir.subscribe('reader', 'busy.keys.*', '-');
SQL

jobs=("${housekeeping_jobs[@]}")
housekeeping() { value -c "SELECT $2 FROM weir.housekeeping WHERE job = '$1'"; }
is_house() { [ "$(housekeeping "$1" "$2")" = t ]; }
is_true() { [ "$(value -c "SELECT $1")" = t ]; }
vacuums() { value -c "SELECT vacuum_count FROM pg_stat_all_tables WHERE relid = 'weir.frame_best_effort'::regclass"; }

# keep_few STREAM: of its best-effort frames.
keep_few() {
    local limits="maxlen_floor => 32, maxlen_ceiling => 32"
    psql -c "SELECT weir.alter_stream('$1', $limits) WHERE EXISTS (SELECT FROM weir.stream_info('$1'))" \
        -c "SELECT weir.create_stream('$1', $limits) WHERE NOT EXISTS (SELECT FROM weir.stream_info('$1'))"
}

# work JOB N: makes work for the job. has_worked JOB N: whether it is done.
work() {
    case $1 in
        checkpoints) psql -c "SELECT count(weir.append('busy.checkpoints.$2', to_jsonb(i)))
            FROM generate_series(1, 1100) i" ;;
        frames) keep_few "busy.frames.$2"
            psql -c "SELECT count(weir.append_best_effort('busy.frames.$2', '1')) FROM generate_series(1, 300) i" ;;
        names) psql -c "SELECT weir.append('old.$2', '1'), weir.drop_stream('old.$2')" \
            -c "UPDATE weir.registry SET dropped_at = '1000-0' WHERE name = 'old.$2'" \
            -c "SELECT weir.append('new.$2', '1'), weir.drop_stream('new.$2')" ;;
        keys) psql -c "SELECT weir.append('busy.keys.$2', '1', idempotency_key => 'old')" \
            -c "UPDATE weir.idempotency SET called_at = now() - interval '2 days' WHERE key = 'old'" \
            -c "SELECT count(weir.append('busy.keys.$2', '1', idempotency_key => 'n' || i))
                FROM generate_series(1, 130) i" ;;
        vacuum) vacuums_before=$(vacuums)
            keep_few "busy.frames.$2"
            psql -c "SELECT count(weir.append_best_effort_batch('busy.frames.$2', array_fill('1'::jsonb, ARRAY[1000]))) FROM generate_series(1, 10)" \
                -c "SELECT weir.append_best_effort('busy.frames.$2', '1')" ;;
        lifetimes) psql -c "SELECT weir.append('busy.ended.$2', '1')" \
            -c "SELECT weir.alter_stream('busy.ended.$2', expires_at => now())" ;;
        clock) psql -c "SELECT weir.append_best_effort('busy.clock', '1')" ;;
        retention) psql -c "SELECT weir.create_stream('busy.retention.$2', max_frames => 10)" \
            -c "SELECT count(weir.emit('busy.retention.$2', type => 'n', payload => '1'))
                FROM generate_series(1, 1100)" ;;
        leases) psql -c "SELECT weir.lease_acquire('busy.$2', 'me', '1 second')" ;;
    esac >/dev/null
}
has_worked() {
    case $1 in
        checkpoints) is_true "count(*) > 0 FROM weir.checkpoint JOIN weir.registry s ON s.id = stream_id
            WHERE s.name = 'busy.checkpoints.$2'" ;;
        frames) is_true "count(*) < 150 FROM weir.frame_best_effort JOIN weir.registry s ON s.id = stream_id
            WHERE s.name = 'busy.frames.$2'" ;;
        names) is_true "count(*) = 0 FROM weir.registry WHERE name = 'old.$2'" ;;
        keys) is_true "count(*) = 0 FROM weir.idempotency WHERE key = 'old'" ;;
        vacuum) [ "$(vacuums)" -gt "$vacuums_before" ] ;;
        lifetimes) is_true "count(*) = 0 FROM weir.frame_log JOIN weir.registry s ON s.id = stream_id
            WHERE s.name = 'busy.ended.$2' AND payload IS NOT NULL" ;;
        # A caller moves the bound one second ahead, the job three more.
        clock) is_true "(weir.append_best_effort('busy.clock', '1') IS NOT NULL)::text <> '' AND (last_value >> 20)
            > 1500 + 1000 * extract(epoch FROM clock_timestamp()) FROM weir.clock" ;;
        retention) is_true "frames <= 10 FROM weir.stream_info('busy.retention.$2')" ;;
        leases) is_true "count(*) = 1 FROM weir.read('leases', types => '{expired}', max => 10000)
            WHERE payload->>'lease' = 'busy.$2'" ;;
    esac
}
nobody_minds() {
    local said
    if said=$("$PGBIN/psql" -X -q -c "CALL calls('$2')" 2>&1 >/dev/null); then ok "$1: no call fails or waits"
    else not_ok "$1: no call fails or waits"; note "$said"; fi
}

declare -A says=([error]=planted [lock]="lock timeout" [memory]=memory)
has_left() { [ "$(grep -c 'FATAL:  planted' "$WEIR_TMP/house/server.log")" -gt "$1" ]; }

session_start locker
tell_and_wait locker "SELECT pg_advisory_lock(4703);"
for what in error lock memory exit; do
    for i in "${!jobs[@]}"; do
        job=${jobs[$i]} n=$what.$i
        fault house "$job" "$what"
        failures=$(housekeeping "$job" failures)
        left=$(grep -c 'FATAL:  planted' "$WEIR_TMP/house/server.log" || true)
        work "$job" "$n"
        [ "$job" != vacuum ] || work frames "$n"
        nobody_minds "$job, $what" "$n"
        if [ "$what" = exit ]; then check "$job: its process leaves" poll 30 has_left "$left"
        else check "$job, $what: it fails" poll 30 is_house "$job" \
            "failures > $failures AND last_error ~ '${says[$what]}'"; fi
        nobody_minds "$job, $what, again" "$n.again"
        if [ "$what" = error ]; then
            other=${jobs[$(((i + 1) % ${#jobs[@]}))]}
            work "$other" "$n.other"
            check "$job, $what: the $other go on" poll 30 has_worked "$other" "$n.other"
        fi
        mend house "$job"
        check "$job, $what: it is done once the cause is gone" poll 60 has_worked "$job" "$n"
    done
done
session_end locker

note "no worker is to be had"
fault house worker none
has_no_housekeeper() { is_true "count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'weir housekeeper'"; }
check "(the last one leaves)" poll 30 has_no_housekeeper
for job in "${jobs[@]}"; do
    work "$job" none
    nobody_minds "$job, no worker" "none.$job"
done
check "(and there was none)" has_no_housekeeper
mend house worker
# Whoever works there next finds out that one can be had again; looking at the clock's bound is such work.
for job in clock "${jobs[@]}"; do
    check "$job: it is done once there is a worker again" poll 60 has_worked "$job" none
done
finish
