#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: docs/operations.md's commands for dump and restore do what they say, without an error or a warning:
# by a superuser, by an ordinary owner for whom a superuser made the extension, and data only into tables
# with triggers. A dump restored into a database where weir has been used is refused at the first row,
# with a hint; what is there stays as it is, and works on: no two streams share an id, no
# stream shows another's frames. Two dumps in one database do not meet in a name.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cd "$WEIR_TMP"
guide=$WEIR_ROOT/docs/operations.md

# block NAME: the commands under that mark
block() { awk -v mark="<!-- $1 -->" '$0 == mark { found = 1 } found && /^```$/ { exit } inside; found && /^```sh/ { inside = 1 }' "$guide"; }
# follow NAME: runs them as they stand; ok where nothing fails and nothing is said
follow() {
    local status=0
    block "$1" >"$WEIR_TMP/$1.sh"
    [ -s "$WEIR_TMP/$1.sh" ] || die "no block $1 in the guide"
    bash -e "$WEIR_TMP/$1.sh" >"$WEIR_TMP/$1.out" 2>"$WEIR_TMP/$1.err" || status=$?
    is "the guide's \"$1\"" "$status $(wc -l <"$WEIR_TMP/$1.err")" "0 0"
    head -n 5 "$WEIR_TMP/$1.err" | sed 's/^/# /'
}

contents() {
    value -d "$1" -c "SELECT s.stream, f.id, f.payload FROM weir.streams s, weir.read(s.stream) f ORDER BY 1, 2" \
        -c "SELECT name, owner, epoch FROM weir.leases" -c "SELECT name, stream, cursor FROM weir.subscriptions" \
        -c 'SELECT * FROM orders ORDER BY id' -c 'SELECT * FROM minted ORDER BY k'
}
ids_are_unique() {
    value -d "$1" -c "SELECT count(*) FROM (SELECT id FROM weir.registry GROUP BY 1 HAVING count(DISTINCT name) > 1) s"
}

cluster_start old
cluster_use old
psql -c 'CREATE ROLE app LOGIN'
createdb -O app shop
psql -d shop -c 'CREATE EXTENSION weir' -c "SELECT weir.grant_access('app', 'admin')" >/dev/null
schema="CREATE TABLE orders (id int PRIMARY KEY, at weir.position);
    CREATE TABLE minted (k int, position weir.position);
    CREATE INDEX ON minted (position);
    CREATE TRIGGER emit AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION weir.outbox('orders');
    CREATE TRIGGER mint BEFORE INSERT ON minted FOR EACH ROW EXECUTE FUNCTION weir.mint('column=position');"
fill="INSERT INTO orders SELECT i, weir.append('audit', to_jsonb(i)) FROM generate_series(1, 5) i;
    INSERT INTO minted VALUES (1), (2);
    SELECT weir.subscribe('sub', 'orders', '-'), weir.lease_acquire('lease', 'ann')"
PGUSER=app value -d shop -c "$schema" -c "$fill" >/dev/null
value -d shop -c "SELECT weir.ack('sub', id) FROM weir.fetch('sub', 2)" >/dev/null
contents shop >before
check "there is something to carry" [ "$(wc -l <before)" -gt 15 ]

note "the guide"
follow dump
follow restore-superuser
check "the same" diff before <(contents shop_copy)
follow restore-owner
check "the same" diff before <(contents shop_new)
is "the owner's tables are the owner's" "$(value -d shop_new -c "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'")" app
is "who can use weir" "$(PGUSER=app value -d shop_new -c "INSERT INTO orders VALUES (6, NULL)" -c "SELECT count(*) FROM weir.read('orders')")" 6
createdb -O app shop_data
psql -d shop_data -c 'CREATE EXTENSION weir' -c "SELECT weir.grant_access('app', 'admin')" >/dev/null
PGUSER=app psql -d shop_data -c "$schema"
follow restore-data
check "the same" diff before <(contents shop_data)
is "triggers are as before" "$(value -d shop_data -c "SELECT count(*) FROM pg_trigger WHERE tgname = 'skip_replicated' AND tgenabled <> 'R'")" 0
createdb sections
for section in pre-data data post-data; do
    is "section $section" "$(pg_restore --exit-on-error --section=$section -d sections shop.dump 2>&1)" ""
