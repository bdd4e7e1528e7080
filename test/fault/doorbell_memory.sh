#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: with no dynamic shared memory to be had, all families write and read, waiters find what is there by their polls,
# listeners are told, the log says so once and weir.doorbell shows it; once there is
# memory it is used. Where the server's own spare shared memory was used up before weir's first use, as by a table
# of locks that anybody may fill, all families work as ever, in all sessions, also after a crash.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

server_log=$WEIR_TMP/memory/server.log
segments=$WEIR_TMP/memory/data/pg_dynshmem
is_figure() { [ "$(value -c "SELECT $1 FROM weir.doorbell")" = t ]; }

# Something of every family that shares memory.
families() {
    is "$1: a stream, best effort" "$(sqlstate "SELECT weir.append('a', '1'), weir.append_best_effort('a', '1')")" 00000
    is "$1: an outbox trigger, weir.emit" "$(sqlstate "INSERT INTO t SELECT count(*) FROM t; SELECT weir.emit('a', '{}', 'x')")" 00000
    is "$1: a lease" "$(value -c "SELECT acquired FROM weir.lease_acquire('l' || txid_current(), 'me')")" t
    is "$1: weir.notify" "$(sqlstate "SELECT weir.notify('mine', 'x')")" 00000
    check "$1: what was written is read" test "$(value -c "SELECT count(*) FROM weir.read('a')")" -ge 2
    is "$1: weir.wait" "$(value -c "CALL weir.wait('a', NULL, '1 s')")" 't|frames'
    is "$1: weir.mint" "$(sqlstate "INSERT INTO minted (k) VALUES (1)")" 00000
}

cluster_start memory "dynamic_shared_memory_type = mmap" "weir.poll_interval = 200"
cluster_use memory
psql -c 'CREATE EXTENSION weir' -c 'CREATE TABLE t (n integer PRIMARY KEY)' \
    -c "CREATE TRIGGER o AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION weir.outbox('a')" \
    -c "CREATE TABLE minted (k integer, id weir.position, UNIQUE (k, id))" \
    -c "CREATE TRIGGER m BEFORE INSERT ON minted FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=k')" \
    >"$WEIR_TMP/made" 2>&1 || cat "$WEIR_TMP/made"
cluster_start memory # as if weir was never used

note "no dynamic shared memory"
chmod a-w "$segments"
families "no memory"
listen all -- weir:a mine
position=$(value -c "SELECT weir.append('a', '1')")
hears "a stream's listeners are told" all "^weir:a|$position\$"
psql -c "SELECT weir.notify('mine', 'y')" >/dev/null
hears "weir.notify()" all '^mine|y$'
sleeper waiter "CALL weir.wait('a', weir.head('a'), '60 s');"
psql -c "SELECT weir.append('a', '2')" >/dev/null
check "a waiter finds it by its poll" poll 15 is_woken waiter
session_end waiter
check "weir.doorbell shows it" is_figure 'NOT shared_memory'
is "the log says it once" "$(grep -c 'there is no dynamic shared memory' "$server_log")" 1
# A session that has found none goes on with what another one has made.
session_start old
tell_and_wait old "SELECT weir.append('a', '3');"
chmod u+w "$segments"
check "as soon as there is some, it is used" poll 15 is_figure shared_memory
sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('a', weir.head('a'), '60 s');"
tell_and_wait old "SELECT weir.append('a', '4');"
check "also by sessions that had found none" poll 15 is_woken waiter
session_end waiter
session_end old
session_end all

note "no room in the server's shared memory"
cluster_start memory "dynamic_shared_memory_type = posix"
# Until then nobody can connect.
is_let_go() { [ "$(value -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'" 2>/dev/null)" = 0 ]; }
fill() {
    psql -c "SELECT pg_advisory_lock(n) FROM generate_series(1, 1000000) n" >/dev/null 2>"$WEIR_TMP/filled" || true
    check "(the table of locks was filled)" grep -q 'out of shared memory' "$WEIR_TMP/filled"
    check "(and let go again)" poll 60 is_let_go
}
psql -c 'CREATE ROLE anybody LOGIN'
PGUSER=anybody fill
families "no room"
is "the log says it, and what to do" "$(grep -A 2 'there is no room for weir' "$server_log" | grep -c 'shared_preload_libraries')" \
    "$(grep -c 'there is no room for weir' "$server_log")"
check "(it does)" grep -q 'there is no room for weir' "$server_log"
# Positions are assigned by several sessions at once, under locks that lie there.
psql -c "SELECT weir.create_stream('many')" >/dev/null
for n in 1 2 3 4; do
    "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -c "DO \$\$ BEGIN FOR i IN 1..500 LOOP PERFORM weir.append('many', '$n');
        COMMIT; END LOOP; END \$\$" >"$WEIR_TMP/many$n" 2>&1 &
    pids[n]=$!
done
for n in 1 2 3 4; do check "one of four writers at once" wait "${pids[n]}"; done
is "all is there, once" "$(value -c "SELECT count(*), count(DISTINCT id::text) FROM weir.read('many', NULL, NULL, 10000)")" '2000|2000'
crash_and_restart memory
is "after a crash nothing of it is left" "$(find "$WEIR_TMP/memory/data/base" -name 'pgsql_tmp.weir*' | wc -l)" 0
families "after a crash"
finish
