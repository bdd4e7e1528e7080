#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: a crash, a promotion, a point-in-time recovery, a restored dump and a copied database each begin a
# life of their own (weir.lives). A cursor on a frame that was lost there is told so (WR003), on the new
# primary and on its standbys, however much has been appended since, through later lives, too; and no
# other cursor is: on frames that are there, that were trimmed or dropped, and on best-effort
# frames that a crash took. Where a recovery ended between a frame's row and its commit, its position
# is told of whatever was committed behind it. What is minted lies above all that came over, also where
# the new primary's clock is behind; ids of new streams are not those of lost ones.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# make_copy NAME OF [pg_basebackup options]
make_copy() {
    local name=$1 of=$2
    shift 2
    mkdir -p "$WEIR_TMP/$name"
    own_by_server "$WEIR_TMP/$name"
    as_server "$PGBIN/pg_basebackup" -D "$WEIR_TMP/$name/data" -c fast -h "$WEIR_TMP/$of" -p 65432 -U postgres "$@"
}
on() { (cluster_use "$1"; shift; value "$@"); }
state_on() { (cluster_use "$1"; sqlstate "$2"); }
caught_up() {
    [ "$(on "$2" -c "SELECT pg_last_wal_replay_lsn() >= '$(on "$1" -c 'SELECT pg_current_wal_flush_lsn()')'")" = t ]
}
cut_off() { [ "$(on "$1" -c 'SELECT count(*) FROM pg_stat_wal_receiver')" = 0 ]; }
promote() { [ "$(on "$1" -c 'SELECT pg_promote()')" = t ]; }
append() { on "$1" -c "SELECT weir.append('$2', '\"${3:-x}\"')"; }
is_above() { is "$1" "$(on "$2" -c "SELECT '$3'::weir.position > '$4'::weir.position")" t; }
payloads() { on "$1" -c "SELECT string_agg(payload #>> '{}', ' ') FROM weir.read('$2', after => '$3')"; }

# lost WHEN CLUSTER STREAM CURSOR: every call that takes a cursor
lost() {
    local when=$1 at=$2 stream=$3 cursor=$4 call
    for call in "SELECT FROM weir.read('$stream', after => '$cursor')" "SELECT FROM weir.read_many('{$stream}', '{$cursor}')" \
        "CALL weir.wait('$stream', '$cursor', '0')" "SELECT weir.summary_at('$stream', '$cursor')"; do
        is "$when: WR003 from ${call#* }" "$(state_on "$at" "$call")" WR003
    done
}
lost_to_subscriptions() {
    local when=$1 at=$2 stream=$3 cursor=$4
    on "$at" -c "SELECT weir.subscribe('lives', '$stream', '-')" >/dev/null
    is "$when: WR003 from seek" "$(state_on "$at" "SELECT weir.seek('lives', '$cursor')")" WR003
    is "$when: WR003 from ack" "$(state_on "$at" "SELECT weir.ack('lives', '$cursor')")" WR003
    is "$when: WR003 from subscribe" "$(state_on "$at" "SELECT weir.subscribe('from there', '$stream', '$cursor')")" WR003
    on "$at" -c "SELECT weir.unsubscribe('lives')" >/dev/null
}
goes_on() { is "$1" "$(state_on "$2" "SELECT * FROM weir.read('$3', after => '$4')") $(payloads "$2" "$3" "$4")" "00000 $5"; }
causes() { on "$1" -c "SELECT string_agg(cause, ' ' ORDER BY number) FROM weir.lives"; }

cluster_start a "wal_level = replica"
on a -c 'CREATE EXTENSION weir'
is "no life before the first write" "$(causes a)" ""
kept=$(append a s kept)
on a -c "SELECT weir.append('gone', '1'), weir.append('trimmed', '1'), weir.append('trimmed', '2'), weir.append('all trimmed', '1')" >/dev/null
dropped=$(append a dropped)
trimmed=$(on a -c "SELECT max(id) FROM weir.read('trimmed')")
all_trimmed=$(on a -c "SELECT max(id) FROM weir.read('all trimmed')")
is "then there is one" "$(causes a)" "first"

