#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: two databases with the same streams and channels hear their own alone. A
# database can be dropped, copied and renamed right after an append, without FORCE
# and within the time that the server gives others to leave. The extension can be dropped and made anew
# while the worker, waiters and listeners live; what is in flight meanwhile fails
# cleanly or not at all. Databases that are gone take no place away from others.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start databases "max_worker_processes = 100" "max_connections = 150"
cluster_use databases
psql -c 'CREATE DATABASE template'
psql -d template -c 'CREATE EXTENSION weir'
for name in a b; do psql -c "CREATE DATABASE $name TEMPLATE template"; done
one() { value -d "$1" -c "SELECT weir.append('$2', '1')"; }
figure() { value -d "$1" -c "SELECT $2 FROM weir.doorbell"; }

note "two at the same time"
for name in a b; do
    listen "$name" -d "$name" -- weir weir:s mine
    sleeper "waiter_$name" "SET weir.poll_interval = '1h'; CALL weir.wait('only $name', NULL, '60 s');" -d "$name"
done
ring_both() {
    for name in a b; do
        psql -d $name -c "DO \$\$ BEGIN FOR i IN 1..300 LOOP PERFORM weir.append('s', '1'), weir.append('$name ' || i, '1'), weir.notify('mine', '$name'); COMMIT; END LOOP; END \$\$" &
    done
    wait $! && wait -n || true
}
ring_both
for name in a b; do
    position=$(one $name "only $name")
    last=$(value -d $name -c "SELECT weir.head('s')")
    hears "$name hears the last of its own" $name "^weir:s|$last\$"
    hears "and on the database's channel" $name "\"only $name\": \"$position\""
    check "its waiter wakes" poll 15 is_woken "waiter_$name"
    session_end "waiter_$name"
done
is "a has heard of no stream of b" "$(heard a | grep -c '"b [0-9]\||b$\|"only b"')" 0
is "nor b of a" "$(heard b | grep -c '"a [0-9]\||a$\|"only a"')" 0
is "rings are counted apart" "$(figure a rings)" "$(figure b rings)"
for name in a b; do session_end $name; done

note "right after an append"
# Each in a database of its own, all at once. Both workers of a database are there: the doorbell's and the vacuum's.
for name in c d e; do psql -c "CREATE DATABASE $name TEMPLATE template"; done
# timely CLAIM DATABASE STATEMENT
timely() {
    local started=$SECONDS
    value -d "$2" -c "SELECT weir.create_stream('live', maxlen_ceiling => 64)" >/dev/null
    value -d "$2" -c "SELECT count(*) FROM weir.append_best_effort_batch('live', array_fill('1'::jsonb, ARRAY[9000]))" >/dev/null
    one "$2" s >/dev/null
    is "$1" "$(sqlstate "$3")" 00000
    check "in time" test $((SECONDS - started)) -le 5
}
timely "ALTER DATABASE RENAME" c "ALTER DATABASE c RENAME TO renamed" >"$WEIR_TMP/timely1" &
timely "CREATE DATABASE … TEMPLATE" d "CREATE DATABASE copied TEMPLATE d" >"$WEIR_TMP/timely2" &
timely "DROP DATABASE" e "DROP DATABASE e" >"$WEIR_TMP/timely3" &
timely "DROP DATABASE WITH (FORCE)" a "DROP DATABASE a WITH (FORCE)" >"$WEIR_TMP/timely4" &
wait -n; wait -n; wait -n; wait -n || true
cat "$WEIR_TMP"/timely?
! grep -q '^not ok' "$WEIR_TMP"/timely? || not_ok_lines=$((not_ok_lines + 1))

note "the extension dropped and made anew"
listen l -d b -- weir weir:s mine
session_start waiter -d b
pid=$(backend_of waiter)
tell_and_wait waiter "SET weir.poll_interval = 200;"
tell waiter "CALL weir.wait('s', weir.head('s'), '60 s');"
poll 15 is_asleep "$pid" || true
one b s >"$WEIR_TMP/last"
check "(the worker lives)" poll 15 has_worker -d b
poll 15 is_woken waiter || true
tell waiter "CALL weir.wait('s', weir.head('s'), '60 s');"
poll 15 is_asleep "$pid" || true
is "DROP EXTENSION" "$(PGDATABASE=b sqlstate "DROP EXTENSION weir")" 00000
is_told() { grep -q 'ERROR:.*does not exist' "$WEIR_TMP/waiter.out"; }
check "a waiter is told at its next look" poll 15 is_told
is "CREATE EXTENSION" "$(PGDATABASE=b sqlstate "CREATE EXTENSION weir")" 00000
position=$(one b s)
hears "listeners hear the new one's streams" l "^weir:s|$position\$"
tell waiter "SET weir.poll_interval = '1h';"
tell_and_wait waiter "CALL weir.wait('s', NULL, '60 s');"
is "so does the waiter's session" "$(tail -n 2 "$WEIR_TMP/waiter.out" | head -n 1)" 't|frames'
# All at once. Appends find it gone, or going; with one in flight a drop may be a deadlock, as with any tables.
touch "$WEIR_TMP/busy"
for n in 1 2 3; do
    while [ -e "$WEIR_TMP/busy" ]; do
        PGDATABASE=b sqlstate "SELECT weir.append('s$n', '1'), weir.notify('mine', '$n')"
    done >"$WEIR_TMP/states$n" &
