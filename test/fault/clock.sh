#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: however the server's clock steps, back or far ahead, positions ascend, in the
# same session and across clean restarts and crashes, after trim, drop and VACUUM, and
# also above best-effort and rolled-back frames that nothing tells of any more, and, while the server
# runs or across its crash, where the whole stream was rolled back with them;
# stream_info().lead_ms says how far the log is ahead. A clock beyond the last position
# is an error (22003), and no harm once it is set right.
set -euo pipefail
. "$(dirname "$0")/common.sh"

fake_clock_begin
start() { fake_clock_start clock; }
crash() { crash_only clock; }

# Every position assigned, by stream, in the order of the answers.
assigned=$WEIR_TMP/assigned
: >"$assigned"
undone=undone # a stream that is only ever rolled back; another one behind a stop, over which only the clock goes up
appends() {
    value -F ' ' -v undone="$undone" <<'SQL' >>"$assigned"
SELECT s, weir.append(s, '1') FROM unnest('{s,t,trimmed,dropped}'::text[]) s;
SELECT s, weir.append_best_effort(s, '1') FROM unnest('{s,best_effort,trimmed,dropped}'::text[]) s;
SELECT 's', id FROM weir.append_patch('s', '{"a": 1}');
SELECT 's', last_id FROM weir.append_batch('s', '{1,2,3}'::jsonb[]);
BEGIN;
SELECT s, weir.append(s, '"rolled back"') FROM unnest('{s,t,trimmed}'::text[]) s;
SELECT s, weir.append_best_effort(s, '"rolled back"') FROM unnest('{best_effort,dropped}'::text[]) s;
SELECT s, weir.append(s, '1') FROM (VALUES (:'undone')) v(s);
ROLLBACK;
SQL
}
# Of each stream: those at or below one before. In two numbers, as awk's have 53 bits.
descents() {
    awk '{ split($2, p, "-") }
         p[1] + 0 < ms[$1] + 0 || (p[1] == ms[$1] && p[2] + 0 <= seq[$1] + 0) { print NR, $1, $2 }
         { ms[$1] = p[1]; seq[$1] = p[2] }' "$assigned" | head -n 5
}
ascending() {
    appends
    is "positions ascend: $1" "$(descents)" ""
}
# Where it is not so, what it is.
lead() { value -c "SELECT CASE WHEN lead_ms BETWEEN $1 AND $2 THEN 't' ELSE lead_ms::text END FROM weir.stream_info('s')"; }

set_clock +0
cluster_start clock
cluster_stop clock
start
cluster_use clock
psql -c 'CREATE EXTENSION weir'
ascending "on time"
is "lead_ms is about nothing" "$(lead -60000 2000)" t

set_clock -3600
ascending "an hour back"
is "lead_ms says so" "$(lead 3500000 3700000)" t
ascending "and on"

psql -c "SELECT count(weir.trim(s, keep => 0)) FROM unnest('{trimmed,best_effort}'::text[]) s" -c "SELECT weir.drop_stream('dropped')" >/dev/null
psql -c "SELECT count(weir.append('other ' || i, '1')) FROM generate_series(1, 2000) i" >/dev/null # no log is remembered
psql -c 'VACUUM weir.frame_log' -c 'VACUUM weir.frame_best_effort'
ascending "after trim, drop and VACUUM"
cluster_stop clock
start
undone+=+
ascending "after a restart"
psql -c "SELECT weir.trim('trimmed', keep => 0), weir.drop_stream('dropped')" -c 'VACUUM weir.frame_log' -c 'VACUUM weir.frame_best_effort' >/dev/null
crash
start
ascending "after a crash"
crash
set_clock -86400
start
ascending "after a crash, with the clock set back meanwhile"
cluster_stop clock
set_clock -90000
start
undone+=+
ascending "after a restart, likewise"

set_clock +864000000
ascending "27 years ahead"
is "lead_ms knows only this clock" "$(lead -60000 2000)" t
set_clock +0
ascending "back again"
is "lead_ms says it" "$(lead 863900000000 864100000000)" t
crash
start
ascending "and after a crash"
is "all durable frames are there, in order" \
    "$(value -c "SELECT count(*), bool_and(ok) FROM (SELECT coalesce(id > lag(id) OVER (), true) AS ok FROM weir.read('s', visibility => 'exclude_best_effort')) f")" \
    "$((5 * $(grep -c '^t ' "$assigned") / 2))|t"

note "the end of positions"
createdb last
export PGDATABASE=last
psql -c 'CREATE EXTENSION weir' -c "SELECT weir.append('s', '1')" >/dev/null
set_clock +8000000000
is "22003 behind the year 2248" "$(sqlstate "SELECT weir.append('s', '2')")" 22003
set_clock +0
is "and on, once the clock is right" "$(sqlstate "SELECT weir.append('s', '3')")" 00000
crash
start
is "also after a crash" "$(sqlstate "SELECT weir.append('s', '4')")" 00000
is "no position was lost to it" "$(lead -60000 3000)" t

note "the checker, while the clock steps"
export PGDATABASE=postgres
createdb stepping
checker_build
psql -d stepping -c 'CREATE EXTENSION weir'
(while :; do set_clock "$(printf '%+d' $((RANDOM % 7200 - 3600)))"; sleep 0.2; done) &
stepper=$!
run_checker --conninfo dbname=stepping --seconds "${WEIR_STRESS_SECONDS:-6}" --writers 6 --readers 6 --timeout 0
kill $stepper
finish
