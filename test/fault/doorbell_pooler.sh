#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: through PgBouncer in transaction mode CALL weir.wait() works as it does
# directly: woken by commits and rollbacks of other clients of the pool. It takes a
# server connection while it waits, and leaves nothing behind in it: afterwards
# the connection is anybody's, and the client's next statements may run in another one.
# No session state is needed: no LISTEN, no SET.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"
. "$(dirname "$0")/pooler.sh"

cluster_start server "weir.poll_interval = '1h'"
cluster_use server
psql -c 'CREATE EXTENSION weir' -c "SELECT weir.append('s', '1')" >/dev/null
pooler_start pool <<CONF
[databases]
pool = host=$PGHOST port=$PGPORT dbname=postgres user=postgres pool_size=2
lonely = host=$PGHOST port=$PGPORT dbname=postgres user=postgres pool_size=1
[pgbouncer]
pool_mode = transaction
auth_type = any
CONF
pool=(-h "$pooler" -d pool)

is "ready at once" "$(value "${pool[@]}" -c "CALL weir.wait('s', NULL, '0')")" 't|frames'
is "out of time" "$(value "${pool[@]}" -c "CALL weir.wait('s', weir.head('s'), '100 ms')")" 'f|timeout'
in_call() { [ "$(value -c "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL weir.wait%' AND state = 'active' AND wait_event_type = 'Extension'")" = "$1" ]; }
session_start a "${pool[@]}"
tell_and_wait a "SELECT;"
tell a "CALL weir.wait('s', weir.head('s'), '60 s');"
check "(a client waits)" poll 15 in_call 1
is "another one of the pool appends" "$(value "${pool[@]}" -c "SELECT weir.append('s', '2') IS NOT NULL")" t
check "which wakes it" poll 15 is_woken a
tell_and_wait a "SELECT 'read ' || string_agg(payload::text, ' ') FROM weir.read('s');"
check "it reads what came" grep -qx 'read 1 2' "$WEIR_TMP/a.out"
forget a
# In the way, directly at the server: a transaction in the pool would be in the other connection.
session_start open
tell_and_wait open "BEGIN; SELECT weir.append('s', '3');"
value "${pool[@]}" -c "SELECT weir.append('s', '4')" >/dev/null
tell a "CALL weir.wait('s', weir.head('s'), '60 s');"
check "(it waits again)" poll 15 in_call 1
tell open "ROLLBACK;"
check "a rollback wakes it" poll 15 is_woken a
session_end open
is "inside a transaction block it is an error" "$(PGHOST=$pooler PGDATABASE=pool sqlstate "BEGIN; CALL weir.wait('s', NULL, '0')")" 25001

note "one connection"
lonely=(-h "$pooler" -d lonely)
session_start b "${lonely[@]}"
forget b
tell_and_wait b "CALL weir.wait('s', weir.head('s'), '50 ms');"
is "after a wait that ran out of time, with its client still there, the only connection is another's" "$(value "${lonely[@]}" -c "SELECT weir.append('s', '5') IS NOT NULL")" t
forget b
tell b "CALL weir.wait('s', weir.head('s'), '300 ms');"
poll 15 in_call 1 || true
is "while it waits others queue up, until its timeout" "$(value "${lonely[@]}" -c "SELECT weir.append('s', '6') IS NOT NULL")" t
tell_and_wait b "SELECT;"
is "so the append came too late for it" "$(grep -cx 'f|timeout' "$WEIR_TMP/b.out")" 1
is "the connection is as it was: it listens to nothing, and holds nothing" \
    "$(value "${lonely[@]}" -c "SELECT (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype NOT IN ('virtualxid', 'relation')), current_setting('weir.poll_interval')")" '0|0|1h'
# A client that goes away in the middle of a wait.
tell b "CALL weir.wait('s', weir.head('s'), '60 s');"
poll 15 in_call 1 || true
kill "${session_pid[b]}"
is "a client that goes away while it waits leaves the pool a connection" "$(value "${lonely[@]}" -c "SELECT 1")" 1
session_end b
session_end a
finish
