#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: append_best_effort never waits for a standby: with a synchronous one that is dead, 30 of 30, a tenth of a second
# apart, go through, as plain inserts into an unlogged table do, batches too, and listeners hear of them.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start best_effort
cluster_use best_effort
psql -c 'CREATE EXTENSION weir' -c 'CREATE UNLOGGED TABLE plain (n integer)'
psql -c "SELECT weir.append_best_effort('a', '0')" >/dev/null
# Whoever reads a page with dead rows of CREATE EXTENSION, of the catalogs too, may tidy it up, which is WAL.
psql -c 'VACUUM'
cluster_start best_effort "synchronous_standby_names = 'dead'"

# through STATEMENT: how many of 30, a tenth of a second apart, come back within a second.
through() {
    PGOPTIONS='-c statement_timeout=0' "$PGBIN/psql" -X -q -At -v ON_ERROR_STOP=1 >"$WEIR_TMP/through.out" 2>&1 <<SQL &
$(for _ in {1..30}; do printf '%s;\nSELECT pg_sleep(0.1);\n\\echo through\n' "$1"; done)
SQL
    local client=$!
    poll 40 gone "$client" || kill "$client"
    wait "$client" || true
    grep -h ERROR "$WEIR_TMP/through.out" >&2 || true
    grep -cx through "$WEIR_TMP/through.out" || true
}
is "(plain inserts)" "$(through 'INSERT INTO plain VALUES (1)')" 30
listen all -- weir:a
is "append_best_effort" "$(through "SELECT weir.append_best_effort('a', '1')")" 30
hears "and is heard" all '^weir:a|'
is "a batch" "$(through "SELECT weir.append_best_effort_batch('a', ARRAY['1', '2']::jsonb[])")" 30
check "all is there" test "$(value -c "SELECT count(*) FROM weir.read('a')")" -ge 90
session_end all
# A durable append does wait, and goes through once nobody is waited for.
session_start durable
tell durable "SELECT weir.append('a', '2');"
waits() { [ "$(value -c "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")" -ge 1 ]; }
check "(a durable append waits)" poll 15 waits
psql -c "ALTER SYSTEM SET synchronous_standby_names = ''" -c "SELECT pg_reload_conf()" >/dev/null 2>&1 || true
session_end durable
finish