note "a crash"
best_effort=$(on a -c "SELECT weir.append_best_effort('s', '\"best_effort\"')")
best_effort_only=$(on a -c "SELECT weir.append_best_effort('best effort only', '1')")
crash_and_restart a
goes_on "a cursor on a best-effort frame that it took, before anything is written" a s "$best_effort" ""
goes_on "one on a frame before that" a s "$kept" ""
after_crash=$(append a s "after-crash")
is_above "positions go on above it" a "$after_crash" "$best_effort"
goes_on "and after" a s "$best_effort" "after-crash"
goes_on "in a stream of such frames only" a 'best effort only' "$best_effort_only" ""
is "the crash is a life" "$(causes a)" "first crash"
crash_and_restart a
append a s again >/dev/null
goes_on "after two crashes" a s "$best_effort" "after-crash again"

note "a failover that loses frames"
make_copy b a -R -X stream
cluster_start b "unix_socket_directories = '$WEIR_TMP/b'"
poll 30 caught_up a b
is "a standby knows the lives" "$(causes b)" "first crash crash"
last=$(append a s last)
poll 30 caught_up a b
on b -c "ALTER SYSTEM SET primary_conninfo = ''" -c 'SELECT pg_reload_conf()' >/dev/null
check "cut off" poll 30 cut_off b
missed=$(append a s missed)
missed_in_gone=$(append a gone missed)
missed_new=$(append a 'new and missed')
lost_ids=$(on a -c "SELECT min(id), max(id) FROM weir.registry WHERE name = 'new and missed'")
cluster_stop a immediate
promote b
lost "before anything is written" b s "$missed"
is "what is said of it" "$(on b -c "DO \$\$ DECLARE d text; BEGIN PERFORM * FROM weir.read('s', after => '$missed');
    EXCEPTION WHEN SQLSTATE 'WR003' THEN GET STACKED DIAGNOSTICS d = PG_EXCEPTION_HINT; RAISE NOTICE '%', d; END \$\$" 2>&1 | grep -c "Go on from $last ")" 1
goes_on "a cursor on the last frame that came over" b s "$last" ""
new=$(append b s new)
is_above "positions go on above what was lost" b "$new" "$missed"
on b -c "SELECT weir.append('s', to_jsonb('new'::text)) FROM generate_series(1, 100)" >/dev/null
lost "after a hundred appends" b s "$missed"
lost_to_subscriptions "after a hundred appends" b s "$missed"
append b gone >/dev/null
lost "in another stream" b gone "$missed_in_gone"
append b 'new and missed' >/dev/null
lost "in one that was new" b 'new and missed' "$missed_new"
is "whose id is another one now" \
    "$(on b -c "SELECT count(*) FROM weir.registry WHERE name = 'new and missed' AND id::text IN ('${lost_ids%|*}')")" 0
is "every frame since is read from the last that came over" "$(on b -c "SELECT count(*) FROM weir.read('s', after => '$last')")" 101
goes_on "a cursor from a life before" b gone "$(on b -c "SELECT min(id) FROM weir.read('gone')")" x
is "the promotion is a life" "$(causes b)" "first crash crash promotion"

note "what was removed since is not lost"
on b -c "SELECT weir.trim('trimmed', keep => 1), weir.trim('all trimmed', keep => 0), weir.drop_stream('dropped')" >/dev/null
on b -c "SELECT weir.append('trimmed', '\"on\"'), weir.append('all trimmed', '\"on\"'), weir.append('dropped', '\"on\"')" >/dev/null
goes_on "a cursor on the last frame" b trimmed "$trimmed" on
goes_on "and where all were trimmed" b 'all trimmed' "$all_trimmed" on
goes_on "and where the stream was dropped and made anew" b dropped "$dropped" on
on b -c 'VACUUM weir.frame_log' -c 'VACUUM weir.registry'
goes_on "after VACUUM" b 'all trimmed' "$all_trimmed" on
goes_on "likewise dropped" b dropped "$dropped" on

note "later lives"
crash_and_restart b
lost "after a crash" b s "$missed"
append b s >/dev/null
lost "and on" b s "$missed"
make_copy c b -R -X stream
cluster_start c "unix_socket_directories = '$WEIR_TMP/c'"
poll 30 caught_up b c
is "WR003 on a standby" "$(state_on c "SELECT * FROM weir.read('s', after => '$missed')")" WR003
goes_on "where other cursors go on" c gone "$(on b -c "SELECT min(id) FROM weir.read('gone')")" x
is "and one that it may have yet to reach is none of them" "$(state_on c "SELECT * FROM weir.read('s', after => '+')")" 00000
cluster_stop c

