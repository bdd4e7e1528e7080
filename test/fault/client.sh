#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the client library's example does what its comments say: frames come back
# byte for byte, a retried key leaves one frame, errors carry their SQLSTATE.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cmake -S "$WEIR_ROOT" -B "$WEIR_TMP/cmake" -DWEIR_TESTS=OFF >"$WEIR_TMP/cmake.log" 2>&1 &&
    cmake --build "$WEIR_TMP/cmake" "$(jobs_flag)" --target weir_example_round_trip >>"$WEIR_TMP/cmake.log" 2>&1 ||
    { tail -n 20 "$WEIR_TMP/cmake.log"; die "the client does not build"; }
cluster_start client >/dev/null
cluster_use client
psql -c 'CREATE EXTENSION weir'
example=$(find "$WEIR_TMP/cmake" -name weir_example_round_trip -type f)
is "a round trip through the client" "$("$example")" 'durable "two" 0 bytes
durable - 3 bytes
close
WR001'
is "bytes arrive as they were sent" "$(value -c "SELECT bytes FROM weir.read('example') WHERE bytes IS NOT NULL")" '\x00ff80'
is "without a server it says so and fails" "$(PGHOST=/nonexistent "$example" 2>/dev/null; echo $?)" 1
finish
