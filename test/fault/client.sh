#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: the client's tests that need no more than a server (test/client). Every
# example compiles and does what its comments say. An installed client is found by find_package and by pkg-config,
# wherever it was moved to, static and shared.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'

client_tests main '~[fault]~[standby]~[pooler]'

note "examples"
client_make all
example() { "$client_build/client/weir_example_$1"; }
is "a round trip through the client" "$(example round_trip)" 'durable "two" 0 bytes
durable - 3 bytes
close
WR001'
is "bytes arrive as they were sent" "$(value -c "SELECT bytes FROM weir.read('example') WHERE bytes IS NOT NULL")" '\x00ff80'
is "without a server it says so and fails" "$(PGHOST=/nonexistent example round_trip 2>/dev/null; echo $?)" 1

psql -c "SELECT weir.append_text('followed', 'line ' || n) FROM generate_series(1, 3) n" -o /dev/null
: >"$WEIR_TMP/follow.1"
"$client_build/client/weir_example_follow" followed "$WEIR_TMP/cursor" >"$WEIR_TMP/follow.1" &
follower=$!
lines_in() { [ "$(wc -l <"$1")" -ge "$2" ] && [ "$(cat "$WEIR_TMP/cursor" 2>/dev/null)" = "$(value -c "SELECT weir.head('followed')")" ]; }
poll 20 lines_in "$WEIR_TMP/follow.1" 3
kill $follower
wait $follower || true
psql -c "SELECT weir.append_text('followed', 'line 4')" -c "SELECT weir.close('followed')" -o /dev/null
is "a follower goes on where it was" "$(cat "$WEIR_TMP/follow.1" && timeout 20 "$client_build/client/weir_example_follow" followed "$WEIR_TMP/cursor")" 'line 1
line 2
line 3
line 4'
is "frames of many streams in one batch" "$(example gather)" '{"frames": 500} after 5 patches'
is "each stream has its own" "$(value -c "SELECT string_agg(payload #>> '{}', ',' ORDER BY id) FROM weir.read('gather/42')")" \
    'token 1,token 2,token 3,token 4,token 5'
is "exactly once" "$(example exactly_once)" 'one order
one order
idempotency key "4711" was used for another request'
is "each event counts once" "$(example handle_events && example handle_events)" '42
84'
is "a lease fences its stream" "$(example hold_lease)" '3 frames
WR013
WR013'
finish
