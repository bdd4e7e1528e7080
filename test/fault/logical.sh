#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: two databases joined by logical replication are two databases. With publications FOR ALL TABLES,
# in both directions, and weir on both sides, the tables synchronise and stay so; streams, subscriptions and leases
# of each side are its own, whatever their names; the publisher can delete all it could before, names dropped
# long ago included, and name roles that the subscriber does not have; one line in the subscriber's log says that
# rows were left out. Tables of one's own are replicated with their positions, and a trigger that is enabled for it
# emits events there.
# Only logical replication's workers leave rows out: a restore with session_replication_role = replica does not.
set -euo pipefail
. "$(dirname "$0")/common.sh"

on() { (cluster_use "$1"; shift; value "$@"); }
state_on() { (cluster_use "$1"; sqlstate "$2"); }
is_synced() { [ "$(on "$1" -c "SELECT count(*) FILTER (WHERE srsubstate <> 'r') || ' ' || (count(*) > 0) FROM pg_subscription_rel")" = "0 true" ]; }
# Everything that the publisher has written until now has been applied.
has_caught_up() {
    [ "$(on "$1" -c "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= '$2'")" = 1 ]
}
caught_up() {
    local lsn
    lsn=$(on "$1" -c 'SELECT pg_current_wal_flush_lsn()')
    check "$2: applied" poll 60 has_caught_up "$1" "$lsn"
}
payloads() { on "$1" -c "SELECT string_agg(payload #>> '{}', ' ') FROM weir.read('$2')"; }
failures() { grep -cE 'ERROR|FATAL' "$WEIR_TMP/$1/server.log" || true; }

for cluster in a b; do
    cluster_start $cluster "wal_level = logical"
    on $cluster -c 'CREATE EXTENSION weir' -c 'CREATE TABLE orders (id int PRIMARY KEY, at weir.position)'
    on $cluster -c "SELECT weir.append('s', '\"first of $cluster\"')" -c "SELECT weir.lease_acquire('lease', '$cluster')" >/dev/null
done
on a -c "SELECT weir.append('dropped', '1'), weir.drop_stream('dropped'), weir.subscribe('sub', 's', '-'), weir.append('only in a', '1')" \
    -c "SELECT weir.append('s', '\"keyed\"', idempotency_key => 'k')" -c "SELECT weir.alter_stream('s', max_age => '1 day')" >/dev/null
# Roles are of one server: the subscriber has none of these.
on a -c "CREATE ROLE copied; CREATE ROLE later" -c "SELECT weir.grant_access('copied', 'read')" \
    -c "SELECT weir.give_subscription('sub', 'copied')" >/dev/null
on a -c "INSERT INTO orders VALUES (1, weir.head('s'))"
on b -c "CREATE TRIGGER emit AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION weir.outbox('orders')" \
    -c "ALTER TABLE orders ENABLE REPLICA TRIGGER emit"

note "all tables, from one to the other"
on a -c 'CREATE PUBLICATION everything FOR ALL TABLES'
on b -c "CREATE SUBSCRIPTION from_a CONNECTION 'host=$WEIR_TMP/a port=65432 user=postgres dbname=postgres' PUBLICATION everything"
check "every table is synchronised" poll 60 is_synced b
is "with the rows of one's own tables" "$(on b -c 'SELECT id, at FROM orders')" "$(on a -c 'SELECT id, at FROM orders')"
is "and none of weir's" "$(on b -c 'SELECT string_agg(stream, $$ $$ ORDER BY stream) FROM weir.streams')" "leases orders s"
is "streams are each side's own" "$(payloads b s)" "first of b"
on b -c "SELECT weir.append('new', '\"of b\"')" >/dev/null
is "also new ones" "$(payloads b new)" "of b"

on a -c "SELECT weir.grant_access('later', 'write')" \
    -c "SELECT weir.grant_access('later', 'admin')" -c "SELECT weir.give_subscription('sub', 'later')" >/dev/null
