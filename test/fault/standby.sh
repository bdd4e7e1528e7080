#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: settled reads on a hot standby lose nothing, while the primary writes; there
# are no best-effort frames there, and no writes (25006). After promotion every append
# is above every position that the old primary assigned, also best-effort ones, and
# cursors go on. A cursor on a frame that an asynchronous standby never got is told so
# (WR003), instead of being left to wait for the log to catch up with it.
set -euo pipefail
. "$(dirname "$0")/common.sh"

on() { (cluster_use "$1"; shift; value "$@"); }
state_on() { (cluster_use "$1"; sqlstate "$2"); }
caught_up() {
    [ "$(on "$2" -c "SELECT pg_last_wal_replay_lsn() >= '$(on "$1" -c 'SELECT pg_current_wal_flush_lsn()')'")" = t ]
}
# Waits for it.
promote() { [ "$(on "$1" -c 'SELECT pg_promote()')" = t ]; }

cluster_start a "wal_level = replica"
on a -c 'CREATE EXTENSION weir'
make_standby b a "max_standby_streaming_delay = 2s"
checker_build

note "readers on the standby"
run_checker --conninfo "host=$WEIR_TMP/a port=65432 user=postgres dbname=postgres" \
    --reader-conninfo "host=$WEIR_TMP/b port=65432 user=postgres dbname=postgres" \
    --seconds "${WEIR_STRESS_SECONDS:-10}" --writers 6 --readers 6

note "what a standby knows"
on a -c "SELECT weir.append('mixed', '1'); SELECT weir.append_best_effort('mixed', '2'); SELECT weir.append_patch('mixed', '{\"a\": 3}');
         SELECT weir.append_best_effort('best effort only', '1')" >/dev/null
poll 30 caught_up a b
is "logged frames only" "$(on b -c "SELECT mode, payload FROM weir.read('mixed')" | xargs)" 'durable|1 summary|{a: 3}'
is "visibility makes no difference" "$(on b -c "SELECT count(*) FROM weir.read('mixed', visibility => 'exclude_best_effort')")" 2
is "nor does reading backwards" "$(on b -c "SELECT payload FROM weir.read('mixed', reverse => true, max => 1)")" '{"a": 3}'
is "nor read_many" "$(on b -c "SELECT count(*) FROM weir.read_many('{mixed,best effort only}')")" 2
is "a stream of best-effort frames is an empty one" "$(on b -c "SELECT count(*), weir.head('best effort only') FROM weir.read('best effort only')")" '0|0-0'
is "summary" "$(on b -c "SELECT document, version FROM weir.summary('mixed')")" '{"a": 3}|1'
is "stream_info" "$(on b -c "SELECT frames, best_effort_frames FROM weir.stream_info('mixed')")" '2|0'
check "the view of all streams" test "$(on b -c "SELECT count(*) > 2 FROM weir.streams")" = t
for call in "append('mixed', '1')" "append_bytes('new', 'x')" "append_best_effort('mixed', '1')" "append_patch('mixed', '{}')" \
    "append_text_batch('mixed', '{1,2}'::text[])" "append('mixed', '1', idempotency_key => 'k')" "close('mixed')" \
    "trim('mixed', keep => 1)" "drop_stream('mixed')" "create_stream('other')"; do
    is "25006: $call" "$(state_on b "SELECT weir.$call")" 25006
done
note "buckets there"
on a -c "SELECT weir.kv_put('bucket', 'k', '1'), weir.kv_put('bucket', 'gone', '1'), weir.kv_put('bucket', 'ends', '1', ttl => '1 ms');
         SELECT weir.kv_delete('bucket', 'gone')" >/dev/null
poll 30 caught_up a b
is "what is there" "$(on b -c "SELECT key, value FROM weir.kv_scan('bucket')")" 'k|1'
is "every change" "$(on b -c "SELECT string_agg(key || ' ' || op, ', ' ORDER BY revision) FROM weir.kv_watch('bucket', '{k,gone}', after => '-')")" \
    'k put, gone put, gone delete'
is "wait" "$(on b -c "CALL weir.wait('bucket', after => '-', timeout => '1 minute')")" 't|frames'
is "25006: kv_put" "$(state_on b "SELECT weir.kv_put('bucket', 'k', '2')")" 25006
is "25006: kv_check" "$(state_on b "SELECT weir.kv_check('bucket', 'k', '-')")" 25006