note "a new primary whose clock is behind"
fake_clock_begin
set_clock -7200
# Nothing of weir's for longer than its bound is ahead of the clock; then what tells the time there.
later() { [ "$(on b -c "SELECT clock_timestamp() > '$1'::weir.position::timestamptz + interval '3 seconds'")" = t ]; }
newest=$(append b s newest)
check "time passes" poll 30 later "$newest"
cluster_start c
on b -c 'CREATE TABLE tells_the_time ()'
told=$(on b -c "SELECT clock_timestamp() - interval '1 second'")
poll 30 caught_up b c
cluster_stop c
cluster_stop b immediate
fake_clock_start c
promote c
behind=$(append c s behind)
is_above "mints above every position that came over" c "$behind" "$newest"
is "and above the time that what came over tells of" "$(on c -c "SELECT '$behind'::weir.position::timestamptz > '$told'")" t
cluster_stop c
set_clock +0

note "a recovery that ends between a frame and its commit"
cluster_start d "wal_level = replica"
on d -c 'CREATE EXTENSION weir' -c "SELECT weir.append('s', '\"first\"')" >/dev/null
make_copy e d -X none
coproc held { exec "$PGBIN/psql" -X -q -At -h "$WEIR_TMP/d" -p 65432 -U postgres postgres; }
echo "BEGIN; SELECT weir.append('s', '\"undone\"');" >&"${held[1]}"
read -r undone <&"${held[0]}"
echo "SELECT weir.append('t', '\"undone\"');" >&"${held[1]}"
read -r undone_last <&"${held[0]}"
behind=$(append d s behind)
target=$(on d -c 'SELECT pg_current_wal_insert_lsn()')
echo "COMMIT; SELECT 'done';" >&"${held[1]}"
read -r answer <&"${held[0]}"
is "committed" "$answer" "done"
echo '\q' >&"${held[1]}"
missed=$(append d s missed)
on d -c 'SELECT pg_switch_wal()' >/dev/null
as_server touch "$WEIR_TMP/e/data/recovery.signal"
cluster_start e "unix_socket_directories = '$WEIR_TMP/e'" "restore_command = 'cp $WEIR_TMP/d/data/pg_wal/%f %p'" \
    "recovery_target_lsn = '$target'" "recovery_target_inclusive = off" "recovery_target_action = promote"
in_recovery() { [ "$(on e -c 'SELECT pg_is_in_recovery()')" = "$1" ]; }
check "recovered" poll 60 in_recovery f
for when in "before anything is written" "and after"; do
    lost "$when, with a commit behind it" e s "$undone"
    lost "$when, the newest row" e t "$undone_last"
    lost "$when, what came later" e s "$missed"
    [ "$when" != "before anything is written" ] || on e -c "SELECT weir.append('s', '\"new\"'), weir.append('t', '\"new\"')" >/dev/null
done
goes_on "a frame that was committed behind it" e s "$behind" new
is "the recovery is a life" "$(causes e)" "first promotion"

note "a dump, and a copy"
cluster_use e
pg_dump -Fc postgres >"$WEIR_TMP/dump"
createdb copy -T postgres
missed=$(append e s missed)
createdb restored
pg_restore -d restored "$WEIR_TMP/dump"
for db in restored copy; do
    is "WR003: $db" "$(PGDATABASE=$db sqlstate "SELECT * FROM weir.read('s', after => '$missed')")" WR003
    new=$(value -d $db -c "SELECT weir.append('s', '1')")
    is "positions go on above it: $db" "$(value -d $db -c "SELECT '$new'::weir.position > '$missed'")" t
    is "WR003 after that: $db" "$(PGDATABASE=$db sqlstate "SELECT * FROM weir.read('s', after => '$missed')")" WR003
    is "a cursor from before goes on: $db" "$(value -d $db -c "SELECT count(*) FROM weir.read('s', after => '$behind')")" 2
    is "the life: $db" "$(value -d $db -c "SELECT string_agg(cause, ' ' ORDER BY number) FROM weir.lives")" "first promotion restore"
    value -d $db -c "SELECT weir.append('made in $db', '1')" >/dev/null
done
value -c "SELECT weir.append('made in postgres', '1')" >/dev/null
is "ids of three histories do not meet" \
    "$(for db in postgres restored copy; do value -d $db -c "SELECT id FROM weir.registry WHERE name LIKE 'made in%'"; done | sort -u | wc -l)" 3
finish
