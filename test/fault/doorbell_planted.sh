#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker of wakeups finds what it is for. weir is built with a worker that leaves
# at once and with its races a little wider; so it passes. With any one fault planted
# in that, it does not, on the line of the readers whom the fault concerns.
set -euo pipefail
. "$(dirname "$0")/common.sh"

. "$(dirname "$0")/planting.sh"

base=$WEIR_TMP/base
plant_copy "$base"
plant "$base/src/worker/worker.cpp" 's/linger_us = 2 \* USECS_PER_SEC/linger_us = 1000/' \
    's/(result what = duty_of\(which\)\.round\([^;]*\);)/$1 pg_usleep(300);/'
plant "$base/src/doorbell/wait.cpp" 's/(\n +)(if \(now >= deadline_us\)\s+return false)/$1pg_usleep(200);$1$2/'
plant_build "$base"
# fault NAME FILE PERL…
fault() {
    cp -a "$base" "$WEIR_TMP/plant-$1"
    plant "$WEIR_TMP/plant-$1/src/$2" "${@:3}"
    plant_build "$WEIR_TMP/plant-$1"
}
# Meanwhile the other core is of use.
plant_all() {
    fault abort doorbell/marks.cpp 's/if \(log_count > 0 && pg::settings::doorbell != pg::settings::doorbell_off\)(\s+ring\(Invalid)/if (committed && log_count > 0)$1/'
    fault savepoint doorbell/marks.cpp 's/event == SUBXACT_EVENT_ABORT_SUB && log_count > 0/false/'
    fault early doorbell/marks.cpp 's/(\n +)(notify_before_commit\([^;]*\);)/$1$2$1if (log_count > 0) ring(InvalidSubTransactionId, true);/' \
        's/if \(log_count > 0 && (pg::settings::doorbell != pg::settings::doorbell_off\)\s+ring\(Invalid)/if (!committed && log_count > 0 && $1/'
    fault wide doorbell/marks.cpp 's/if \(beyond && beyond_sub >= since\)/if (false)/'
    fault unheard doorbell/wait.cpp \
        's/( +if \(slot >= 0\)\s+for_each_bell\(w, [^\n]*\n)(.*?)( +if \(result == look::nothing\)\s+sleep)/$2$1$3/s'
    fault latch doorbell/wait.cpp 's/slot >= 0 && is_woken\(w, slot\)/false/' \
        's/\(void\)(WaitLatch\([^;]*\));(\s+)ResetLatch\(MyLatch\);/if ($1 & WL_LATCH_SET) { ResetLatch(MyLatch); return; }/'
    fault pending doorbell/drain.cpp 's/ring_pending_bells\(\);//'
    fault leave worker/slot.cpp 's/holds_slot = pg_atomic_read_u32\(&p\.wakeup_pending\) != 0;/holds_slot = false;/'
    fault answer worker/worker.cpp 's/ +answer\(\);\n//' 's/(result what = duty_of\(which\)\.round\([^;]*\);[^\n]*\n)/$1        answer();\n/'
    fault unstarted worker/start.cpp 's/(a first round is unconditional\.\n +)return start_if_needed\(which\);/$1return false;/'
    fault unflushed doorbell/announce.cpp 's/(    UnregisterSnapshot\(latest\);\n)    flush\(r\);/$1/'
}
waking=$(program_build waking weir-waking)
plant_all &
planting=$!
cluster_start planted
cluster_stop planted
# try NAME OPTIONS [READERS]: without READERS it has to pass.
try() {
    local name=$1 options=$2 log=$WEIR_TMP/$1.log status=0
    plant_use "$WEIR_TMP/$([ "$name" = none ] && echo base || echo "plant-$name")"
    cluster_start planted
    cluster_use planted
    createdb "$name" 2>/dev/null || { dropdb "$name" && createdb "$name"; }
    psql -d "$name" -c 'CREATE EXTENSION weir'
    # shellcheck disable=SC2086
    "$waking" --conninfo "dbname=$name" --stop-at-first $options >"$log" 2>&1 || status=$?
    cluster_stop planted immediate
    if [ $# = 2 ]; then
        check "without a fault the checker passes ($options)" [ $status = 0 ]
        [ $status = 0 ] || sed 's/^/# /' "$log"
    else
        check "$name: the checker fails on \"$3\"" grep -qF "not ok - every wakeup came: $3" "$log"
        grep -qF "not ok - every wakeup came: $3" "$log" || sed 's/^/# /' "$log"
    fi
}
many="--streams 1 --waiters 24 --many 6"
rare="--streams 1 --writers 2 --burst 1 --idle 5"
wide="--streams 400 --wide --writers 4 --many 1"
found="--seconds 20 --grace 2"
try none "--seconds 3 $many"
try none "--seconds 3 $rare"
wait $planting
try abort "$found" "weir.wait"
try savepoint "$found" "weir.wait"
try early "$found" "weir.wait"
try wide "$found $wide" "LISTEN on"
try unheard "$found" "weir.wait"
try latch "$found" "weir.wait"
try pending "$found $many" "weir.wait"
try leave "$found $rare" "LISTEN on"
try answer "$found $rare" "LISTEN on"
try unstarted "$found $rare" "LISTEN on"
try unflushed "$found" "LISTEN on"
finish
