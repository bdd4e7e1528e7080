#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: see test/client/pooler_test.cpp: PgBouncer in transaction and in session mode.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'
dir=$WEIR_TMP/pooler
mkdir -p "$dir"
cat >"$dir/pgbouncer.ini" <<CONF
[databases]
transaction = host=$PGHOST port=$PGPORT dbname=postgres pool_mode=transaction pool_size=10
session = host=$PGHOST port=$PGPORT dbname=postgres pool_mode=session pool_size=20
[pgbouncer]
listen_addr =
listen_port = 65433
unix_socket_dir = $dir
auth_type = trust
auth_file = $dir/users
logfile = $dir/pgbouncer.log
pidfile = $dir/pgbouncer.pid
ignore_startup_parameters = extra_float_digits
CONF
printf '"postgres" ""\n"weir_patient" ""\n' >"$dir/users"
own_by_server -R "$dir"
as_server pgbouncer -q "$dir/pgbouncer.ini" </dev/null >/dev/null 2>&1 &
export WEIR_TEST_TRANSACTION="host=$dir port=65433 dbname=transaction"
export WEIR_TEST_SESSION="host=$dir port=65433 dbname=session"
poll 10 psql -d "$WEIR_TEST_TRANSACTION" -c 'SELECT 1' -o /dev/null 2>/dev/null || { cat "$dir/pgbouncer.log"; die "no pooler"; }
client_tests main '[pooler]'
finish
