#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: no wakeup is lost (test/waking): wherever random transactions are stopped,
# readers that look only when woken have read, or come to read, all that is settled.
# Their polls are an hour apart, but where a wakeup is documented to come by the
# next poll: after COMMIT PREPARED, and for listeners where there is no worker.
# About 25 seconds; WEIR_STRESS_SECONDS for a long run, or WEIR_STRESS=1 for ten minutes.
set -euo pipefail
. "$(dirname "$0")/common.sh"

seconds=${WEIR_STRESS_SECONDS:-${WEIR_STRESS:+600}}
part=$(awk "BEGIN { print ${seconds:-18} / 8 }")
cluster_start waking
cluster_use waking
waking=$(program_build waking weir-waking)
psql -c 'CREATE EXTENSION weir'

run=0
# wakes WHAT [options]
wakes() {
    note "$1"
    shift
    run=$((run + 1))
    "$waking" --conninfo dbname=postgres --run "waking$run" --seed $((${WEIR_SEED:-1} + run)) --seconds "$part" "$@" ||
        not_ok_lines=$((not_ok_lines + 1))
}
wakes "few streams"
wakes "one stream, more sleepers than a writer wakes by itself" --streams 1 --waiters 24 --many 6
wakes "few events, far between" --streams 2 --writers 2 --burst 0.5 --idle 10
wakes "transactions over more streams than they keep account of" --streams 400 --wide --writers 4 --many 1
wakes "the worker is terminated" --kill-worker 300 --listen-poll 500
wakes "prepared transactions" --prepared --wait-poll 300 --listen-poll 300
psql -c 'ALTER DATABASE postgres SET weir.doorbell = transaction'
wakes "weir.doorbell = transaction: rollbacks are not announced" --waiters 12 --streams 1 --listen-poll 300
psql -c 'ALTER DATABASE postgres RESET weir.doorbell'
cluster_start waking "max_worker_processes = 1"
wakes "no worker to be had" --waiters 12 --streams 1 --listen-poll 300
is "(there was none)" "$(value -c "SELECT worker_starts > 0, notified_in_commit > 0, worker_pid FROM weir.doorbell")" "t|t|"
finish
