#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker can fail, in each way in which it may pass. Streams in plpgsql
# (test/checker/mock.sql) pass it, and with any one fault planted in them they do
# not, on the line that the fault belongs to.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start planted
cluster_use planted
checker_build
createdb mock
psql -d mock -f "$WEIR_ROOT/test/checker/mock.sql"

# $1: fault, $2: the claim that has to fail ("" for none)
try() {
    local log=$WEIR_TMP/$1.log status=0
    createdb -T mock "$1"
    psql -c "ALTER DATABASE \"$1\" SET mock.fault = '$1'"
    # By transactions, as some faults show in a few of a hundred only, and a busy machine manages ten a second.
    "$checker" --conninfo "dbname=$1" --seconds 1 --transactions 100 --writers 6 --readers 6 --history "$WEIR_TMP/$1.history" >"$log" 2>&1 || status=$?
    if [ -z "$2" ]; then
        check "without a fault the checker passes" [ "$status" = 0 ]
    else
        check "$1: the checker fails on \"$2\"" grep -q "^not ok - .*$2" "$log"
    fi
}

try none ""
try unlocked "every committed frame reached every reader"
try duplicate "no frame was delivered twice"
try drop "every committed frame reached every reader"
try aborted "no frame of a rolled-back transaction"
try doctored "came back as they were appended"
try backwards "no append got a position at or below"
try fold "the summary is the fold"
try versions "summary versions ascend"
try torn "a batch lies in one piece"
try stale "a later read never stopped short"
try counts "stream_info counts what is there"
try close "the close mark came once, and last"
finish
