#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: renaming, moving, copying and dropping a database right after an append takes no
# second longer than when nobody was there: an idle worker sees that somebody wants the database
# for himself, and leaves. A housekeeper that rests until something is due is connected to
# nothing; when its database is gone by then it leaves without a word. A clock that is
# set back, and timeouts of a role or a database, keep it from nothing.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start bases "max_worker_processes = 16"
cluster_use bases
psql -c 'CREATE DATABASE template' && psql -d template -c 'CREATE EXTENSION weir'
server_log=$WEIR_TMP/bases/server.log
mkdir "$WEIR_TMP/space" && own_by_server "$WEIR_TMP/space"
psql -c "CREATE TABLESPACE space LOCATION '$WEIR_TMP/space'"
workers_of() { value -c "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'weir %' AND datname = '$1'"; }
has_workers() { [ "$(workers_of "$1")" -gt 0 ]; }
# took STATEMENT: milliseconds
took() {
    local started
    started=$(date +%s%N)
    psql -c "$1" >&2
    echo $((($(date +%s%N) - started) / 1000000))
}
note "right after an append"
n=0
while read -r statement; do
    n=$((n + 1))
    psql -c "CREATE DATABASE quiet$n TEMPLATE template"
    psql -c "CREATE DATABASE busy$n TEMPLATE template"
    quiet=$(took "${statement//DB/quiet$n}")
    psql -d busy$n -c "SELECT count(weir.append_best_effort('s', '1')) FROM generate_series(1, 64)" \
    -c "SELECT weir.append('s', '1')" >/dev/null
    check "(there are workers)" poll 15 has_workers busy$n
    busy=$(took "${statement//DB/busy$n}")
    note "$statement: $quiet ms where nobody is, $busy ms right after an append"
    check "$statement waits for no idle worker" test $((busy - quiet)) -lt 1000
done <<'STATEMENTS'
ALTER DATABASE DB RENAME TO DB_renamed
ALTER DATABASE DB SET TABLESPACE space
CREATE DATABASE DB_copy TEMPLATE DB
DROP DATABASE DB
STATEMENTS

note "resting"
psql -c 'CREATE DATABASE rest TEMPLATE template'
psql -d rest -c "SELECT acquired FROM weir.lease_acquire('l', 'me', '25 seconds')" >/dev/null
leased=$SECONDS
is_alone() { [ "$(workers_of rest)" = 0 ]; }
check "nobody is connected while a lease runs" poll 22 is_alone
psql -c 'DROP DATABASE rest'
psql -c 'CREATE DATABASE slow TEMPLATE template'
psql -c "ALTER DATABASE slow SET idle_in_transaction_session_timeout = 1" \
    -c "ALTER DATABASE slow SET statement_timeout = 1" \
    -c "ALTER DATABASE slow SET idle_session_timeout = 1" -c "ALTER DATABASE slow SET lock_timeout = 1"
[ "$(value -c "SELECT count(*) FROM pg_settings WHERE name = 'transaction_timeout'")" = 0 ] || psql \
    -c "ALTER DATABASE slow SET transaction_timeout = 1"
export PGOPTIONS='-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0'
PGOPTIONS+=' -c idle_session_timeout=0'
[ "$(value -c "SELECT count(*) FROM pg_settings WHERE name = 'transaction_timeout'")" = 0 ] \
    || PGOPTIONS+=' -c transaction_timeout=0'
psql -d slow -c "SELECT acquired FROM weir.lease_acquire('l', 'me', '5 seconds')" \
    -c "SELECT count(weir.append('s', to_jsonb(i))) FROM generate_series(1, 2000) i" >/dev/null
is_swept() { [ "$(value -d slow -c "SELECT count(*) FROM weir.read('leases') WHERE type = 'expired'")" = 1 ]; }
check "it comes when the lease expires, whatever timeouts there are" poll 40 is_swept
is "and nothing failed" "$(value -d slow -c 'SELECT sum(failures) FROM weir.housekeeping')" 0
unset PGOPTIONS
has_expired() { [ $((SECONDS - leased)) -ge 28 ]; }
poll 40 has_expired
is "no worker looks for a database that is gone" "$(grep -c 'FATAL.*does not exist' "$server_log")" 0
finish
