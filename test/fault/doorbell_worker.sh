#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: the doorbell's worker comes when needed and leaves after two idle seconds.
# Terminated, crashed or not to be had, it costs no commit and no frame: transactions
# notify by themselves meanwhile, what was not sent is sent by the next worker, a
# worker that keeps dying is not started all the time, and the log says why once. A
# server with waiters, listeners and workers stops at once, in every way. Listeners
# that do not listen make no commit fail.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

one() { value -c "SELECT weir.append('$1', '1')"; }
figure() { value -c "SELECT $1 FROM weir.doorbell"; }
is_figure() { [ "$(value -c "SELECT $1 FROM weir.doorbell")" = t ]; }
server_log=$WEIR_TMP/worker/server.log

note "no worker to be had"
# One place for a worker, beside the one of logical replication; another database's doorbell has it.
cluster_start full "max_worker_processes = 2" "dynamic_library_path = '/nowhere'" "weir.poll_interval = '1h'"
cluster_use full
psql -c 'CREATE EXTENSION weir' -c 'CREATE DATABASE other'
psql -d other -c 'CREATE EXTENSION weir'
listen full -- weir weir:a weir:b mine
# As long as this says so, the other database's worker stays.
touch "$WEIR_TMP/busy"
while [ -e "$WEIR_TMP/busy" ]; do
    value -d other -c "SELECT weir.append('a', '1')" >/dev/null
    sleep 0.5
done &
check "(another database has the only one)" poll 15 has_worker -d other
position=$(one a)
hears "a commit is heard all the same" full "^weir:a|$position\$"
psql -c "SELECT weir.notify('mine', 'x')" -c "BEGIN" -c "SELECT weir.append('a', '2'), weir.append('b', '2')" -c "COMMIT" >/dev/null
hears "weir.notify()" full '^mine|x$'
hears "a second commit" full '^weir:b|'
is "it says that there is none" "$(value -c "SELECT worker_available, worker_pid, notified_in_commit > 1, failures FROM weir.doorbell")" 'f||t|1'
is "the log says so once" "$(grep -c 'could not start a worker for weir' "$WEIR_TMP/full/server.log")" 1
session_start open
tell_and_wait open "BEGIN; SELECT weir.append('c', '1');"
psql -c "SELECT weir.append('c', '2')" >/dev/null
sleeper waiter "CALL weir.wait('c', NULL, '60 s');"
tell open "ROLLBACK;"
check "a rollback wakes waiters" poll 15 is_woken waiter
session_end waiter
session_end open
# Serializable transactions may find out at the very end that they cannot commit.
psql -c 'CREATE TABLE seen (n integer)'
tell_and_wait full "LISTEN \"weir:s\";"
for n in 1 2; do
    session_start "serializable$n"
    tell_and_wait "serializable$n" "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM seen; SELECT weir.append('s', '$n'); INSERT INTO seen VALUES ($n);"
done
psql -c "SELECT weir.append('s', '3')" >/dev/null
for n in 1 2; do tell_and_wait "serializable$n" "COMMIT;"; done
check "(one of them is rolled back as it commits)" test "$(cat "$WEIR_TMP"/serializable?.out | grep -c 'could not serialize')" = 1
for n in 1 2; do session_end "serializable$n"; done
forget full
# The rest is further down, ten seconds later.

cluster_start worker
cluster_use worker
psql -c 'CREATE EXTENSION weir'
listen all -- weir weir:a weir:b mine

note "coming and going"
check "there is none at first" has_no_worker
one a >/dev/null
hears "the first append is heard" all '^weir:a|'
check "by a worker" has_worker
is "which is not the transaction's own doing" "$(figure notified_in_commit)" 0
check "it leaves when nothing is to be done" poll 10 has_no_worker
is "and comes again" "$(one a >/dev/null; poll 15 has_worker && figure 'worker_starts, failures')" '2|0'
worker=$(worker_pid)
value -c "SELECT count(*) FROM pg_stat_activity WHERE pid = $worker AND backend_xid IS NULL AND backend_xmin IS NULL AND wait_event_type = 'Extension'" >"$WEIR_TMP/idle"
is "it holds nothing while it waits" "$(cat "$WEIR_TMP/idle")" 1

note "terminated"
# It dies with marks not taken, and cells not sent. While it is missed, a transaction takes those along.
kill -STOP "$worker"
position=$(one b)
psql -c "SELECT weir.notify('mine', 'unsent')" -c "SELECT pg_terminate_backend($worker)" >/dev/null
kill -CONT "$worker"
check "it dies" poll 15 gone "$worker"
position_a=$(one a)
hears "a commit right after is heard" all "^weir:a|$position_a\$"
check "by the transaction's own doing" is_figure 'notified_in_commit > 0 AND NOT worker_available AND failures = 1'
hears "with what the dead worker had not sent" all "^weir:b|$position\$"
hears "weir.notify() as well" all '^mine|unsent$'
# Where nobody commits any more, its successor sends it.
check "after a while there is another one" poll 10 has_worker
worker=$(worker_pid)
kill -STOP "$worker"
position=$(value -c "BEGIN; SELECT weir.append('b', '1'); ROLLBACK")
psql -c "SELECT weir.notify('mine', 'unsent again')" -c "SELECT pg_terminate_backend($worker)" >/dev/null
kill -CONT "$worker"
check "it dies, too" poll 15 gone "$worker"
hears "the one after it sends what it had not" all "^weir:b|$position\$"
hears "weir.notify() as well" all '^mine|unsent again$'
# Again and again, half a second and more lies between two starts.
starts=$(figure worker_starts)
end=$((SECONDS + 4))
while [ $SECONDS -lt $end ]; do
    psql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'weir doorbell'" -c "SELECT weir.append('b', '1')" >/dev/null
