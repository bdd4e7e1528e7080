#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: see test/client/standby_test.cpp: a standby, and its promotion.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

cluster_start primary "wal_level = replica" >/dev/null
cluster_psql primary -c 'CREATE EXTENSION weir'
make_standby standby primary >/dev/null
cluster_use standby
export WEIR_TEST_PRIMARY="host=$WEIR_TMP/primary"
client_tests standby '[standby]'
finish
