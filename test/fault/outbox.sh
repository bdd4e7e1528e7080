#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: a transaction that is open in another database, with an xid, stalls no
# subscription. Whatever is killed with signal 9 and when, a backend or the server, between emit and
# commit, fetch and ack: every event of a transaction that committed is handled, exactly
# once where the handler's writes share the ack's transaction, at least once where they
# do not, and none of a transaction that did not commit. A restart in the middle of a gap
# closes it. Prepared events outlive a restart. A standby can be fetched from, and its
# subscriptions go on when it is promoted.
# Seconds under fire: WEIR_STRESS_SECONDS (15).
set -euo pipefail
. "$(dirname "$0")/common.sh"

seconds=${WEIR_STRESS_SECONDS:-15}
quiet() { "$PGBIN/psql" -X -q -At "$@" 2>/dev/null; }
fetched() { value "${@:2}" -c "SELECT coalesce(string_agg(payload #>> '{}', ' '), 'nothing') FROM weir.fetch('$1')"; }

# open_session DATABASE SQL: runs it in a transaction that stays open; waits until it has run.
open_session() {
    "$PGBIN/psql" -X -q -d "$1" -v ON_ERROR_STOP=1 -c 'BEGIN' -c "$2" -c "SET application_name = 'weir open'" -c 'SELECT pg_sleep(1000)' \
        >/dev/null 2>&1 &
    poll 10 is_open "$1"
}
is_open() { [ "$(quiet -c "SELECT count(*) FROM pg_stat_activity WHERE datname = '$1' AND application_name = 'weir open' AND backend_xid IS NOT NULL AND query LIKE '%pg_sleep%'")" -gt 0 ]; }

cluster_start outbox "restart_after_crash = on" "checkpoint_timeout = 30s"
cluster_use outbox
psql -c 'CREATE EXTENSION weir'

note "an open transaction in another database"
createdb other
psql -d other -c 'CREATE EXTENSION weir'
open_session other "SELECT weir.append('t', '1'), pg_current_xact_id()"
value -c "SELECT weir.subscribe('s', 't', '-')" -c "SELECT weir.emit('t', to_jsonb(i), 'n') FROM generate_series(1, 3) i" >/dev/null
is "stalls nobody here" "$(fetched s)" '1 2 3'
is "and has nothing to do with the stream of the same name" "$(value -d other -c "SELECT count(*) FROM weir.read('t')")" 0

note "a restart in the middle of a gap"
open_session postgres "SELECT weir.append('t', '4')"
value -c "SELECT weir.emit('t', '5', 'n')" -c "SELECT weir.append('t', '6')" >/dev/null
is "held before" "$(fetched s)" '1 2 3'
crash_and_restart outbox
is "closed behind it" "$(fetched s)" '1 2 3 5 6'
open_session postgres "SELECT weir.append('t', '7')"
value -c "SELECT weir.emit('t', '8', 'n')" >/dev/null
cluster_stop outbox fast
cluster_start outbox
is "after a clean one as well" "$(fetched s)" '1 2 3 5 6 8'

note "prepared events outlive a restart"
psql -c "BEGIN; SELECT weir.emit('t', '9', 'n'); PREPARE TRANSACTION 'fault'" >/dev/null
value -c "SELECT weir.emit('t', '10', 'n')" >/dev/null
crash_and_restart outbox
is "held" "$(fetched s)" '1 2 3 5 6 8'
psql -c "COMMIT PREPARED 'fault'"
is "delivered" "$(fetched s)" '1 2 3 5 6 8 9 10'

