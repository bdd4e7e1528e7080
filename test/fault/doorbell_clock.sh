#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: a server's clock that is set back or ahead while somebody sleeps in CALL weir.wait() neither
# prolongs nor cuts short the wait, and keeps it from none of its own looks.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start steps
cluster_use steps
psql -c 'CREATE EXTENSION weir' -c "SELECT weir.append('s', '1')" >/dev/null
cluster_stop steps
fake_clock_begin
set_clock +0
fake_clock_start steps
timed_out() { grep -qx 'f|timeout' "$WEIR_TMP/$1.out"; }

sleeper back "SET weir.poll_interval = '1h'; CALL weir.wait('s', weir.head('s'), '3 s');"
set_clock -7200
check "the time is over, the clock set back meanwhile" poll 20 timed_out back
session_end back

# Nobody rings for it: as COMMIT PREPARED, or replay on a standby.
sleeper look "SET weir.poll_interval = 200; CALL weir.wait('s', weir.head('s'), '10 min');"
set_clock -14400
psql -c "SET weir.doorbell = off" -c "SELECT weir.append('s', '2')" >/dev/null
check "its own look finds a frame, the clock set back again" poll 20 is_woken look
session_end look

sleeper ahead "SET weir.poll_interval = 200; CALL weir.wait('s', weir.head('s'), '10 min');"
set_clock +7200
is "and it sleeps on, the clock set ahead by hours" "$(value -c "SELECT pg_sleep(1)" >/dev/null; timed_out ahead && echo over)" ''
psql -c "SELECT weir.append('s', '3')" >/dev/null
check "until something comes" poll 20 is_woken ahead
session_end ahead
finish