done
check "the same" diff before <(contents sections)

note "a dump comes after the fact"
is "an epoch that was given out after it" "$(value -d shop -c "SELECT epoch FROM weir.lease_acquire('lease', 'ann')" -c "SELECT epoch FROM weir.lease_acquire('new', 'ann')" | xargs)" "2 1"
is "is not given out again" "$(value -d shop_copy -c "SELECT epoch > 1000000000000 FROM weir.lease_acquire('lease', 'ann')" \
    -c "SELECT epoch > 1000000000000 FROM weir.lease_acquire('new', 'bob')" | xargs)" "t t"
is "nor is work done under it" "$(PGDATABASE=shop_copy sqlstate "SELECT weir.append('s', '1', lease => 'lease', epoch => 2)")" WR013
createdb unused
psql -d unused -c 'CREATE EXTENSION weir'
pg_dump -Fc unused >unused.dump
createdb unused_copy
pg_restore -d unused_copy unused.dump
is "given out after a dump of a database where weir was not used" "$(value -d unused -c "SELECT epoch FROM weir.lease_acquire('lease', 'ann')")" 1
is "is not given out again either" "$(value -d unused_copy -c "SELECT epoch > 1000000000000 FROM weir.lease_acquire('lease', 'ann')")" t

note "into a database where weir has been used"
createdb used
psql -d used -c 'CREATE EXTENSION weir'
value -d used -c "SELECT weir.append('audit', '\"mine\"')" -c "SELECT weir.append('mine', '\"mine\"')" >/dev/null
is "restore stops" "$(pg_restore --exit-on-error --data-only --schema=weir -d used shop.dump >/dev/null 2>refused && echo 0 || echo $?)" 1
check "at the first row, with the reason" grep -q "rows of weir cannot be restored into a database where weir has been used" refused
check "and a hint" grep -q "HINT: .*DROP EXTENSION weir and CREATE EXTENSION weir" refused
pg_restore -d used shop.dump >/dev/null 2>&1 || true
is "all of it, without --exit-on-error" "$(value -d used -c "SELECT s.stream, f.payload FROM weir.streams s, weir.read(s.stream) f ORDER BY 1" | xargs)" 'audit|mine mine|mine'
is "then a stream of its own" "$(value -d used -c "SELECT weir.append('orders', '\"mine\"') IS NOT NULL, weir.append('other', '\"mine\"') IS NOT NULL")" "t|t"
is "has its own frames" "$(value -d used -c "SELECT payload FROM weir.read('orders')" -c "SELECT payload FROM weir.read('other')" | xargs)" "mine mine"
is "no id is used twice" "$(ids_are_unique used)" 0
psql -d used -c 'DROP EXTENSION weir CASCADE' -c 'CREATE EXTENSION weir' >/dev/null 2>&1
is "as the hint says" "$(pg_restore --exit-on-error --data-only --schema=weir -d used shop.dump 2>&1)" ""
is "it is there" "$(value -d used -c "SELECT count(*) FROM weir.read('audit')")" 5

note "two dumps"
createdb two
psql -d two -c 'CREATE EXTENSION weir'
createdb another
psql -d another -c 'CREATE EXTENSION weir'
value -d another -c "SELECT weir.append('another', '1')" -c "SELECT weir.append('audit', '1')" >/dev/null
pg_dump -Fc another >another.dump
pg_restore --data-only --schema=weir -d two shop.dump
pg_restore --data-only --schema=weir -d two another.dump >/dev/null 2>met || true
check "do not meet in a name" grep -q 'ERROR:  name "a[a-z]*" is there already, or its id is another'"'s" met
is "and what is there stays" "$(value -d two -c "SELECT count(*) FROM weir.read('audit')")" 5
finish
