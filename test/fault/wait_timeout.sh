#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the time that weir.wait sleeps does not count for transaction_timeout (PostgreSQL 17 and later): it
# returns what it is asked for, the session lives on, and the timeout is as it was for what the session does afterwards.
# statement_timeout ends it, as any statement, where it is the shorter of the two: the server forgets the longer one.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start main
cluster_use main
psql -c "CREATE EXTENSION weir" -c "SELECT weir.append('s', '1')" >/dev/null
if [ "$(value -c "SHOW server_version_num")" -lt 170000 ]; then
    ok "before PostgreSQL 17 there is no transaction_timeout"
    finish
fi

# As one session, which a timeout would end; what it prints.
session() { "$PGBIN/psql" -X -q -At -c "SET transaction_timeout = '300 ms'" "$@" 2>&1 || true; }

is "a wait outlasts it" "$(session -c "CALL weir.wait('s', after => weir.head('s'), timeout => '1 s')" -c "SELECT 'alive'")" \
    "$(printf 'f|timeout\nalive')"
is "a second one, too" "$(session -c "CALL weir.wait('s', after => weir.head('s'), timeout => '500 ms')" \
    -c "CALL weir.wait('s', after => weir.head('s'), timeout => '500 ms')" -c "SELECT 'alive'" | xargs)" \
    "f|timeout f|timeout alive"
(sleep 0.7 && psql -c "SELECT weir.append('s', '2')" >/dev/null) &
is "and is woken behind it" "$(session -c "CALL weir.wait('s', after => weir.head('s'), timeout => '20 s')" \
    -c "SELECT 'alive'" | xargs)" "t|frames alive"
wait
check "afterwards the timeout is in force" grep -q "transaction timeout" \
    <(session -c "CALL weir.wait('s', after => weir.head('s'), timeout => '500 ms')" -c "SELECT pg_sleep(5)")
check "as it was before" grep -q "transaction timeout" <(session -c "SELECT pg_sleep(5)")
check "statement_timeout ends a wait" grep -q "statement timeout" \
    <(session -c "SET statement_timeout = '200 ms'" -c "CALL weir.wait('s', after => weir.head('s'), timeout => '20 s')")
finish
