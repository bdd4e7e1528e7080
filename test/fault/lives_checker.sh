#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: readers that followed a primary go on at the standby which takes its place and misses its end. Who
# has read what the standby never got is told so (WR003), however much is appended since, also after the
# next such failover; who has not misses nothing of what is there and gets nothing twice, wherever he
# stopped. Writers that roll back, too, and readers of six streams, over two failovers.
set -euo pipefail
. "$(dirname "$0")/common.sh"

on() { (cluster_use "$1"; shift; value "$@"); }
state_on() { (cluster_use "$1"; sqlstate "$2"); }
promote() { [ "$(on "$1" -c 'SELECT pg_promote()')" = t ]; }

streams=6 readers=18
cluster_start a "wal_level = replica"
on a <<'SQL'
CREATE EXTENSION weir;
CREATE PROCEDURE write(writer text, streams integer, seconds numeric) LANGUAGE plpgsql AS $$
DECLARE
    ends timestamptz := clock_timestamp() + seconds * interval '1 s';
    n bigint := 0;
BEGIN
    WHILE clock_timestamp() < ends LOOP
        FOR i IN 0 .. floor(random() * 3)::integer LOOP
            n := n + 1;
            PERFORM weir.append('s' || n % streams, to_jsonb(writer || '.' || n));
        END LOOP;
        IF random() < 0.2 THEN ROLLBACK; ELSE COMMIT; END IF;
        PERFORM pg_sleep(0.005); -- slower than readers
    END LOOP;
END $$;
SQL

writers=()
write_on() { # CLUSTER SECONDS
    local i
    writers=()
    for i in 1 2 3 4; do
        (cluster_use "$1"; exec "$PGBIN/psql" -X -q -c "CALL write('$1.$i', $streams, $2)" >/dev/null 2>&1) &
        writers+=($!)
    done
}
# read_on CLUSTER N: reads from where it came to until it is told to stop. Its file has "id payload" of each frame.
read_on() {
    local at=$1 file=$WEIR_TMP/seen.$2 stream=s$(($2 % streams)) cursor rows
    while [ ! -e "$file.stop" ]; do
        cursor=$(tail -n 1 "$file" | cut -d' ' -f1)
        rows=$(on "$at" -c "SELECT id || ' ' || (payload #>> '{}')
            FROM weir.read('$stream', after => '${cursor:--}', max => $((1 + RANDOM % 500)))" 2>/dev/null) || break
        [ -z "$rows" ] || printf '%s\n' "$rows" >>"$file"
    done
}
stop_reader() { touch "$WEIR_TMP/seen.$1.stop"; }

lost_at=() # reader → a cursor that was lost before
# fail_over FROM TO: readers stop before the standby is cut off, between, or with the primary.
fail_over() {
    local from=$1 to=$2 n pids=()
    make_standby "$to" "$from"
    rm -f "$WEIR_TMP"/seen.*.stop
    write_on "$from" 60
    for ((n = 0; n < readers; n++)); do
        touch "$WEIR_TMP/seen.$n"
        read_on "$from" "$n" & pids+=($!)
    done
    sleep 2
    for ((n = 0; n < readers / 3; n++)); do stop_reader $n; sleep 0.1; done
    cluster_stop "$to"
    for ((; n < readers * 2 / 3; n++)); do sleep 0.2; stop_reader $n; done
    sleep 1
    cluster_stop "$from" immediate
    for ((n = 0; n < readers; n++)); do stop_reader $n; done
    wait "${pids[@]}" "${writers[@]}" || true
    cluster_start "$to"
    promote "$to"
    write_on "$to" 2
    wait "${writers[@]}"
}

# judge CLUSTER: what each reader has, and gets, against what is there.
judge() {
    local at=$1 n stream file there cursor state rest kept=0 lost=0 wrong=0
    for ((n = 0; n < streams; n++)); do
        on "$at" >"$WEIR_TMP/there.s$n" <<SQL
SELECT id || ' ' || (payload #>> '{}') FROM weir.frame_log
WHERE stream_id IN (SELECT r.id FROM weir.registry r WHERE r.name = 's$n') ORDER BY id::bigint;
SQL
    done
    for ((n = 0; n < readers; n++)); do
        stream=s$((n % streams)) file=$WEIR_TMP/seen.$n there=$WEIR_TMP/there.s$((n % streams))
        cursor=$(tail -n 1 "$file" | cut -d' ' -f1)
        state=$(state_on "$at" "SELECT count(*) FROM weir.read('$stream', after => '${cursor:--}')")
        if [ -n "$cursor" ] && ! grep -q "^$cursor " "$there"; then
            lost=$((lost + 1))
            lost_at[n]=$cursor
            [ "$state" = WR003 ] || { wrong=$((wrong + 1)); note "reader $n: $state after $cursor, which was lost"; }
            grep -Fxf "$there" "$file" >"$file.new" || true # it goes back to what is there
            mv "$file.new" "$file"
        elif [ "$state" != 00000 ]; then
            wrong=$((wrong + 1))
            note "reader $n: $state after $cursor, which is there"
        else
            kept=$((kept + 1))
        fi
        cursor=$(tail -n 1 "$file" | cut -d' ' -f1)
        while rest=$(on "$at" -c "SELECT id || ' ' || (payload #>> '{}')
                FROM weir.read('$stream', after => '${cursor:--}', max => 10000)") && [ -n "$rest" ]; do
            printf '%s\n' "$rest" >>"$file"
            cursor=$(tail -n 1 "$file" | cut -d' ' -f1)
        done
        cmp -s "$file" "$there" || { wrong=$((wrong + 1)); note "reader $n: $(diff "$file" "$there" | head -5)"; }
    done
    is "$at: lost cursors are told, the others go on, and all have what is there, once and in order" "$wrong" 0
    check "$at: both came about ($lost lost, $kept not)" test $lost -ge 3 -a $kept -ge 3
}

fail_over a b
judge b
declare -A first_lost
for n in "${!lost_at[@]}"; do first_lost[$n]=${lost_at[$n]}; done
fail_over b c
wrong=0
for n in "${!first_lost[@]}"; do
    state=$(state_on c "SELECT count(*) FROM weir.read('s$((n % streams))', after => '${first_lost[$n]}')")
    [ "$state" = WR003 ] || { wrong=$((wrong + 1)); note "$state after ${first_lost[$n]}"; }
done
is "what the first failover lost is told after the second" "$wrong" 0
judge c
finish
