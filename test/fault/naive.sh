#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker sees losses where there are some. Over the same tables, written
# by weir, readers that do what people do with an outbox (`WHERE id > cursor`, rows
# that are visible) lose frames.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start naive
cluster_use naive
checker_build
psql -c 'CREATE EXTENSION weir'

log=$WEIR_TMP/naive.log status=0
"$checker" --conninfo dbname=postgres --naive --seconds 5 --streams 2 >"$log" 2>&1 || status=$?
is "the checker fails over naive readers" "$status" 1
check "for frames that never came" grep -q '^not ok - every committed frame reached every reader' "$log"
check "which readers missed, not the last read" grep -q '^#   reader .*: never delivered' "$log"
check "which did read" grep -q '^ok - no statement failed unexpectedly' "$log"
check "and most of it" grep -q '^ok - enough happened' "$log"
# What it says of the writers stands: there weir did its part.
check "the writers' half holds all the same" grep -q '^ok - no append got a position at or below' "$log"
sed 's/^\(not \)\{0,1\}ok/# &/' "$log"
finish
