#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims about the short lock of a log, each in an interleaving made by hand. weir is
# built with pauses planted, where a session waits for an advisory lock:
#
# - between opening the registry and its lock, where an invalidation of the registry then
#   comes and somebody queues for all of pg_class: making a stream waits for that one
#   without the lock, so that nobody who wants the stream's name waits for ever;
# - in the middle of a large append: it holds up no append, not on its own stream, nor on
#   one that shares its lock, nor one of its kind, and readers neither lose nor see any
#   of it until it commits, wherever they stop, whether it commits, is cancelled, rolled
#   back to a savepoint or cut off by a crash.
set -euo pipefail
. "$(dirname "$0")/common.sh"

. "$(dirname "$0")/planting.sh"

base=$WEIR_TMP/base
plant_copy "$base"
# pause_before FILE PERL_PATTERN KEY
pause_before() {
    local key=$3
    local lock="DirectFunctionCall1(pg_advisory_lock_shared_int8, Int64GetDatum($key));"
    plant "$base/src/$1" "s/(\\n +)($2)/\$1$lock\$1${lock/lock/unlock}\$1\$2/"
}
registry_pause=4701 batch_pause=4702
pause_before name/registry.cpp 'auto lock_key = [^\n]*\n +log::lock\(lock_key\);\n +found' $registry_pause
pause_before log/insert.cpp 'insert_some\(t, r, first, r\.count - first' "$batch_pause + (first > 0)"
plant "$base/src/log/insert.cpp" 's/at_once = 256/at_once = 100/'
plant_build "$base"
plant_use "$base"

cluster_start lock
cluster_use lock
psql -c 'CREATE EXTENSION weir'

# session NAME: a psql that takes statements from tell(), and whose answers go to NAME.out.
session() {
    mkfifo "$WEIR_TMP/$1.in"
    PGAPPNAME=$1 "$PGBIN/psql" -X -q -At -v VERBOSITY=sqlstate <"$WEIR_TMP/$1.in" >"$WEIR_TMP/$1.out" 2>&1 &
    exec {fd}>"$WEIR_TMP/$1.in"
    eval "fd_$1=$fd"
}
tell() { local fd=fd_$1; printf '%s;\n' "$2" >&"${!fd}"; printf '%s\n' "\\echo done $((++told))" >&"${!fd}"; }
told=0
answered() { grep -q "^done $2\$" "$WEIR_TMP/$1.out"; }
# ask NAME STATEMENT: waits for the answer.
ask() { tell "$1" "$2"; poll 60 answered "$1" "$told" || { not_ok "$1 answers: $2"; exit 1; }; }
answer() { grep -v '^done' "$WEIR_TMP/$1.out" | tail -n 1; }
waits_for() {
    [ "$(value -c "SELECT 1 FROM pg_stat_activity WHERE application_name = '$1' AND wait_event = '$2'")" = 1 ]
}
# A connection that is there already: one that begins would wait for pg_class itself.
wants_pg_class() {
    ask holder "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'pg_class'::regclass"
    [ "$(answer holder)" = 1 ]
}
paused() { poll 60 waits_for "$1" advisory || { not_ok "$1 comes to its pause"; exit 1; }; }

for name in holder writer other reader; do session $name; done

note "making a stream while pg_class is wanted whole"
ask writer "SELECT weir.append('warm', '1') IS NOT NULL"
wants_pg_class || true
ask holder "SELECT pg_advisory_lock($registry_pause)"
tell writer "SELECT weir.append('made', '1') IS NOT NULL"
made=$told
paused writer
# As rows of a dump they would be refused: nothing is restored here.
psql -c 'SET session_replication_role = replica' \
    -c "INSERT INTO weir.registry (name, id, kind) SELECT 'x' || n, -n, 's' FROM generate_series(1, 3000) n" \
    -c 'ANALYZE weir.registry'
ask reader "BEGIN; SELECT count(*) > 0 FROM pg_class"
tell other "VACUUM FULL pg_class"
vacuumed=$told
poll 60 wants_pg_class || not_ok "VACUUM FULL waits"
ask holder "SELECT pg_advisory_unlock($registry_pause)"
tell reader "SELECT weir.append('made', '2') IS NOT NULL"
check "the transaction that pg_class waits for can use the name" poll 30 answered reader "$told"
ask reader "COMMIT"
check "and all come to an end: who made the stream" poll 60 answered writer $made
check "who wanted pg_class" poll 60 answered other $vacuumed
is "and it is one stream" "$(value -c "SELECT count(*) FROM weir.read('made')")" 2
psql -c 'DELETE FROM weir.registry WHERE id < 0'

