#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: with weir in session_preload_libraries, of the server, a database or a role, or in
# shared_preload_libraries, each session knows weir's settings from its start: they can be shown, set and
# altered for the system, whether the extension is created or not; a value out of range or a name that is none is
# refused, and what was altered holds for sessions that begin. Without, a session knows them from its first call on.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start preload
cluster_use preload
psql -c 'CREATE DATABASE with_weir' -c 'CREATE ROLE somebody LOGIN SUPERUSER'
psql -d with_weir -c 'CREATE EXTENSION weir'
reload() { psql -c 'SELECT pg_reload_conf()' >/dev/null; }
# What a session that begins there says first.
first() { PGDATABASE=$1 PGUSER=${2:-postgres} sqlstate 'SHOW weir.max_frame_bytes'; }

# known HOW: in both databases.
known() {
    local db
    for db in postgres with_weir; do
        export PGDATABASE=$db
        is "$1: SHOW in $db" "$(value -c 'SHOW weir.max_frame_bytes')" 1MB
        is "$1: all are listed in $db" "$(value -c "SELECT count(*) > 10, bool_and(source = 'default')
            FROM pg_settings WHERE name LIKE 'weir.%'")" 't|t'
        is "$1: SET in $db" "$(value -c "SET weir.poll_interval = '2s'" -c 'SHOW weir.poll_interval')" 2s
        is "$1: ALTER SYSTEM, out of range" "$(sqlstate 'ALTER SYSTEM SET weir.max_batch_frames = 0')" 22023
        is "$1: ALTER SYSTEM, not one of its values" "$(sqlstate 'ALTER SYSTEM SET weir.doorbell = sometimes')" 22023
        is "$1: ALTER SYSTEM, no such setting" "$(sqlstate 'ALTER SYSTEM SET weir.no_such_setting = 1')" "$no_such"
        is "$1: SET, no such setting" "$(sqlstate 'SET weir.no_such_setting = 1')" 42602
        psql -c "ALTER SYSTEM SET weir.max_batch_frames = 77"
        reload
        altered() { [ "$(value -c 'SHOW weir.max_batch_frames')" = 77 ]; }
        check "$1: what was altered holds in $db" poll 20 altered
        psql -c "ALTER SYSTEM RESET weir.max_batch_frames"
        reload
        is_reset() { [ "$(value -c 'SHOW weir.max_batch_frames')" = 10000 ]; }
        check "$1: and no longer" poll 20 is_reset
    done
    unset PGDATABASE
    is "$1: a limit holds at the first call" \
        "$(PGDATABASE=with_weir PGOPTIONS='-c weir.max_frame_bytes=1024' sqlstate \
            "SELECT weir.append('s', to_jsonb(repeat('x', 2000)))")" 54000
}

version=$(value -c 'SHOW server_version_num')
# A name with a point in it is taken from 17 on, but for one that begins as an extension's do.
if [ "$version" -ge 170000 ]; then unknown=00000 no_such=42602; else unknown=42704 no_such=42704; fi

note "not preloaded"
is "SHOW does not know them" "$(first postgres)" 42704
is "nor where the extension is" "$(first with_weir)" 42704
is "ALTER SYSTEM" "$(sqlstate 'ALTER SYSTEM SET weir.max_batch_frames = 77')" "$unknown"
psql -c 'ALTER SYSTEM RESET ALL'
reload
is "the first call brings them" "$(value -d with_weir -c "SELECT weir.head('s')" -c 'SHOW weir.max_frame_bytes' |
    xargs)" "0-0 1MB"

note "for one database, and for one role"
psql -c "ALTER DATABASE with_weir SET session_preload_libraries = 'weir'"
is "in that database" "$(first with_weir)" 00000
is "in no other" "$(first postgres)" 42704
psql -c 'ALTER DATABASE with_weir RESET ALL' -c "ALTER ROLE somebody SET session_preload_libraries = 'weir'"
is "of that role" "$(first postgres somebody)" 00000
is "of no other" "$(first postgres)" 42704
psql -c 'ALTER ROLE somebody RESET ALL'

note "with each session"
psql -c "ALTER SYSTEM SET session_preload_libraries = 'weir'"
reload
is_known() { [ "$(first postgres)" = 00000 ]; }
check "from a reload on" poll 20 is_known
known session_preload_libraries
psql -c 'ALTER SYSTEM RESET session_preload_libraries'

note "with the server"
cluster_start preload "shared_preload_libraries = 'weir'"
known shared_preload_libraries
finish
