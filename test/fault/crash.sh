#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims, while the checker's writers and readers run and reconnect: a backend killed
# with signal 9 (upon which the server restarts all), the whole server killed, and an
# immediate stop lose no acknowledged durable frame and deliver none twice; a
# transaction whose COMMIT got no answer is there whole or not at all; an append
# retried under its idempotency key happens once; prepared transactions survive;
# positions never go back, not even those of best-effort frames that the crash took.
# Seconds in all: WEIR_STRESS_SECONDS (25).
set -euo pipefail
. "$(dirname "$0")/common.sh"

seconds=${WEIR_STRESS_SECONDS:-25}
cluster_start crash "restart_after_crash = on" "checkpoint_timeout = 30s" "max_wal_size = 64MB"
cluster_use crash
checker_build
psql -c 'CREATE EXTENSION weir'

"$checker" --conninfo dbname=postgres --keep-going-on-disconnect --seconds "$seconds" --writers 6 --readers 6 \
    --history "$WEIR_TMP/history" >"$WEIR_TMP/checker.log" 2>&1 &
checker_pid=$!

quiet() { "$PGBIN/psql" -X -q -At "$@" 2>/dev/null; }
frames() { quiet -c 'SELECT count(*) FROM weir.frame_log' || echo -1; }
# Work goes on: a good deal was committed since.
progressed() { [ "$(frames)" -gt $(($1 + 300)) ]; }
victim() { quiet -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'weir-checker' ORDER BY random() LIMIT 1"; }

faults=0
while [ $SECONDS -lt "$seconds" ]; do
    before=$(frames)
    poll 20 progressed "$before" || { not_ok "the checker's writers came back"; break; }
    case $((faults % 3)) in
        0) pid=$(victim) && [ -n "$pid" ] && kill -KILL "$pid" || true ;;
        1) crash_and_restart crash ;;
        2) cluster_stop crash immediate
           cluster_start crash ;;
    esac
    faults=$((faults + 1))
    poll 30 quiet -c 'SELECT 1' >/dev/null || { not_ok "the server came back"; break; }
done

status=0
wait "$checker_pid" || status=$?
cat "$WEIR_TMP/checker.log"
is "the checker's exit status" "$status" 0
check "the server went down under it, several times ($faults)" [ "$faults" -ge 3 ]
check "and the checker noticed" grep -Eq 'disconnects [1-9][0-9]' "$WEIR_TMP/checker.log"
is "nothing is left prepared" "$(value -c 'SELECT count(*) FROM pg_prepared_xacts')" 0

note "a cursor on a best-effort frame that the crash took"
cursor=$(value -c "SELECT weir.append_best_effort('lost', '1')" -c "SELECT weir.append_best_effort('lost', '2')" | tail -n 1)
crash_and_restart crash
is "is not taken for one of another server" "$(sqlstate "SELECT * FROM weir.read('lost', after => '$cursor')")" 00000
next=$(value -c "SELECT weir.append('lost', '3')")
check "the next position lies above it" test "$(value -c "SELECT '$next'::weir.position > '$cursor'::weir.position")" = t
is "and it goes on" "$(value -c "SELECT payload FROM weir.read('lost', after => '$cursor')")" 3
finish