note "a stream that ends while nobody can write there"
on a -c "SET weir.housekeeping = off; SELECT weir.append(s, '1') FROM unnest('{fixed,sliding}'::text[]) s;
         SELECT weir.alter_stream('fixed', expires_at => clock_timestamp() + interval '1 day'), weir.alter_stream('sliding', ttl => '1 day')" >/dev/null
poll 30 caught_up a b
is "it is there until its end" "$(on b -c "SELECT count(*) FROM weir.read_many('{fixed,sliding}')")" 2
on a -c "SET weir.housekeeping = off; SELECT weir.alter_stream('fixed', expires_at => now()), weir.alter_stream('sliding', ttl => '1 ms')" >/dev/null
poll 30 caught_up a b
is "a fixed end is exact, whether or not the frames are still there" "$(on b -c "SELECT count(*), weir.head('fixed') FROM weir.read('fixed')" \
    -c "SELECT count(*) FROM weir.stream_info('fixed')" -c "SELECT count(*) FROM weir.list_streams('fixed')" | xargs)" "0|0-0 0 0"
# Best-effort frames, which prolong it, are not there to be asked.
is "that of a ttl shows when the drop arrives" "$(on b -c "SELECT count(*) FROM weir.read('sliding')")" 1
is "not on the primary" "$(on a -c "SELECT count(*) FROM weir.read('sliding')" -c "SELECT sum(failures) FROM weir.housekeep('lifetimes')" | xargs)" "0 0"
poll 30 caught_up a b
is "as it has then" "$(on b -c "SELECT count(*) FROM weir.read('sliding')")" 0
is "a cursor ahead may be one that the standby has yet to reach" "$(state_on b "SELECT * FROM weir.read('mixed', after => '+')")" 00000

note "failover, nothing missing"
cursor=$(on a -c "SELECT weir.head('mixed')")
cursor_of_mixed=$cursor
# Positions that no row on the standby tells of: best effort, rolled back, in flight.
assigned=$(on a -c "SELECT weir.append_best_effort('mixed', '4')" -c "SELECT weir.append_best_effort_batch('mixed', '{5,6,7}'::jsonb[])" \
    -c "BEGIN; SELECT weir.append('mixed', '5'); ROLLBACK" -c "SELECT weir.append_best_effort('best effort only', '5')" | tail -n 1)
poll 30 caught_up a b
cluster_stop a immediate
promote b
first=$(on b -c "SELECT weir.append('mixed', '10')")
check "the first append lies above all that was assigned" test "$(on b -c "SELECT '$first'::weir.position > '$assigned'::weir.position")" = t
check "in every stream" test "$(on b -c "SELECT weir.append_best_effort('best effort only', '10') > '$assigned'::weir.position")" = t
is "a cursor goes on" "$(on b -c "SELECT payload FROM weir.read('mixed', after => '$cursor_of_mixed')")" 10
is "best-effort frames are there again, the old ones are not" "$(on b -c "SELECT string_agg(payload::text, ' ') FROM weir.read('best effort only')")" 10
is "the summary goes on" "$(on b -c "SELECT summary_version FROM weir.append_patch('mixed', '{\"b\": 1}')" -c "SELECT document, version FROM weir.summary('mixed')" | xargs)" \
    '2 {a: 3, b: 1}|2'

note "failover to an asynchronous standby that missed the end"
make_standby c b "max_standby_streaming_delay = 2s"
poll 30 caught_up b c
cluster_stop c
# A second later than all that it got: within that second the position counter runs ahead.
old=$(on b -c "SELECT weir.append('mixed', '11')")
later() { [ "$(on b -c "SELECT clock_timestamp() > '$old'::weir.position::timestamptz + interval '3 seconds'")" = t ]; }
poll 30 later
missed=$(on b -c "SELECT weir.append('mixed', '12')")
cluster_stop b immediate
cluster_start c
promote c
is "WR003 from read" "$(state_on c "SELECT * FROM weir.read('mixed', after => '$missed')")" WR003
is "WR003 from read_many" "$(state_on c "SELECT * FROM weir.read_many('{mixed}', '{$missed}')")" WR003
is "WR003 from summary_at" "$(state_on c "SELECT * FROM weir.summary_at('mixed', '$missed')")" WR003
is "an older cursor reads what there is" "$(on c -c "SELECT string_agg(payload::text, ' ') FROM weir.read('mixed', after => '$cursor_of_mixed')")" '10 {"b": 1}'
next=$(on c -c "SELECT weir.append('mixed', '13')")
check "appends go on above what it had" test "$(on c -c "SELECT '$next'::weir.position > '$first'::weir.position")" = t
finish
