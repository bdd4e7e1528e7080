#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker of leases can fail, in each way in which it may pass. Leases in
# plpgsql (test/lease_checker/mock.sql) pass it, and with any one fault planted in
# them they do not, on the line that the fault belongs to.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start planted
cluster_use planted
lease_checker=$(program_build lease_checker weir-lease-checker)
createdb mock
psql -d mock -f "$WEIR_ROOT/test/lease_checker/mock.sql"

# $1: fault, $2: the claim that has to fail ("" for none)
try() {
    local log=$WEIR_TMP/$1.log status=0 run
    createdb -T mock "$1"
    psql -c "ALTER DATABASE \"$1\" SET mock.fault = '$1'"
    # What a fault needs to show is a matter of chance, and of how busy the machine is.
    for run in 1 2 3 4; do
        status=0
        "$lease_checker" --conninfo "dbname=$1" --seconds "$((run + 1))" --run "m$run" --seed "$run" >"$log" 2>&1 || status=$?
        [ -n "$2" ] && ! grep -q "^not ok - .*$2" "$log" || break
    done
    if [ -z "$2" ]; then
        check "without a fault the checker passes" [ "$status" = 0 ]
        [ "$status" = 0 ] || sed 's/^/# /' "$log"
    else
        check "$1: the checker fails on \"$2\"" grep -q "^not ok - .*$2" "$log"
    fi
}

try none ""
try twice "no epoch of a lease was given out twice"
try below "epochs ascend"
try unheld "nothing of an old epoch became visible"
try unfenced "in the order of their epochs"
try torn "every write acknowledged"
try ghost "every write acknowledged"
try early "no lease was lost before its time"
try stolen "no lease was lost before its time"
try late "nobody worked under a lease, or renewed it, after its time"
try lingering "no acquire was refused in the name of a lease whose time was over"
try untold "the history tells of every issuance"
try retold "the history tells of every issuance"
try unexpired "in an order that leases can take"
try error "no call failed in a way that it may not"
finish
