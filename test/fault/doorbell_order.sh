#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: what one session sends on one channel by weir.notify() or weir.ring() is heard in
# the order of its commits. Of equal ones that wait to be sent together the last is heard;
# nothing else is missing, and nothing is heard that was not committed. That holds for many
# in one transaction, for long beside short ones, for more than there is room for, and
# wherever the work changes hands: the worker stopped, terminated or not to be had, the
# setting changed in between, a transaction that fails as it commits.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start order
cluster_use order
psql -c 'CREATE EXTENSION weir'
listen all -- c

# Statements of one session.
run() {
    local statement sql=()
    for statement in "$@"; do sql+=(-c "$statement"); done
    psql "${sql[@]}" >/dev/null
}
say_it() { echo "SELECT weir.notify('c', '$1')"; }

long=$(printf 'x%.0s' {1..300})
# Sends each in a transaction of its own; LONG1 is a long one.
send() {
    local payload statements=()
    for payload in "$@"; do statements+=("$(say_it "${payload/LONG/$long}")"); done
    run "${statements[@]}"
}
payloads() { heard all | sed "s/^c|//; s/$long/LONG/" | paste -sd ' '; }
is_heard() { [ "$(payloads)" = "$1" ]; }
hears_in_order() {
    poll 15 is_heard "$2" || true
    is "$1" "$(payloads)" "$2"
    forget all
}
# The worker that has looked at all that there was, and now stands still.
stop_worker() {
    send ready
    poll 15 is_heard ready
    forget all
    worker=$(worker_pid)
    kill -STOP "$worker"
}
go_on() { kill -CONT "$worker"; }

note "one transaction"
psql -c "SELECT count(weir.notify('c', n::text)) FROM generate_series(1, 40) n" >/dev/null
hears_in_order "40, more than its share of the room" "$(seq -s ' ' 40)"
run BEGIN "$(say_it a)" "$(say_it "$long")" "$(say_it b)" COMMIT
hears_in_order "long beside short" "a LONG b"

note "three transactions"
for run in {1..10}; do
    send on off on
    ends_with_on() { payloads | grep -qE '^(on )?off on$'; }
    poll 15 ends_with_on || true
    is "equal ones ($run)" "$(payloads | sed 's/^on //')" "off on"
    forget all
done
stop_worker
send on off on
go_on
hears_in_order "equal ones that wait together: the last" "off on"
stop_worker
send a LONG b
go_on
hears_in_order "long beside short, while the worker stands still" "a LONG b"
stop_worker
run "$(say_it on)" "$(say_it off)" BEGIN "$(say_it on)" "$(say_it "$long")" COMMIT
go_on
hears_in_order "one that waits, and again in a transaction that notifies by itself" "off on LONG"

note "no room"
stop_worker
run "$(say_it before)" \
    "DO \$\$ BEGIN FOR i IN 1..300 LOOP PERFORM weir.notify('elsewhere', i::text); COMMIT; END LOOP; END \$\$" \
    "$(say_it after)"
go_on
hears_in_order "more than a database's share" "before after"

note "settings"
stop_worker
run "$(say_it 1)" "SET weir.doorbell = transaction" "$(say_it 2)" "SET weir.doorbell = worker" "$(say_it 3)" \
    "SET weir.doorbell = off" "$(say_it 4)" "RESET weir.doorbell" "$(say_it 5)"
go_on
hears_in_order "worker, transaction, worker, off, worker" "1 2 3 4 5"

note "the trigger"
run "CREATE TABLE state (id integer, c text)" \
    "CREATE TRIGGER r AFTER INSERT OR UPDATE ON state FOR EACH ROW EXECUTE FUNCTION weir.ring('c', 'c')" \
    "INSERT INTO state SELECT n, n::text FROM generate_series(1, 40) n"
hears_in_order "40 rows of one statement" "$(seq -s ' ' 40)"
stop_worker
run "INSERT INTO state VALUES (0, 'on')" "UPDATE state SET c = 'off' WHERE id = 0" "UPDATE state SET c = 'on' WHERE id = 0"
go_on
hears_in_order "on, off, on" "off on"

note "a transaction that fails as it commits"
psql -c "CREATE TABLE seen (n integer)"
stop_worker
send 1 2
for n in 1 2; do
    session_start "serializable$n"
    tell_and_wait "serializable$n" "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM seen;
        $(say_it "s$n$long"); INSERT INTO seen VALUES ($n);"
done
for n in 1 2; do tell_and_wait "serializable$n" "COMMIT;"; done
check "(one of them does)" test "$(cat "$WEIR_TMP"/serializable?.out | grep -c 'could not serialize')" = 1
for n in 1 2; do session_end "serializable$n"; done
send 3
go_on
hears_in_order "what it took along of others' is heard in its place" "1 2 s1LONG 3"

note "the worker terminated"
stop_worker
send 1 2
psql -c "SELECT pg_terminate_backend($worker)" >/dev/null
go_on
poll 15 gone "$worker"
send 3 LONG 4
hears_in_order "in between" "1 2 3 LONG 4"

note "random transactions"
psql <<'SQL'
CREATE TABLE sent (session integer, n bigint, tx integer, channel text, payload text,
                   PRIMARY KEY (session, tx, channel, payload));
CREATE TABLE heard (pos bigserial, channel text, payload text);

-- Each in a transaction of its own, with savepoints that are released or rolled back, of few payloads that come again
-- and of others that do not, short and long, with the setting changed, up to many in one.
CREATE PROCEDURE run(me integer, transactions integer, how text) LANGUAGE plpgsql AS $$
DECLARE
    n bigint := 0;
    many integer;
    text_ text;
    to_ text;
