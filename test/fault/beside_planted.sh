#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker beside DDL and a subscriber (checker_beside.sh) finds what it is for: a weir that keeps what it
# looked up of its tables when they are altered, and one whose tables take rows from logical replication.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/planting.sh"

variant stale log/table.cpp 's/(void invalidated\(Datum, Oid relid\) \{\n)/$1    return;\n/'
variant taken log/foreign.cpp 's/if \(!IsLogicalWorker\(\)\)/if (true)/'
export WEIR_DDL_FIRST=0
finds stale checker_beside "no statement failed unexpectedly" "every committed frame reached"
finds taken checker_beside "the subscriber follows" "its streams are its own" "and no others"
finish
