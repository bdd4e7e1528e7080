#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: see test/client/pooler_test.cpp: PgBouncer in transaction and in session mode.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"
. "$(dirname "$0")/pooler.sh"

cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'
mkdir -p "$pooler"
printf '"postgres" ""\n"weir_patient" ""\n' >"$pooler/users"
pooler_start transaction <<CONF
[databases]
transaction = host=$PGHOST port=$PGPORT dbname=postgres pool_mode=transaction pool_size=10
session = host=$PGHOST port=$PGPORT dbname=postgres pool_mode=session pool_size=20
[pgbouncer]
auth_type = trust
auth_file = $pooler/users
ignore_startup_parameters = extra_float_digits
CONF
export WEIR_TEST_TRANSACTION="host=$pooler port=$PGPORT dbname=transaction"
export WEIR_TEST_SESSION="host=$pooler port=$PGPORT dbname=session"
client_tests main '[pooler]'
finish
