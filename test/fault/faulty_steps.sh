# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# For tests under faults of housekeeping: builds weir with faulty_step.hpp planted in place of
# jobs' steps. To be sourced after planting.sh.
#
#   plant_faulty_steps DIR [PERL…]  a copy in DIR, built, with more edits of worker/housekeeper.hpp; what failed comes
#                                   again within half a second
#   fault CLUSTER JOB WHAT          error, lock, memory or exit; of "worker": none can be started
#   mend CLUSTER JOB
#
# The lock that is never granted is advisory lock 4703: a session of the test holds it.

# shellcheck disable=SC2034 # for those who source this
housekeeping_jobs=(checkpoints frames names keys vacuum lifetimes clock retention leases)

plant_faulty_steps() {
    local include='s|(#include "worker/records.hpp"\n)|$1#include "worker/faulty_step.hpp"\n|'
    plant_copy "$1"
    cp "$WEIR_ROOT/test/fault/faulty_step.hpp" "$1/src/worker/"
    plant "$1/src/worker/housekeeper.cpp" "$include" 's/j\.step\(current\.key\)/faulty_step(j, current.key)/g' \
        's/(first_backoff_us) = [^;]*/$1 = 100000/' 's/(longest_backoff_us) = [^;]*/$1 = 400000/'
    plant "$1/src/worker/housekeep.cpp" "$include" 's/s->of\.step\(s->key\)/faulty_step(s->of, s->key)/'
    [ $# = 1 ] || plant "$1/src/worker/housekeeper.hpp" "${@:2}"
    plant "$1/src/worker/slot.cpp" 's/(first_backoff_us) = [^;]*/$1 = 100000/'
    plant "$1/src/worker/start.cpp" 's/(return )(RegisterDynamic)/$1access("weir_fault_worker", F_OK) != 0 \&\& $2/' \
        's/(retry_us) = [^;]*/$1 = 200000/'
    plant_build "$1"
}

fault() { as_server sh -c "printf %s $3 >'$WEIR_TMP/$1/data/weir_fault_$2'"; }
mend()  { as_server rm -f "$WEIR_TMP/$1/data/weir_fault_$2"; }
