#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker of lives (lives_checker.sh) finds what it is for: a weir that never tells a cursor that what it
# read was lost, one that keeps the floor of the last life alone, and one that takes what is there for lost.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/planting.sh"

variant untold stream/ahead.cpp 's/end\.over && is_lost/false \&\& is_lost/'
variant forgotten log/life.cpp 's/i >= 0 && position <= floors\[i\]/i >= floor_count - 1 \&\& i >= 0 \&\& position <= floors[i]/'
variant doubted stream/ahead.cpp 's/(case log::presence::visible:)/$1\n        return true;/'
finds untold lives_checker "b: lost cursors are told"
finds forgotten lives_checker "what the first failover lost is told after the second"
finds doubted lives_checker "b: lost cursors are told"
finish
