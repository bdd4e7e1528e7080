#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: whatever transactions do, every committed frame reaches every reader of its
# stream exactly once and in the order of positions, and nothing else does
# (test/checker). About 25 seconds; WEIR_STRESS_SECONDS for a long run, or
# WEIR_STRESS=1 for ten minutes. WEIR_SEED chooses the writers' choices, though not
# the interleaving.
set -euo pipefail
. "$(dirname "$0")/common.sh"

seconds=${WEIR_STRESS_SECONDS:-${WEIR_STRESS:+600}}
cluster_start checker
cluster_use checker
checker_build
psql -c 'CREATE EXTENSION weir'

# Few streams meet most, one meets always; many spread over the log locks.
i=0
for shape in "3 8 8" "1 12 4" "40 8 6"; do
    read -r streams writers readers <<<"$shape"
    i=$((i + 1))
    note "$writers writers, $readers readers, $streams streams"
    run_checker --conninfo dbname=postgres --run "checker$i" --seed "$((${WEIR_SEED:-1} + i))" \
        --seconds "$((${seconds:-24} / 3))" --streams "$streams" --writers "$writers" --readers "$readers"
done
finish
