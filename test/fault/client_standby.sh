#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: see test/client/standby_test.cpp: a standby, and its promotion.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

cluster_start primary "wal_level = replica" >/dev/null
cluster_psql primary -c 'CREATE EXTENSION weir'
mkdir -p "$WEIR_TMP/standby"
own_by_server "$WEIR_TMP/standby"
as_server "$PGBIN/pg_basebackup" -D "$WEIR_TMP/standby/data" -R -c fast -X stream -h "$WEIR_TMP/primary" -p 65432 -U postgres
cluster_start standby "unix_socket_directories = '$WEIR_TMP/standby'" >/dev/null
cluster_use standby
export WEIR_TEST_PRIMARY="host=$WEIR_TMP/primary"
client_tests standby '[standby]'
finish
