#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: while the extension is dropped and made anew all the time, live sessions of all families, and weir's
# workers, get clean errors only: that a relation, a function or a schema is not there, that something is being made
# anew, or a deadlock, of which the drop may be the victim. Never XX000 from weir. (The server itself says so where it
# calls a function, or parses the call of one, that is dropped under its hands.) Afterwards all works in the same
# sessions. A renamed schema is an error that says how to mend it, and nothing is lost.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

seconds=${WEIR_DROP_SECONDS:-15}
server_log=$WEIR_TMP/dropped/server.log
cluster_start dropped "deadlock_timeout = 100ms" "backtrace_functions = 'relation_open'"
cluster_use dropped
psql -c 'CREATE EXTENSION weir' -c 'CREATE TABLE t (n integer)'

# A statement of each family.
cat >"$WEIR_TMP/statements" <<'SQL'
SELECT weir.append('a', '1');
SELECT weir.append_batch('a', ARRAY['1', '2']::jsonb[]);
SELECT weir.append_best_effort('a', '1');
SELECT weir.append_patch('p', '{"a": 1}');
SELECT weir.append('a', '1', idempotency_key => 'k' || clock_timestamp());
SELECT count(*) FROM weir.read('a');
SELECT * FROM weir.summary('p');
SELECT weir.head('a');
SELECT * FROM weir.stream_info('a');
SELECT count(*) FROM weir.streams;
SELECT weir.trim('a', keep => 10);
SELECT weir.drop_stream('p');
CALL weir.wait('a', NULL, '10 ms');
SELECT weir.emit('a', '{}', 'x');
SELECT weir.subscribe('s', 'a');
SELECT count(*) FROM weir.fetch('s');
SELECT weir.unsubscribe('s');
SELECT * FROM weir.lease_acquire('l', 'me');
SELECT weir.lease_sweep();
SELECT count(*) FROM weir.leases;
SELECT weir.notify('c', 'x');
SELECT * FROM weir.doorbell;
SELECT * FROM weir.blockers;
SQL
until_done=$WEIR_TMP/go_on
clean='42P01|42883|3F000|55000|40P01|42704|2BP01|WR[0-9]{3}'
touch "$until_done"
start_family() {
    session_start "live$1"
    tell "live$1" '\set VERBOSITY verbose'
    while [ -e "$until_done" ]; do
        tell_and_wait "live$1" "\\i $WEIR_TMP/statements" 60
    done
    tell_and_wait "live$1" "SELECT 'works' FROM weir.lease_acquire('e$1', 'me')
        WHERE weir.append('end', '1') IS NOT NULL;"
    session_end "live$1"
}
for n in 1 2 3; do
    start_family $n &
    families[n]=$!
done
end=$((SECONDS + seconds))
drops=0
while [ $SECONDS -lt $end ]; do
    # A deadlock may make it the victim.
    if PGOPTIONS='-c lock_timeout=5s' "$PGBIN/psql" -X -q -c 'DROP EXTENSION weir CASCADE' >>"$WEIR_TMP/drops" 2>&1; then
        drops=$((drops + 1))
    fi
    "$PGBIN/psql" -X -q -c 'CREATE EXTENSION IF NOT EXISTS weir' >>"$WEIR_TMP/drops" 2>&1 || true
    read -r -t "0.$((RANDOM % 3))5" <> <(:) || true
done
psql -c 'CREATE EXTENSION IF NOT EXISTS weir' 2>/dev/null
rm "$until_done"
for n in 1 2 3; do wait "${families[n]}"; done
note "$drops drops"
check "(it was dropped often)" test "$drops" -ge 3

errors() { grep -hE '(ERROR|FATAL): +[0-9A-Z]{5}:' "$WEIR_TMP"/live?.out | sed -E 's/^.*(ERROR|FATAL): +//'; }
note "$(errors | cut -c 1-5 | sort | uniq -c | tr -s ' ' | paste -sd ';')"
of_the_server='^XX000: (cache lookup failed for function|could not open relation)'
unclean() { errors | grep -vE "^($clean):" | grep -vE "$of_the_server"; }
is "sessions get clean errors only" "$(unclean | sort | uniq -c | head)" ""
# The server's parser opens the rowtype of a function that it is about to call, and may come too late. What counts is
# what weir opens: the log has the way there.
opened_by_weir() {
    awk '/could not open relation with OID/ { of_it = 1; message = $0; next }
         /^[0-9]+-[0-9]+-/ && !/BACKTRACE/ { of_it = 0 }
         of_it && /weir\.so/ { print message; of_it = 0 }' "$server_log"
}
is "weir opens nothing that is not there" "$(opened_by_weir | head -n 3)" ""
is "nor looks it up" "$(grep -E 'cache lookup failed for (relation|sequence)' "$server_log" | head -n 3)" ""
is "afterwards all of them work" "$(cat "$WEIR_TMP"/live?.out | grep -cx works)" 3
position=$(value -c "SELECT weir.append('a', '1')")
listen all -- weir:a
position=$(value -c "SELECT weir.append('a', '1')")
hears "and listeners are told" all "^weir:a|$position\$"
session_end all

note "a schema that was renamed"
session_start before
tell_and_wait before "SELECT weir.append('a', '1');"
psql -c 'ALTER SCHEMA weir RENAME TO elsewhere'
is "a new session is told what to do" "$(sqlstate "SELECT elsewhere.append('a', '1')")" 55000
is "a call by the old name says that it is not there" "$(sqlstate "SELECT weir.append('a', '1')")" 3F000
psql -c 'ALTER SCHEMA elsewhere RENAME TO weir'
is "named as before, all is there" "$(value -c "SELECT count(*) >= 1 FROM weir.read('a')")" t
tell_and_wait before "SELECT 'goes on' WHERE weir.append('a', '2') IS NOT NULL;"
check "and sessions of before go on" grep -qx 'goes on' "$WEIR_TMP/before.out"
session_end before
finish