BEGIN
    FOR tx IN 1..transactions LOOP
        IF how = 'settings' AND random() < 0.2 THEN
            PERFORM set_config('weir.doorbell', ('{worker,transaction,worker,off}'::text[])[1 + floor(random() * 4)],
                               false);
        END IF;
        many := CASE WHEN random() < 0.02 THEN 40 WHEN random() < 0.3 THEN 4 ELSE 1 END;
        FOR i IN 1..many LOOP
            n := n + 1;
            to_ := 'c' || floor(random() * 2);
            text_ := me || ':' || CASE WHEN random() < 0.5 THEN 'p' || floor(random() * 3) ELSE n::text END || ':'
                || CASE WHEN random() < 0.03 THEN repeat('x', 300) ELSE '' END;
            IF random() < 0.2 THEN
                BEGIN
                    PERFORM weir.notify(to_, text_);
                    INSERT INTO sent VALUES (me, n, tx, to_, left(text_, 30)) ON CONFLICT DO NOTHING;
                    IF random() < 0.5 THEN RAISE 'back'; END IF;
                EXCEPTION WHEN raise_exception THEN NULL;
                END;
            ELSE
                PERFORM weir.notify(to_, text_);
                INSERT INTO sent VALUES (me, n, tx, to_, left(text_, 30)) ON CONFLICT DO NOTHING;
            END IF;
        END LOOP;
        IF random() < 0.1 THEN ROLLBACK; ELSE COMMIT; END IF;
        IF how = 'killed' AND random() < 0.1 THEN PERFORM pg_sleep(0.1); END IF;
    END LOOP;
END $$;

-- What is wrong with what was heard of a session on a channel; NULL: nothing. From the end: each is taken for the last
-- that was sent so, before the one that was heard after it. Each that was sent has to have an equal one behind it.
CREATE FUNCTION verdict(me integer, on_channel text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    sent_ text[] := ARRAY(SELECT payload FROM sent WHERE session = me AND channel = on_channel ORDER BY n);
    heard_ text[] := ARRAY(SELECT payload FROM heard WHERE channel = on_channel AND payload LIKE me || ':%'
                           ORDER BY pos);
    s integer := cardinality(sent_);
    delivered jsonb := '{}';
BEGIN
    FOR h IN REVERSE cardinality(heard_)..1 LOOP
        WHILE s > 0 AND sent_[s] <> heard_[h] LOOP
            IF NOT delivered ? sent_[s] THEN
                RETURN format('%s of %s, sent as number %s, is missing', sent_[s], on_channel, s);
            END IF;
            s := s - 1;
        END LOOP;
        IF s = 0 THEN
            RETURN format('%s of %s, heard as number %s, is out of order', heard_[h], on_channel, h);
        END IF;
        delivered := delivered || jsonb_build_object(sent_[s], true);
        s := s - 1;
    END LOOP;
    FOR i IN REVERSE s..1 LOOP
        IF NOT delivered ? sent_[i] THEN RETURN format('%s of %s is missing', sent_[i], on_channel); END IF;
    END LOOP;
    RETURN NULL;
END $$;
SQL

sessions=4
transactions=${WEIR_ORDER_TRANSACTIONS:-400}
one_of_each() { [ "$(heard all2 | grep -c '|end$')" -ge 1 ]; }
# random CLAIM HOW: several sessions at once, and a listener who has to hear all of them in order.
random() {
    local claim=$1 how=$2 pids=() n
    psql -c "TRUNCATE sent, heard"
    listen all2 -- c0 c1 end
    for ((n = 1; n <= sessions; n++)); do
        "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -c "CALL run($n, $transactions, '$how')" >"$WEIR_TMP/run$n.log" 2>&1 &
        pids+=($!)
    done
    if [ "$how" = killed ]; then
        while kill -0 "${pids[@]}" 2>/dev/null; do
            run "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'weir doorbell'"
            read -r -t 0.3 <> <(:) || true
        done
    fi
    for n in "${pids[@]}"; do wait "$n" || not_ok "a session of \"$claim\" failed"; done
    cat "$WEIR_TMP"/run?.log
    [ "$how" = none ] || poll 30 is_sent || not_ok "$claim: there is a worker again"
    psql -c "SELECT weir.notify('end', 'end')" >/dev/null
    poll 30 one_of_each || true
    heard all2 | grep -v '^end' | sed -E 's/^([^|]*)\|(.{0,30}).*/\1\t\2/' >"$WEIR_TMP/heard"
    session_end all2
    psql -c "\\copy heard (channel, payload) FROM '$WEIR_TMP/heard'"
    is "$claim" "$(value -c "SELECT v FROM generate_series(1, $sessions) s, unnest('{c0,c1}'::text[]) c, verdict(s, c) v
        WHERE v IS NOT NULL")" ""
    note "$(value -c "SELECT count(*) || ' sent, ' || (SELECT count(*) FROM heard) || ' heard' FROM sent")"
}
# What the worker has left when it is gone is sent by its successor.
is_sent() {
    run "SELECT weir.notify('end', 'ping')"
    [ "$(value -c "SELECT worker_available FROM weir.doorbell")" = t ]
}
random "a worker" worker
random "settings that change" settings
random "a worker that is terminated all the time" killed
cluster_start order "max_worker_processes = 1"
random "no worker to be had" none
finish
