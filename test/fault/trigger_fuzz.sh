#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: whatever is altered, dropped, renamed, moved and made anew beside them, the triggers for
# people's own tables never crash a long-lived session and never damage what they write: in every
# snapshot each document is the fold of its patches, and each event says what was inserted. What does
# not fit is refused with an SQLSTATE that says why: XX000 is none.
#
# Random statements (test/trigger_fuzz), 30 s of them; WEIR_STRESS=1: ten minutes, or
# WEIR_STRESS_SECONDS. WEIR_FUZZ_SEED repeats a run's statements, though not their interleaving.
set -euo pipefail
. "$(dirname "$0")/common.sh"
from=$WEIR_ROOT/test/trigger_fuzz
seconds=30
[ -z "${WEIR_STRESS:-}" ] || seconds=${WEIR_STRESS_SECONDS:-600}
seed=${WEIR_FUZZ_SEED:-$((RANDOM * 32768 + RANDOM))}
note "seed $seed, $seconds s"

cluster_start fuzz "deadlock_timeout = 100ms" "statement_timeout = 30s" "lock_timeout = 3s" \
    "default_statistics_target = 10" "autovacuum_naptime = 1s" "idle_in_transaction_session_timeout = 60s" \
    ${WEIR_FUZZ_SETTINGS:+"$WEIR_FUZZ_SETTINGS"}
cluster_use fuzz
# WEIR_FUZZ_CONTROL=1: triggers in plpgsql in place of weir's, to see which internal errors are the server's own.
plain() {
    if [ -z "${WEIR_FUZZ_CONTROL:-}" ]; then cat
    else sed -u -E "s/weir\.(merge_patch_into|outbox|trim_to|mint|ring)\(/fz_keep.plain(/g"; fi
}
psql -c 'CREATE EXTENSION weir' -c 'SET client_min_messages = warning' -f - < <(
    [ -z "${WEIR_FUZZ_CONTROL:-}" ] || cat "$from/plain.sql"
    plain <"$from/build.sql") >/dev/null

# Errors are all in the log with their SQLSTATE and place.
session() {
    awk -v role="$1" -v seed="$2" -v seconds="$seconds" -f "$from/statements.awk" | plain |
        PGOPTIONS='-c search_path=fz,fz2' "$PGBIN/psql" -X -q -v VERBOSITY=verbose >/dev/null 2>"$WEIR_TMP/$1-$2.err" ||
        echo "exit status $?" >>"$WEIR_TMP/$1-$2.err"
}
pids=()
for i in 1 2 3; do session writer $((seed + i)) & pids+=($!); done
for i in 4 5; do session ddl $((seed + i)) & pids+=($!); done

# Prints "log_1 0", and so on: how many documents, rows and events are wrong, with one of them; nothing of a
# table that cannot be looked at just now.
look() {
    local i
    for i in 1 2; do
        "$PGBIN/psql" -X -q -At 2>/dev/null <<SQL || true
SET search_path = fz, fz2;
SET lock_timeout = '10s';
WITH folded AS (SELECT k::text AS k, jsonb_object_agg(e.key, e.value) AS document, count(DISTINCT n) AS version
                FROM log_$i, jsonb_each(patch) e GROUP BY 1)
SELECT 'log_$i ' || count(*) || coalesce(' ' || min(f.k || f.document::text || d.document::text), '')
FROM folded f FULL JOIN doc_$i d ON d.k::text = f.k
WHERE f.document IS DISTINCT FROM d.document OR f.version IS DISTINCT FROM d.version;
SELECT 'rows_$i ' || count(*) FILTER (WHERE digest IS DISTINCT FROM md5(n::text))
    + count(*) - count(DISTINCT (k::text, id::text)) FROM rows_$i;
SQL
    done
    "$PGBIN/psql" -X -q -At 2>/dev/null <<'SQL' || true
SELECT 'events ' || count(*) || coalesce(' ' || min(payload::text), '') FROM weir.read('fz.rows', reverse => true)
WHERE md5(payload->'new'->>'n') IS DISTINCT FROM payload->'new'->>'digest'
    OR payload->'key'->>'n' IS DISTINCT FROM payload->'new'->>'n';
SQL
}

while kill -0 "${pids[@]}" 2>/dev/null; do
    look
    sleep 1
done >"$WEIR_TMP/looks"
wait || true
look >>"$WEIR_TMP/looks"
is "each document is the fold of its patches, each event what was inserted" \
    "$(grep -vE '^[a-z_12]+ 0$' "$WEIR_TMP/looks" | cut -c 1-500 | head -5)" ""
for what in log_1 log_2 rows_1 rows_2 events; do
    n=$(grep -c "^$what " "$WEIR_TMP/looks" || true)
    check "$what was looked at ($n times)" [ "$n" -ge 3 ]
done
done_n=$(value -c "SELECT last_value FROM fz_keep.n")
check "inserts went through ($done_n numbers given out)" [ "$done_n" -gt 100 ]

# Conflicts between two sessions' DDL that the server itself reports so, on tables without triggers as well.
# A control run of a minute has shown the first of them, and no others.
servers='XX000: (tuple (concurrently (updated|deleted)|already updated by self)|cache lookup failed for'
servers+='|could not open relation with OID|could not find|relation [0-9]+ deleted while still in use'
servers+='|attempted to (update|delete) invisible tuple|missing chunk number)'
cat "$WEIR_TMP"/*-*.err | grep -oE '(ERROR|FATAL|PANIC):  [0-9A-Z]{5}: .*|^LOCATION.*' >"$WEIR_TMP/errors" || true
internal=$(grep -hE ':  XX' "$WEIR_TMP/errors" | grep -vE "$servers" | sort | uniq -c || true)
is "no internal error" "$internal" ""
ours=$(grep -A 1 -hE ':  XX' "$WEIR_TMP/errors" | grep -E 'LOCATION.*\.cpp' | sort | uniq -c || true)
is "none at all from the extension" "$ours" ""
lost=$(grep -hE '(FATAL|PANIC):  |server closed the connection|exit status' "$WEIR_TMP"/*-*.err |
    sort | uniq -c || true)
is "no session was lost" "$lost" ""
grep -hoE '(ERROR|FATAL):  [0-9A-Z]{5}' "$WEIR_TMP"/*-*.err | sort | uniq -c | sort -rn | head -20 | sed 's/^/# /'
finish
