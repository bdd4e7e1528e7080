#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: a server's clock that is set back or ahead keeps no worker from its rest or its work: a
# worker that failed comes back after its second, not after the hour that the clock lost, and an idle
# one leaves.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start steps
cluster_use steps
psql -c 'CREATE EXTENSION weir'
cluster_stop steps
fake_clock_begin
set_clock +0
fake_clock_start steps
one() { value -c "SELECT weir.append('a', '1')" >/dev/null; }
serves() { one && has_worker; }
check "(there is a worker)" poll 20 serves
worker=$(worker_pid)
psql -c "SELECT pg_terminate_backend($worker)" >/dev/null
check "(it dies)" poll 15 gone "$worker"
set_clock -3600
check "one that was terminated has a successor, the clock set back by an hour meanwhile" poll 20 serves
set_clock -7200
check "an idle one leaves, the clock set back again" poll 20 has_no_worker
checkpoints() { [ "$(value -c 'SELECT count(*) > 0 FROM weir.checkpoint')" = t ]; }
psql -c "SELECT count(weir.append('a', to_jsonb(i))) FROM generate_series(1, 2100) i" >/dev/null
set_clock +7200
check "housekeeping is done, the clock set ahead" poll 30 checkpoints
finish