done
for _ in {1..6}; do
    PGDATABASE=b sqlstate "DROP EXTENSION IF EXISTS weir"
    PGDATABASE=b sqlstate "CREATE EXTENSION IF NOT EXISTS weir"
done >"$WEIR_TMP/drops"
rm "$WEIR_TMP/busy"
wait -n; wait -n; wait -n || true
note "6 times while others append: $(sort "$WEIR_TMP/drops" | uniq -c | tr -s ' \n' ' '); they get: $(sort "$WEIR_TMP"/states? | uniq -c | tr -s ' \n' ' ')"
is "no drop fails otherwise than by a deadlock" "$(sort -u "$WEIR_TMP/drops" | grep -vx '00000\|40P01' | paste -sd ' ')" ""
is "nor does an append" "$(grep 'ERROR: ' "$WEIR_TMP/databases/server.log" |
    grep -v 'does not exist\|could not open relation with OID\|cache lookup failed for function\|deadlock detected\|CREATE EXTENSION\|canceling' || true)" ""
is_available() { [ "$(figure b worker_available)" = t ]; }
check "then all is well" poll 70 is_available
position=$(one b s)
hears "a commit is heard" l "^weir:s|$position\$"
check "by a worker" has_worker -d b
session_end waiter
session_end l

note "settings of a database"
psql -c "CREATE DATABASE odd TEMPLATE template"
for setting in lock_timeout=1 statement_timeout=1 default_transaction_isolation=serializable default_transaction_read_only=on default_transaction_deferrable=on \
    search_path=nowhere idle_in_transaction_session_timeout=1 idle_session_timeout=1 "role=nobody"; do
    [ "$setting" != role=nobody ] || psql -c "CREATE ROLE nobody"
    psql -c "ALTER DATABASE odd SET ${setting%=*} = '${setting#*=}'"
done
export PGOPTIONS='-c role=none -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c default_transaction_read_only=off -c default_transaction_deferrable=off'
PGOPTIONS+=' -c idle_session_timeout=0'
if [ "$(value -c "SELECT count(*) FROM pg_settings WHERE name = 'transaction_timeout'")" = 1 ]; then # from 17 on
    psql -c "ALTER DATABASE odd SET transaction_timeout = 1"
    PGOPTIONS+=' -c transaction_timeout=0'
fi
session_start inside -d odd
listen l -d odd -- weir:s
unset PGOPTIONS
psql -c "ALTER DATABASE odd ALLOW_CONNECTIONS false"
tell_and_wait inside "SELECT weir.append('s', '1');"
hears "nothing that is set for sessions keeps the worker from its work, nor that there may be no new ones" l '^weir:s|'
tell inside "SELECT weir.append('s', '2'); SELECT weir.append('s', '3');"
tell_and_wait inside "SELECT 'the doorbell ' || notified_in_commit || failures || worker_starts FROM weir.doorbell;"
check "(by the worker, without a failure)" grep -qx 'the doorbell 001' "$WEIR_TMP/inside.out"
session_end inside
session_end l

note "databases that are gone"
# Each is dropped while its worker is about to start, which a postmaster that stands still keeps from
# happening: as many as there are slots, all of which remain of workers that never came.
for n in {1..64}; do echo "CREATE DATABASE gone$n TEMPLATE template;"; done >"$WEIR_TMP/create"
psql -f "$WEIR_TMP/create"
session_start dropper
poll 15 has_no_worker -d b
tell_and_wait dropper "SELECT;"
for n in {1..64}; do
    session_start "gone$n" -d "gone$n"
    tell_and_wait "gone$n" "SELECT;"
done
postmaster=$(head -n 1 "$WEIR_TMP/databases/data/postmaster.pid")
kill -STOP "$postmaster"
for n in {1..64}; do tell "gone$n" "SELECT weir.append('s', '1');"; done
for n in {1..64}; do
    tell_and_wait "gone$n" "SELECT 'done';"
    session_end "gone$n"
    tell "dropper" "DROP DATABASE gone$n;"
done
tell_and_wait dropper "SELECT 'dropped';" 60
kill -CONT "$postmaster"
session_end dropper
is "(64 dropped, and nothing went wrong)" "$(grep -c ERROR "$WEIR_TMP/dropper.out")" 0
note "workers that came too late: $(grep -c 'FATAL:  database .* does not exist' "$WEIR_TMP/databases/server.log")"
psql -c 'CREATE DATABASE next TEMPLATE template'
serves() { one next s >/dev/null && has_worker -d next; }
check "the next database has its worker" poll 15 serves
listen l -d next -- weir:s
position=$(one next s)
hears "and its listener hears" l "^weir:s|$position\$"
session_end l
finish
