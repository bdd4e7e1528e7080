#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: on a hot standby, where there is no LISTEN, CALL weir.wait() sees what is
# replayed, within its 20 ms and not only every weir.poll_interval: a commit, what was
# behind a rollback, a prepared transaction, a close, a new stream. It holds no
# snapshot, so replay conflicts with nothing of it. A promotion passes under its
# feet, and after it appends ring as on any primary.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

primary=(-h "$WEIR_TMP/primary") standby=(-h "$WEIR_TMP/standby")
on_primary() { value "${primary[@]}" -c "$1"; }
on_standby() { value "${standby[@]}" -c "$1"; }
caught_up() { [ "$(on_standby "SELECT pg_last_wal_replay_lsn() >= '$(on_primary 'SELECT pg_current_wal_flush_lsn()')'")" = t ]; }

cluster_start primary "wal_level = replica" "autovacuum = off"
cluster_use primary
psql -c 'CREATE EXTENSION weir' -c "SELECT weir.append('s', '1')" >/dev/null
make_standby standby primary "max_standby_streaming_delay = 0" "weir.poll_interval = '1h'"
PGHOST=$WEIR_TMP/standby

is "there is no LISTEN" "$(sqlstate "LISTEN weir")" 25006
is "nor weir.notify()" "$(sqlstate "SELECT weir.notify('mine')")" 25006
is "a channel has its name" "$(on_standby "SELECT weir.channel('s')")" weir:s
is "what is there is ready at once" "$(on_standby "CALL weir.wait('s', NULL, '60 s')")" 't|frames'
is "what is not is not" "$(on_standby "CALL weir.wait('s', weir.head('s'), '100 ms')")" 'f|timeout'
is "a cursor that the standby has yet to reach is waited for" "$(on_standby "CALL weir.wait('s', '+', '100 ms')")" 'f|timeout'
is "the doorbell's figures" "$(on_standby "SELECT count(*) FROM weir.doorbell")" 1

# wakes CLAIM CALL STATEMENT: that statement on the primary ends that call on the standby
wakes() {
    sleeper waiter "$2" "${standby[@]}"
    psql "${primary[@]}" -c "$3" >/dev/null
    check "$1" poll 15 is_woken waiter
    session_end waiter
}
call="CALL weir.wait('s', weir.head('s'), '60 s');"
wakes "a commit" "$call" "SELECT weir.append('s', '2')"
wakes "a new stream" "CALL weir.wait('new', NULL, '60 s');" "SELECT weir.append('new', '2')"
wakes "one of several" "CALL weir.wait_many('{s,other}', ARRAY[weir.head('s'), NULL], '60 s');" "SELECT weir.append('other', '2')"
session_start open "${primary[@]}"
tell_and_wait open "BEGIN; SELECT weir.append('s', '3');"
on_primary "SELECT weir.append('s', '4')" >/dev/null
poll 15 caught_up
is "what lies behind a frame in flight is not ready" "$(on_standby "CALL weir.wait('s', weir.head('s'), '200 ms')")" 'f|timeout'
is "weir.blockers says so" "$(on_standby "SELECT log, pid, xid IS NOT NULL, gid FROM weir.blockers")" 's||t|'
sleeper waiter "$call" "${standby[@]}"
tell open "ROLLBACK;"
check "the rollback of who was in the way" poll 15 is_woken waiter
session_end waiter
tell_and_wait open "BEGIN; SELECT weir.append('s', '5'); PREPARE TRANSACTION 'p';"
session_end open
wakes "COMMIT PREPARED" "$call" "COMMIT PREPARED 'p'"
wakes "a close" "CALL weir.wait('new', weir.head('new'), '60 s');" "SELECT weir.close('new')"
wakes "a drop" "CALL weir.wait('other', weir.head('other'), '60 s');" "SELECT weir.drop_stream('other')"

note "without a snapshot"
sleeper waiter "$call" "${standby[@]}"
# Would cancel whoever has a snapshot, or a lock on the table.
psql "${primary[@]}" -c "DELETE FROM weir.idempotency" -c "VACUUM FREEZE weir.frame_log" -c "ALTER TABLE weir.frame_log SET (fillfactor = 90)" -c "ALTER TABLE weir.frame_log RESET (fillfactor)"
poll 15 caught_up
check "vacuum and a lock are replayed while it waits" is_asleep "${session_backend[waiter]}"
on_primary "SELECT weir.append('s', '6')" >/dev/null
check "and then it wakes" poll 15 is_woken waiter
session_end waiter
sleeper waiter "$call" "${standby[@]}"
on_standby "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL weir.wait(%'" >/dev/null
is_cancelled() { grep -q 'canceling statement due to user request' "$WEIR_TMP/waiter.out"; }
check "it can be cancelled" poll 15 is_cancelled
session_end waiter

note "promotion"
poll 15 caught_up
sleeper early "$call" "${standby[@]}"
cluster_stop primary immediate
check "(it is promoted)" test "$(on_standby 'SELECT pg_promote()')" = t
is "nothing has come yet" "$(grep -c '^[tf]$' "$WEIR_TMP/early.out")" 0
sleeper late "$call" "${standby[@]}"
listen l "${standby[@]}" -- weir:s
position=$(on_standby "SELECT weir.append('s', '7')")
check "an append wakes who slept through the promotion" poll 15 is_woken early
check "and who began to wait after it" poll 15 is_woken late
hears "LISTEN works there now" l "^weir:s|$position\$"
check "by a worker" has_worker
for name in early late l; do session_end $name; done
finish