done
check "one that is terminated all the time is not started all the time" test $(($(figure worker_starts) - starts)) -le 12
position=$(one a)
hears "commits are heard all the time" all "^weir:a|$position\$"
psql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'weir doorbell'" >/dev/null
position=$(one a)
hears "it can be cancelled" all "^weir:a|$position\$"

note "killed"
# The server starts anew all by itself, without shared memory of before.
poll 70 is_figure worker_available
one a >/dev/null
poll 15 has_worker
session_end all
sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('a', weir.head('a'), '60 s');"
waiter_pid=${session_pid[waiter]}
kill -KILL "$(worker_pid)"
check "the waiter's connection breaks" poll 15 gone "$waiter_pid"
session_end waiter
is_up() { value -c 'SELECT 1' >/dev/null 2>&1; }
check "the server is back" poll 30 is_up
listen all -- weir weir:a mine
position=$(one a)
hears "and the doorbell works" all "^weir:a|$position\$"
is "its figures begin anew" "$(figure 'worker_starts, failures')" '1|0'

note "a waiter whose client is gone"
sleeper waiter "SET weir.poll_interval = 100; CALL weir.wait('a', weir.head('a'), '60 min');"
kill -KILL "${session_pid[waiter]}"
wait "${session_pid[waiter]}" 2>/dev/null || true
no_waiter() { [ "$(value -c "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL weir.wait(%'")" = 0 ]; }
check "does not stay" poll 15 no_waiter

note "stops"
psql -c "SELECT weir.create_stream('kept')" -c "BEGIN" -c "SELECT weir.append('kept', '1')" -c "PREPARE TRANSACTION 'kept'" >/dev/null
for mode in fast immediate; do
    sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('a', weir.head('a'), '60 s');"
    one b >/dev/null
    poll 15 has_worker
    started=$SECONDS
    cluster_stop worker $mode
    check "$mode, with a waiter, a listener and the worker there" test $((SECONDS - started)) -le 5
    session_end waiter
    session_end all
    [ $mode = fast ] || check "(what it says when it is up again)" grep -q 'was not properly shut down' <(cluster_start worker; tail -n 20 "$server_log")
    cluster_start worker
    listen all -- weir weir:a mine
    position=$(one a)
    hears "after it the doorbell works" all "^weir:a|$position\$"
done

is "a prepared transaction is in the way as before, and weir.blockers knows its name" "$(value -c "SELECT log, gid, pid FROM weir.blockers")" 'kept|kept|'
psql -c "ROLLBACK PREPARED 'kept'"

note "preloaded"
cluster_start worker "shared_preload_libraries = 'weir'"
listen all -- weir weir:a mine
position=$(one a)
hears "the same with shared_preload_libraries" all "^weir:a|$position\$"
psql -c "SELECT weir.notify('mine', 'preloaded')" >/dev/null
hears "weir.notify()" all '^mine|preloaded$'

note "a listener that does not listen"
# Where the queue's length can be set, it is so short that it gets full.
short=$(value -c "SELECT count(*) FROM pg_settings WHERE name = 'max_notify_queue_pages'")
if [ "$short" = 1 ]; then
    session_end all
    cluster_start worker "max_notify_queue_pages = 64"
fi
listen deaf -- weir
tell_and_wait deaf "BEGIN; SELECT 1;"
psql -c "DO \$\$ BEGIN FOR i IN 1..200 LOOP PERFORM weir.notify('mine', repeat('x', 7000) || i); COMMIT; END LOOP; END \$\$" >/dev/null 2>&1 || true
if [ "$short" = 1 ]; then
    is "(the queue is full)" "$(sqlstate "NOTIFY mine, '$(printf 'x%.0s' {1..7000})'; NOTIFY mine, '$(printf 'y%.0s' {1..7000})'")" 54000
fi
is "commits go on" "$(sqlstate "DO \$\$ BEGIN FOR i IN 1..500 LOOP PERFORM weir.append('a', '1'); COMMIT; END LOOP; END \$\$")" 00000
is "also those that notify by themselves" "$(sqlstate "SET weir.doorbell = transaction; SELECT weir.append('a', '1')")" 00000
[ "$short" = 0 ] || check "the worker holds back" poll 15 is_figure 'held_back > 0'
sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('a', weir.head('a'), '60 s');"
one a >/dev/null
check "waiters do not depend on it" poll 15 is_woken waiter
session_end waiter
tell_and_wait deaf "COMMIT;"
position=$(one a)
hears "once it listens again it hears the rest" deaf "\"a\": \"$position\""
session_end deaf

note "no worker to be had, ten seconds later"
cluster_use full
rm "$WEIR_TMP/busy"
check "the other database's worker leaves" poll 15 has_no_worker -d other
check "then one may be started here" poll 15 is_figure worker_available
position=$(one a)
hears "a commit is heard" full "^weir:a|$position\$"
check "by a worker" has_worker
hears "as is what was rolled back as it committed" full "^weir:s|"
is "the log has said no more" "$(grep -c 'could not start a worker for weir' "$WEIR_TMP/full/server.log")" 1
session_end full
finish
