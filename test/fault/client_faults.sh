#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: see test/client/fault_test.cpp: restarts, kills, cut and silent connections.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'
client_tests main '[fault]'
finish
