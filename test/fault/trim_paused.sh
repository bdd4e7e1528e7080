#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: a trim takes no patch that it has not folded, and no frame that it has not counted, whatever is committed,
# begun or rolled back between any two of its looks at the log. weir is built with pauses planted there, where the
# trim waits for an advisory lock: before and behind its snapshot, behind its look for what is in flight, between its two
# folds, and before it removes what they folded. (specs/trim_patches.spec tries the same by chance.)
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"
. "$(dirname "$0")/planting.sh"

# pause KEY PERL_PATTERN: before what matches.
pause() {
    local lock="DirectFunctionCall1(pg_advisory_lock_shared_int8, Int64GetDatum($1));"
    plant "$WEIR_TMP/copy/src/stream/lifecycle.cpp" "s/(\\n +)($2)/\$1$lock\$1${lock/lock/unlock}\$1\$2/"
}
plant_copy "$WEIR_TMP/copy"
pause 4711 'Snapshot snapshot = [^\n]*\n +int64 frames = 0;'
pause 4712 'int64 frames = 0;\n +if \(stream::state state'
pause 4713 'int64 settled_below = '
pause 4714 'stream::folded latest = '
pause 4715 'removed gone = remove_below'
plant_build "$WEIR_TMP/copy"
plant_use "$WEIR_TMP/copy"

cluster_start trim
cluster_use trim
psql -c 'CREATE EXTENSION weir'
for name in holder trimmer writer other; do session_start $name; done
patch() { echo "SELECT weir.append_patch('$stream', '{\"$1\": 1}') IS NOT NULL;"; }
keys() { value -c "SELECT string_agg(k, '' ORDER BY k) FROM weir.summary('$stream') s, jsonb_object_keys(s.document) k"; }
counted() { value -c "SELECT lifetime_frames FROM weir.stream_info('$stream')"; }
is_paused() {
    [ "$(value -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted")" = 1 ]
}
has_ended() { grep -qx "trimmed $stream" "$WEIR_TMP/trimmer.out"; }

for key in 4711 4712 4713 4714 4715; do
    for end in COMMIT ROLLBACK nothing; do
        stream=t$key$end
        note "$stream"
        tell_and_wait other "$(patch a) $(patch b)"
        [ $end = nothing ] || tell_and_wait writer "BEGIN; $(patch c)"
        tell_and_wait other "BEGIN; $(patch d) ROLLBACK; $(patch e)"
        tell_and_wait holder "SELECT pg_advisory_lock($key);"
        tell trimmer "SELECT weir.trim('$stream', keep => 0);"
        tell trimmer "\\echo trimmed $stream"
        poll 60 is_paused $key || not_ok "$stream: the trim comes to its pause"
        [ $end = nothing ] || tell_and_wait writer "$end;"
        tell_and_wait writer "BEGIN; $(patch f)"
        tell_and_wait other "$(patch g)"
        tell_and_wait holder "SELECT pg_advisory_unlock($key);"
        check "$stream: the trim comes to its end" poll 60 has_ended
        tell_and_wait other "$(patch h)"
        tell_and_wait writer "COMMIT;"
        [ $end = COMMIT ] && all=abcefgh || all=abefgh
        is "$stream: every patch is in" "$(keys)" $all
        is "$stream: and counted" "$(counted)" ${#all}
        value -c "SELECT weir.trim('$stream', keep => 0)" >/dev/null
        is "$stream: also when all are trimmed" "$(keys) $(counted)" "$all ${#all}"
    done
done
finish