caught_up a "what names roles that are not there"
is "which leaves no access" "$(on b -c 'SELECT count(*) FROM weir.access')" 0
on a -c "SELECT weir.give_subscription('sub', 'postgres'), weir.revoke_access('later')" -c 'DROP ROLE later'

# Two frames that commit in the other order.
coproc held { exec "$PGBIN/psql" -X -q -At -h "$WEIR_TMP/a" -p 65432 -U postgres postgres; }
echo "BEGIN; SELECT weir.append('s', '\"early\"');" >&"${held[1]}"
read -r _ <&"${held[0]}"
on a -c "SELECT weir.append('s', '\"late\"')" -c "SELECT weir.append('new', '\"of a\"')" -c 'INSERT INTO orders VALUES (2, $$7-0$$)' >/dev/null
echo "COMMIT; SELECT 'done';" >&"${held[1]}"
read -r _ <&"${held[0]}"
echo '\q' >&"${held[1]}"
caught_up a "frames, also out of order"
is "none of them is seen on the other side" "$(payloads b s), $(payloads b new)" "first of b, of b"
is "a row of one's own is" "$(on b -c 'SELECT at FROM orders WHERE id = 2')" 7-0
is "and its trigger emitted events there, also for what was synchronised" "$(on b -c "SELECT count(*) FROM weir.read('orders')")" 2

note "the publisher deletes and changes what it did before"
on a -c "UPDATE weir.registry SET dropped_at = '1000-0' WHERE name = 'dropped'" >/dev/null
for call in "ack('sub', id) FROM weir.fetch('sub')" "trim('s', keep => 1)" "drop_stream('only in a')" "unsubscribe('sub')" "lease_release('lease', 'a', 1)" \
    "alter_stream('s', reset => '{max_age,max_frames,hold_age,hold_frames}')" "lease_sweep()" "drop_stream('s')"; do
    is "$call" "$(state_on a "SELECT weir.$call")" 00000
done
is "a name dropped long ago is deleted" "$(state_on a "DELETE FROM weir.registry WHERE name = 'dropped'")" 00000
is "and a key" "$(state_on a "DELETE FROM weir.idempotency")" 00000
caught_up a "deletions"
is "nothing is deleted on the other side" "$(payloads b s)" "first of b"
is "nor released" "$(on b -c "SELECT owner, state FROM weir.leases")" "b|held"

note "and back"
on a -c 'DROP TABLE orders'
on b -c 'DROP TABLE orders' -c 'CREATE PUBLICATION everything FOR ALL TABLES'
on a -c "CREATE SUBSCRIPTION from_b CONNECTION 'host=$WEIR_TMP/b port=65432 user=postgres dbname=postgres' PUBLICATION everything"
check "every table is synchronised" poll 60 is_synced a
on a -c "SELECT weir.append('s', '\"again in a\"')" >/dev/null
on b -c "SELECT weir.append('s', '\"again in b\"')" >/dev/null
caught_up a "from a"
caught_up b "from b"
is "streams are each side's own" "$(payloads a s), $(payloads b s)" "again in a, first of b again in b"
is "leases too" "$(on a -c "SELECT acquired FROM weir.lease_acquire('lease', 'ann')") $(on b -c "SELECT owner FROM weir.leases")" "t b"
is "no worker failed" "$(failures a) $(failures b)" "0 0"
check "what was left out is said" grep -q "rows of weir's own tables that come by logical replication are left out" "$WEIR_TMP/b/server.log"
is "once by each worker" "$(grep "are left out" "$WEIR_TMP/b/server.log" | sed 's/.*\[\([0-9]*\)\].*/\1/' | sort | uniq -d | wc -l)" 0

note "a restore is none of it"
cluster_use b
pg_dump -Fc postgres --no-publications --no-subscriptions >"$WEIR_TMP/dump"
createdb restored
PGOPTIONS='-c session_replication_role=replica' pg_restore -d restored "$WEIR_TMP/dump"
is "all is there" "$(PGDATABASE=restored value -c "SELECT string_agg(payload #>> '{}', ' ') FROM weir.read('s')")" "first of b again in b"
finish