note "under fire"
psql <<'SQL' >/dev/null
CREATE TABLE orders (id bigserial PRIMARY KEY);
CREATE TABLE noted (id bigint PRIMARY KEY);
CREATE TRIGGER outbox AFTER INSERT ON noted FOR EACH ROW EXECUTE FUNCTION weir.outbox('noted');
CREATE TABLE handled (id bigint PRIMARY KEY); -- twice is an error
CREATE TABLE handled_apart (id bigint);
CREATE TABLE handled_noted (id bigint PRIMARY KEY);
SELECT weir.subscribe('once', 'orders', '-'), weir.subscribe('apart', 'orders', '-'), weir.subscribe('noted', 'noted', '-');
CREATE PROCEDURE handle_once() LANGUAGE plpgsql AS $$
DECLARE f record;
BEGIN
    FOR f IN SELECT id, payload FROM weir.fetch('once', 40) LOOP
        INSERT INTO handled VALUES (f.payload::text::bigint);
        PERFORM weir.ack('once', f.id);
    END LOOP;
    FOR f IN SELECT id, payload FROM weir.fetch('noted', 40) LOOP
        INSERT INTO handled_noted VALUES ((f.payload #>> '{key,id}')::bigint);
        PERFORM weir.ack('noted', f.id);
    END LOOP;
END $$;
CREATE PROCEDURE handle_apart() LANGUAGE plpgsql AS $$
DECLARE upto weir.position;
BEGIN
    WITH f AS (SELECT * FROM weir.fetch('apart', 40)), i AS (INSERT INTO handled_apart SELECT payload::text::bigint FROM f)
    SELECT max(id) INTO upto FROM f;
    COMMIT;
    IF upto IS NOT NULL THEN PERFORM weir.ack('apart', upto); END IF;
END $$;
SQL
cat >"$WEIR_TMP/writer.sql" <<'SQL'
\set undo random(1, 10) = 1
BEGIN;
INSERT INTO orders DEFAULT VALUES RETURNING id \gset
SELECT weir.emit('orders', to_jsonb(:id::bigint), 'placed');
INSERT INTO noted VALUES (:id);
SAVEPOINT s;
SELECT weir.emit('orders', '-1', 'undone');
ROLLBACK TO s;
\if :undo
ROLLBACK;
\else
COMMIT;
\endif
SQL

end=$((SECONDS + seconds))
keep_on() { while [ $SECONDS -lt $end ]; do "$@" >/dev/null 2>>"$WEIR_TMP/clients.log" || sleep 0.1; done; }
pids=()
for _ in 1 2; do
    PGAPPNAME=writer keep_on "$PGBIN/pgbench" -n -c 3 -T 5 -f "$WEIR_TMP/writer.sql" & pids+=($!)
    PGAPPNAME=consumer keep_on "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -c 'CALL handle_once()' & pids+=($!)
    PGAPPNAME=consumer keep_on "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -c 'CALL handle_apart()' & pids+=($!)
done
orders() { quiet -c 'SELECT count(*) FROM handled' || echo -1; }
# Or the clients have stopped.
progressed() { [ "$(orders)" -gt $(($1 + 50)) ] || [ $SECONDS -ge $end ]; }
faults=0
while [ $SECONDS -lt $end ]; do
    before=$(orders)
    poll 20 progressed "$before" || { not_ok "work goes on after a fault"; break; }
    case $((faults % 3)) in
        0 | 1) pid=$(quiet -c "SELECT pid FROM pg_stat_activity WHERE application_name IN ('writer', 'consumer') AND state <> 'idle' ORDER BY random() LIMIT 1") &&
            [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null || true ;;
        2) crash_and_restart outbox ;;
    esac
    faults=$((faults + 1))
    poll 30 quiet -c 'SELECT 1' >/dev/null || { not_ok "the server came back"; break; }
done
wait "${pids[@]}" || true
poll 30 quiet -c 'SELECT 1' >/dev/null
for _ in {1..1000}; do
    psql -c 'CALL handle_once()' -c 'CALL handle_apart()'
    [ "$(value -c "SELECT sum(lag_frames) FROM weir.subscriptions WHERE name IN ('once', 'apart', 'noted')")" != 0 ] || break
done
note "$faults faults, $(value -c 'SELECT count(*) FROM orders') orders committed"
check "there were some" [ "$faults" -ge 3 ]
is "every order was handled once" "$(value -c 'SELECT count(*) FROM orders o FULL JOIN handled h USING (id) WHERE o.id IS NULL OR h.id IS NULL')" 0
is "every change was handled once" "$(value -c 'SELECT count(*) FROM noted o FULL JOIN handled_noted h USING (id) WHERE o.id IS NULL OR h.id IS NULL')" 0
is "and at least once apart from its ack" "$(value -c 'SELECT count(*) FROM orders o FULL JOIN (SELECT DISTINCT id FROM handled_apart) h USING (id) WHERE o.id IS NULL OR h.id IS NULL')" 0
is "no handler met an order twice" "$(grep -c 'duplicate key' "$WEIR_TMP/clients.log" || true)" 0

note "a standby"
make_standby standby outbox
there() { (cluster_use standby; "$@"); }
value -c "SELECT weir.emit('t', '11', 'n')" >/dev/null
caught_up() { [ "$(there value -c "SELECT pg_last_wal_replay_lsn() >= '$(value -c 'SELECT pg_current_wal_flush_lsn()')'")" = t ]; }
poll 30 caught_up
is "gives events" "$(there fetched s)" '1 2 3 5 6 8 9 10 11'
is "knows how far they are" "$(there value -c "SELECT lag_frames FROM weir.subscriptions WHERE name = 's'")" 9
is "takes no acknowledgement" "$(there sqlstate "SELECT weir.ack('s', '-')")" 25006
is "nor events" "$(there sqlstate "SELECT weir.emit('t', '{}', 'n')")" 25006
value -c "SELECT weir.ack('s', (SELECT id FROM weir.fetch('s') OFFSET 6 LIMIT 1))" >/dev/null
poll 30 caught_up
cluster_stop outbox fast
is "is promoted" "$(there value -c 'SELECT pg_promote()')" t
there value -c "SELECT weir.emit('t', '12', 'n')" >/dev/null
is "and goes on" "$(there fetched s)" '10 11 12'
finish