# Two streams under one lock, whose number is a hash of the id (src/log/lock.cpp).
psql >/dev/null <<'SQL'
CREATE FUNCTION times(a bigint, b bigint) RETURNS bigint LANGUAGE sql AS 'SELECT (a::numeric * b % 4294967296)::bigint';
CREATE FUNCTION hash(key bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE h bigint := (key & 4294967295) # (key >> 32 & 4294967295);
BEGIN
    h := times(h # (h >> 16), 2246822507);
    h := times(h # (h >> 13), 3266489909);
    RETURN h # (h >> 16);
END $$;
SELECT weir.append('s' || n, '0') FROM generate_series(1, 300) n;
SQL
IFS='|' read -r one another < <(value -c "SELECT min(name), max(name) FROM weir.registry GROUP BY hash(id) & 1023
    HAVING count(DISTINCT id) > 1 ORDER BY 1 LIMIT 1")
[ -n "$another" ] || die "no two streams share a lock"

frames() { value -c "SELECT count(*) FROM weir.read('$1', max => 10000)"; }
batch() { # STREAM [best_effort]
    if [ $# = 1 ]; then echo "weir.append_batch('$1', array_fill('1'::jsonb, ARRAY[300]))"
    else echo "weir.append_best_effort_batch('$1', array_fill('1'::jsonb, ARRAY[300]))"
    fi
}
# pause_batch 0|1 STREAM [best_effort]: the writer's append stops with nothing but the guard in, or with a hundred rows.
pause_batch() {
    local key=$((batch_pause + $1))
    ask holder "SELECT pg_advisory_lock($key)"
    tell writer "SELECT first_id || ' ' || frames FROM $(batch "${@:2}")"
    batch_told=$told
    paused writer
}
go_on() { ask holder "SELECT pg_advisory_unlock_all()"; }
finish_batch() { go_on; poll 60 answered writer "$batch_told" || not_ok "the batch comes to an end"; }
cancel_batch() {
    value -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'writer'" >/dev/null
    poll 60 answered writer "$batch_told" || not_ok "the batch is cancelled"
    go_on
}

for kind in "" best_effort; do
    for rows in 0 1; do
        stream=$one sharing=$another
        note "half of a large${kind:+ best-effort} append: $((rows * 100)) rows in, $stream"
        before=$(frames "$stream") head=$(value -c "SELECT weir.head('$stream')")
        pause_batch $rows "$stream" $kind
        ask other "SET statement_timeout = '60s'; SELECT weir.append('$sharing', '1') IS NOT NULL"
        is "an append goes by that shares its lock" "$(answer other)" t
        ask other "SELECT weir.append('$stream', '\"behind\"') IS NOT NULL"
        is "and one on its own stream" "$(answer other)" t
        is "a reader gets what was there before" "$(frames "$stream")" "$before"
        is "and the head is that" "$(value -c "SELECT weir.head('$stream')")" "$head"
        at=$(value -c "SELECT \"position\" FROM weir.blockers WHERE log = '$stream'")
        middle=$(value -c "SELECT ('$at'::weir.position::bigint + 150)::weir.position")
        is "nor does one that asks for less see any of it" \
            "$(value -c "SELECT count(*) FROM weir.read('$stream', upto => '$middle', max => 10000)")" "$before"
        is "a trim in the middle of it takes nothing of it" \
            "$(value -c "SELECT weir.trim('$stream', before => '$middle')")" "$before"
        is "nor does one of all" "$(value -c "SELECT weir.trim('$stream', keep => 0)")" 0
        finish_batch
        is "it was blocked from its first position on" "$(answer writer)" "$at 300"
        is "and then all of it is there, and what came behind" "$(frames "$stream")" 301
        last=$(value -c "SELECT ('$at'::weir.position::bigint + 299)::weir.position")
        is "in that order" \
            "$(value -c "SELECT payload FROM weir.read('$stream', max => 1, reverse => true)")" '"behind"'
        is "and after its last row comes that one alone" \
            "$(value -c "SELECT count(*) FROM weir.read('$stream', after => '$last')")" 1

        pause_batch $rows "$stream" $kind
        cancel_batch
        is "cancelled there, it leaves nothing" "$(answer writer | cut -c1-13) $(frames "$stream")" "ERROR:  57014 301"
        ask writer "BEGIN; SELECT weir.append('$stream', '1') IS NOT NULL; SAVEPOINT s"
        pause_batch $rows "$stream" $kind
        cancel_batch
        ask writer "ROLLBACK TO s; SELECT weir.append('$stream', '\"last\"') IS NOT NULL"
        ask writer "SELECT count(*) FROM weir.read('$stream', max => 10000)"
        is "rolled back to a savepoint, it does not stand in its transaction's way" "$(answer writer)" 303
        ask writer "COMMIT"
        is "nor in anybody's" "$(frames "$stream")" 303
    done
done

for kind in "" best_effort; do
    note "the end of a stream behind half of a large${kind:+ best-effort} append"
    psql -c "SELECT weir.append('closed$kind', '1')" >/dev/null
    pause_batch 1 "closed$kind" $kind
    ask other "SELECT weir.close('closed$kind') IS NOT NULL"
    is "it can be closed" "$(answer other)" t
    is "which nobody sees yet" "$(frames "closed$kind")" 1
    finish_batch
    is "and comes last" "$(value -c "SELECT string_agg(DISTINCT mode, ' ' ORDER BY mode),
        count(*), (array_agg(mode ORDER BY id DESC))[1] FROM weir.read('closed$kind', max => 10000)")" \
        "$([ -n "$kind" ] && echo 'best_effort close durable' || echo 'close durable')|302|close"
    psql -c "SELECT weir.append('dropped$kind', '1')" >/dev/null
    pause_batch 0 "dropped$kind" $kind
    tell other "SELECT weir.drop_stream('dropped$kind')"
    dropped=$told
    poll 60 waits_for other transactionid || not_ok "a drop waits for it"
    finish_batch
    check "a drop waits for it" poll 60 answered other $dropped
    is "and takes all of it" "$(frames "dropped$kind")" 0
done

note "a crash in the middle"
before=$(frames "$one")
pause_batch 1 "$one"
at=$(value -c "SELECT \"position\" FROM weir.blockers WHERE log = '$one'")
crash_and_restart lock
is "nothing of it is there" "$(value -c "SELECT count(*) FROM weir.read('$one', after => '$at')" 2>/dev/null)" 0
is "and what follows comes above it" \
    "$(value -c "SELECT weir.append('$one', '1')::bigint > '$at'::weir.position::bigint + 300")" t
finish
