#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: the client's tests that need no more than a server (test/client). Every
# example compiles and does what its comments say. An installed client is found by find_package and by pkg-config,
# wherever it was moved to, static and shared.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'

client_tests main '~[fault]~[standby]~[pooler]'

note "examples"
client_make all
example() { "$client_build/client/weir_example_$1"; }
is "a round trip through the client" "$(example round_trip)" 'durable "two" 0 bytes
durable - 3 bytes
close
WR001'
is "bytes arrive as they were sent" "$(value -c "SELECT bytes FROM weir.read('example') WHERE bytes IS NOT NULL")" '\x00ff80'
is "without a server it says so and fails" "$(PGHOST=/nonexistent example round_trip 2>/dev/null; echo $?)" 1
finish
