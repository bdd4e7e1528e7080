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

# Where the server raises an internal error for what was dropped under a statement's hands: each comes with the way to it.
traced=relation_open,internal_get_result_type,func_get_detail,fmgr_info_cxt_security,build_function_result_tupdesc_t
traced+=,lookup_type_cache,getTypeInputInfo,getTypeOutputInfo,getTypeBinaryOutputInfo,get_type_io_data,get_typlenbyval
traced+=,get_typlenbyvalalign,getBaseTypeAndTypmod,format_type_extended,load_domaintype_info,get_relid_attribute_name
cluster_start fuzz "deadlock_timeout = 100ms" "statement_timeout = 30s" "lock_timeout = 3s" \
    "default_statistics_target = 10" "autovacuum_naptime = 1s" "idle_in_transaction_session_timeout = 60s" \
    "log_error_verbosity = verbose" "backtrace_functions = '$traced'" \
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
SELECT 'log_$i ' || count(*)
    || coalesce(' ' || min(coalesce(f.k, d.k::text) || ' ' || coalesce(f.document::text, 'no patch') || ' '
                           || coalesce(d.document::text, 'no document')), '')
    || CASE WHEN count(*) > 0 THEN ' of ' || 'log_$i'::regclass::oid::regclass || ' among '
            || (SELECT string_agg(relnamespace::regnamespace || '.' || relname, ' ' ORDER BY 1) FROM pg_class
                WHERE relname IN ('log_$i', 'doc_$i')) ELSE '' END
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

# Internal errors that are the server's own, on tables and functions of anybody's (src/backend of the server):
# - "tuple concurrently updated" or "deleted" (heapam.c, simple_heap_update and _delete): two sessions alter one row of
#   a catalogue; a control run makes it as well;
# - "cache lookup failed for …" and "could not open relation with OID …" in DDL, which looks at objects that it has not
#   locked: in its statements no code of weir runs;
# - the same in what calls a function, from the parser or the planner: between finding the function and its result's
#   type (parse_relation.c, addRangeTableEntryForFunction, by way of typcache.c or funcapi.c) it locks neither, so
#   whoever drops both between makes that of it. A way to the error that goes through weir's library is weir's.
# Prints each other one: the error, the place, and the statement. The server writes all of a message at once.
LC_ALL=C awk -v library=weir.so '
    function judge(    gone) {
        if (error == "") return
        gone = error ~ /XX000: +(cache lookup failed for|could not open relation with OID)/
        if (error !~ /XX000: +tuple concurrently (updated|deleted)/ && (!gone || (traced ? ours : !ddl)))
            print error " " place " " (traced ? ours ? "by way of weir" : "traced" : "not traced") ": " statement
        error = ""
    }
    / (LOG|WARNING|NOTICE|ERROR|FATAL|PANIC):  / { judge() }
    / (ERROR|FATAL|PANIC):  XX/ {
        error = $0; place = statement = ""; traced = ours = ddl = 0
        sub(/^.*(ERROR|FATAL|PANIC):  /, "", error)
    }
    error == "" { next }
    / BACKTRACE:  / { traced = 1 }
    traced && index($0, library) { ours = 1 }
    / LOCATION:  / { place = $0; sub(/^.*LOCATION:  /, "", place); if (place ~ /\.cpp/) ours = traced = 1 }
    / STATEMENT:  / { statement = $0; sub(/^.*STATEMENT:  /, "", statement)
        ddl = statement ~ /^(ALTER|CREATE|DROP|CALL fz_keep\.|REINDEX|VACUUM|ANALYZE|BEGIN; *(ALTER|DROP))/ }
    END { judge() }' "$WEIR_TMP/fuzz/server.log" >"$WEIR_TMP/internal"
is "no internal error but the server's own" "$(sort "$WEIR_TMP/internal" | uniq -c | cut -c 1-400 | head -20)" ""
is "none at all from the extension" "$(awk '
    /(ERROR|FATAL|PANIC):  / { error = $0 }
    /^LOCATION: / { if (error ~ /:  XX/ && $0 ~ /[.]cpp/) print error " " $0; error = "" }' "$WEIR_TMP"/*-*.err |
    sort | uniq -c)" ""
lost=$(grep -hE '(FATAL|PANIC):  |server closed the connection|exit status' "$WEIR_TMP"/*-*.err |
    sort | uniq -c || true)
is "no session was lost" "$lost" ""
grep -hoE '(ERROR|FATAL):  [0-9A-Z]{5}' "$WEIR_TMP"/*-*.err | sort | uniq -c | sort -rn | head -20 | sed 's/^/# /'
finish
