#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: listeners hear what the doorbell promises and nothing else: each stream
# that was written, on its channel and on the database's, after a commit, a rollback
# and a savepoint rolled back; what weir.notify() and weir.ring() were told by
# transactions that committed. A prepared transaction never fails for it. With more
# streams than there is room for, nobody is left out. weir.doorbell = transaction and
# off do as documented.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

cluster_start doorbell
cluster_use doorbell
psql -c 'CREATE EXTENSION weir'
one() { value -c "SELECT weir.append('$1', '1')"; }
figure() { value -c "SELECT $1 FROM weir.doorbell"; }

note "streams"
listen all -- weir
listen some -- weir:a weir:b weir:rolled weir:new
position=$(one a)
hears "a commit, with the position of the frame" some "^weir:a|$position\$"
hears "on the database's channel, too" all "^weir|{\"a\": \"$position\"}\$"
value -c "BEGIN; SELECT weir.append('a', '1'), weir.append('b', '1'), weir.append('new', '1'); SELECT weir.append_best_effort('b', '1'); COMMIT" >/dev/null
for stream in a b new; do hears "all streams of a transaction: $stream" some "^weir:$stream|$(value -c "SELECT weir.head('$stream')")\$"; done
value -c "SELECT weir.append_text_batch('b', '{1,2,3}'::text[])" >/dev/null
hears "the last frame of a batch" some "^weir:b|$(value -c "SELECT weir.head('b')")\$"
value -c "SELECT weir.append('rolled', '1')" >/dev/null
hears "(a stream comes into being)" some "^weir:rolled|"
position=$(value -c "BEGIN; SELECT weir.append('rolled', '1'); ROLLBACK")
hears "a rollback" some "^weir:rolled|$position\$"
session_start open
tell open "BEGIN; SAVEPOINT s; SELECT 'at ' || weir.append('rolled', '1'); ROLLBACK TO s;"
hears "a rolled-back savepoint, while its transaction is open" some "^weir:rolled|$(tell_and_wait open "SELECT;"; sed -n 's/^at //p' "$WEIR_TMP/open.out")\$"
session_end open
position=$(value -c "SELECT weir.close('a')")
hears "a close" some "^weir:a|$position\$"
value -c "SELECT weir.drop_stream('a')" >/dev/null
dropped() { [ "$(heard some | grep -c '^weir:a|')" -gt "$1" ]; }
check "a drop" poll 15 dropped "$(heard some | grep '^weir:a|' | grep -n "$position" | cut -d: -f1 | head -n 1)"
# Names with all that JSON and LISTEN have to escape, and one too long for a channel.
long=$(printf 'x%.0s' {1..400})
for name in 'say "why"' 'back\slash' $'new\nline' 'ü€' "$long"; do
    channel=$(value -v name="$name" <<<"SELECT weir.channel(:'name')")
    tell_and_wait some "LISTEN \"${channel//\"/\"\"}\";"
    forget all
    position=$(value -v name="$name" <<<"SELECT weir.append(:'name', '1')")
    by_name() { heard all | sed -n 's/^weir|//p' | while read -r payload; do value -v name="$name" -v payload="$payload" <<<"SELECT :'payload'::json ->> :'name'"; done | grep -qx "$position"; }
    check "on the database's channel by its name: $(tr "\n" " " <<<"${name:0:20}")" poll 15 by_name
    has_position() { tell_and_wait some "SELECT;"; grep -q "payload \"$position\"" "$WEIR_TMP/some.out"; }
    check "on its own channel" poll 15 has_position
done
# Names that escaping makes six times as long, several in one transaction.
forget all
psql -c "SELECT weir.append(repeat(E'\\x01', 510) || n, '1') FROM generate_series(1, 4) n" >/dev/null
all_four() { [ "$(heard all | sed -n 's/^weir|//p' | while read -r payload; do value -v payload="$payload" <<<"SELECT right(key, 1) FROM json_each(:'payload') WHERE left(key, 1) = E'\\x01'"; done | sort -u | paste -sd ' ')" = "1 2 3 4" ]; }
check "names of control characters" poll 15 all_four
psql -c "SET weir.doorbell = transaction" -c "SELECT weir.append(repeat(E'\\x01', 510) || n, '1') FROM generate_series(5, 8) n" >/dev/null
is "none of that is a failure" "$(figure failures)" 0
session_end some

note "weir.notify() and weir.ring()"
listen mine -- mine
psql -c "SELECT weir.notify('mine')" -c "SELECT weir.notify('mine', 'a payload')" \
    -c "BEGIN" -c "SELECT weir.notify('mine', 'rolled back')" -c "ROLLBACK" \
    -c "BEGIN" -c "SELECT weir.notify('mine', 'first')" -c "SAVEPOINT s" -c "SELECT weir.notify('mine', 'to savepoint')" -c "SAVEPOINT t" \
    -c "SELECT weir.notify('mine', 'to inner')" -c "RELEASE t" -c "ROLLBACK TO s" -c "SELECT weir.notify('mine', 'second')" -c "SAVEPOINT u" \
    -c "SELECT weir.notify('mine', 'released')" -c "RELEASE u" -c "COMMIT" \
    -c "SELECT weir.notify('mine', repeat('x', 233))" -c "SELECT weir.notify('mine', repeat('y', 234))" -c "SELECT weir.notify('mine', repeat('z', 7999))" \
    -c "SELECT weir.notify('mine', 'n' || n) FROM generate_series(1, 1500) n" -c "SELECT weir.notify('mine', 'end')" >/dev/null
hears "what was sent last" mine '^mine|end$'
is "what was committed is heard, once; what was rolled back is not" "$(heard mine | cut -c 1-30 | grep -v '|n[0-9]*$\|end$' | sort | uniq -c | tr -s ' ' | paste -sd ';')" \
    " 1 mine|; 1 mine|a payload; 1 mine|first; 1 mine|released; 1 mine|second; 1 mine|xxxxxxxxxxxxxxxxxxxxxxxxx; 1 mine|yyyyyyyyyyyyyyyyyyyyyyyyy; 1 mine|zzzzzzzzzzzzzzzzzzzzzzzzz"
many() { [ "$(heard mine | grep -c '|n[0-9]*$')" = 1500 ]; }
check "1,500 of one transaction, more than there is room for" poll 15 many
psql -c "DO \$\$ BEGIN FOR i IN 1..200 LOOP PERFORM weir.notify('mine', 'again'); COMMIT; END LOOP; END \$\$"
hears "the same, 200 times" mine '^mine|again$'
check "comes as fewer" test "$(heard mine | grep -c '|again$')" -le 200
psql -c "CREATE TABLE t (id integer PRIMARY KEY, c text)" \
    -c "CREATE TRIGGER r AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION weir.ring('rows', 'c')" \
    -c "CREATE TRIGGER s AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION weir.ring('statements')" \
    -c "CREATE CONSTRAINT TRIGGER d AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION weir.ring('deferred', 'id')" \
    -c "CREATE ROLE nobody" -c "GRANT ALL ON t TO nobody"
listen changes -- rows statements deferred
psql -c "INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, 'three')"
hears_just "INSERT: each row's value, and the statement" changes "1 rows|;1 rows|one;1 rows|three;1 statements|"
psql -c "BEGIN" -c "UPDATE t SET c = 'new ' || id WHERE id < 3" -c "ROLLBACK" -c "UPDATE t SET c = 'new ' || id WHERE id = 1"
hears_just "UPDATE: the new value; deferred to the commit, too; not what was rolled back" changes "1 deferred|1;1 rows|new 1;1 statements|"
psql -c "DELETE FROM t WHERE id = 3"
hears_just "DELETE: the old value" changes "1 rows|three;1 statements|"
psql -c "SET ROLE nobody" -c "UPDATE t SET c = 'by nobody' WHERE id = 2"
hears_just "by a role without any right on weir" changes "1 deferred|2;1 rows|by nobody;1 statements|"
psql -c "TRUNCATE t"
hears_just "TRUNCATE" changes "1 statements|"
session_end changes

note "prepared transactions"
forget mine
psql -c "SELECT weir.append('prepared', '0')" >/dev/null
is "PREPARE TRANSACTION after append and notify" "$(sqlstate "BEGIN; SELECT weir.append('prepared', '1'), weir.append('prepared new', '1'), weir.notify('mine', 'prepared'), weir.notify('mine', repeat('p', 7000)); INSERT INTO t VALUES (5, 'five'); PREPARE TRANSACTION 'p'")" 00000
sleeper waiter "SET weir.poll_interval = 100; CALL weir.wait('prepared', weir.head('prepared'), '60 s');"
psql -c "COMMIT PREPARED 'p'"
check "after COMMIT PREPARED a waiter gets its frame at its next look" poll 15 is_woken waiter
psql -c "SELECT weir.notify('mine', 'after')" >/dev/null
hears "(what follows is heard)" mine '|after$'
is "weir.notify() of a prepared transaction is not sent, as documented" "$(heard mine | grep -c '|p')" 0
session_end waiter

note "nobody waits for a waiter"
sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('prepared', weir.head('prepared'), '60 s');"
# These wait for whoever could have an older snapshot, or a lock.
is "VACUUM, ALTER TABLE, CREATE INDEX CONCURRENTLY" "$(for statement in 'VACUUM FREEZE weir.frame_log' 'ALTER TABLE weir.frame_log SET (fillfactor = 90)' 'ALTER TABLE weir.frame_log RESET (fillfactor)' \
    'CREATE INDEX CONCURRENTLY i ON t (c)'; do PGOPTIONS='-c statement_timeout=20s' sqlstate "$statement"; done | sort -u)" 00000
check "(it is still there)" is_asleep "${session_backend[waiter]}"
one prepared >/dev/null
check "and wakes" poll 15 is_woken waiter
session_end waiter

note "the channel of all streams names none"
# Known to the server, since it is set in a session that has the library.
psql -c "LOAD 'weir'" -c "ALTER SYSTEM SET weir.all_streams_channel = 'empty'" -c "SELECT pg_reload_conf()" >/dev/null
forget all
one b >/dev/null
hears "an empty payload" all '^weir|$'
forget all
psql -c "SET weir.doorbell = transaction" -c "SELECT weir.append(s, '1') FROM unnest('{b,new}'::text[]) s" >/dev/null
hears "and where the transaction notifies" all '^weir|$'
is "no name on the channel of all" "$(heard all | grep -c '^weir|.')" 0
psql -c "LOAD 'weir'" -c "ALTER SYSTEM RESET weir.all_streams_channel" -c "SELECT pg_reload_conf()" >/dev/null
forget all
position=$(one b)
hears "names again" all "^weir|{\"b\": \"$position\"}\$"

note "many streams"
# weir:one … 1,000 channels, all of one session.
for n in {1..1000}; do echo "LISTEN \"weir:one $n\";"; done >"$WEIR_TMP/listens"
listen thousand -- weir:none
tell_and_wait thousand "\\i $WEIR_TMP/listens"
for n in 1 500 1000; do
    sleeper "waiter$n" "SET weir.poll_interval = '1h'; CALL weir.wait('one $n', NULL, '60 s');"
done
psql -c "DO \$\$ BEGIN FOR i IN 1..1000 LOOP PERFORM weir.append('one ' || i, '1'); COMMIT; END LOOP; END \$\$"
distinct() { heard "$1" | cut -d'|' -f1 | sort -u | grep -c "^weir:$2"; }
are_all() { [ "$(distinct thousand one)" = 1000 ]; }
check "1,000 streams, a transaction each: 1,000 channels" poll 15 are_all
for n in 1 500 1000; do check "waiter of stream $n" poll 15 is_woken "waiter$n"; session_end "waiter$n"; done
session_end thousand

# Streams that have been named on the database's channel.
names() { heard all | sed -n 's/^weir|//p' | tr ',' '\n' | sed -n "s/^[{ ]*\"\\($1 [0-9]*\\)\":.*/\\1/p" | sort -u | wc -l; }
are_named() { [ "$(names "$1")" = "$2" ]; }
forget all
sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('wide 299', NULL, '60 s');"
psql -c "SELECT count(weir.append('wide ' || n, '1')) FROM generate_series(1, 300) n" >/dev/null
check "one transaction over more streams than it keeps account of" poll 15 are_named wide 300
check "a waiter of one beyond that" poll 15 is_woken waiter
session_end waiter
forget all
looked=$(figure looked_at_everything)
psql -c "BEGIN" -c "SELECT count(weir.append('rolled ' || n, '1')) FROM generate_series(1, 300) n" -c "SELECT count(weir.append('wide ' || n, '1')) FROM generate_series(1, 300) n" -c "ROLLBACK" >/dev/null
check "the same, rolled back, those that exist" poll 15 are_named wide 300
check "all streams were looked at" test "$(figure looked_at_everything)" -gt "$looked"

# With the worker held up, until marks find no room.
psql -c "DO \$\$ BEGIN FOR i IN 1..10000 LOOP PERFORM weir.create_stream('ten ' || i); END LOOP; END \$\$"
one ten >/dev/null
poll 15 has_worker
worker=$(worker_pid)
kill -STOP "$worker"
forget all
looked=$(figure looked_at_everything)
sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('ten 9999', NULL, '60 s');"
psql -c "DO \$\$ BEGIN FOR i IN 1..10000 LOOP PERFORM weir.append('ten ' || i, '1'); COMMIT; END LOOP; END \$\$"
check "a waiter does not depend on the worker" poll 15 is_woken waiter
is "nothing is heard while it stands still" "$(names ten)" 0
kill -CONT "$worker"
check "10,000 streams, a transaction each, are all named" poll 30 are_named ten 10000
check "some had found no room" test "$(figure looked_at_everything)" -gt "$looked"
session_end waiter

note "weir.doorbell = transaction"
export PGOPTIONS='-c weir.doorbell=transaction'
listen channels -- weir:fresh weir:other
position=$(one fresh)
hears "the first append of a stream" channels "^weir:fresh|$position\$"
hears "on the database's channel" all "\"fresh\": \"$position\""
value -c "BEGIN; SELECT weir.append('fresh', '1'), weir.append('other', '1'); COMMIT" >/dev/null
hears "a transaction of several" channels "^weir:other|"
forget all
psql -c "SELECT count(weir.append('wide ' || n, '1')) FROM generate_series(1, 300) n" >/dev/null
check "one over 300 streams" poll 15 are_named wide 300
is "PREPARE TRANSACTION" "$(sqlstate "BEGIN; SELECT weir.append('fresh', '1'), weir.notify('mine', 'prepared'); PREPARE TRANSACTION 'p'")" 00000
psql -c "ROLLBACK PREPARED 'p'"
psql -c "SELECT weir.notify('mine', 'by the transaction')" >/dev/null
hears "weir.notify()" mine '|by the transaction$'
session_start open
tell_and_wait open "BEGIN; SELECT weir.append('fresh', '1');"
psql -c "SELECT weir.append('fresh', '2')" >/dev/null
sleeper waiter "SET weir.poll_interval = '1h'; CALL weir.wait('fresh', weir.head('fresh'), '60 s');"
tell open "ROLLBACK;"
check "a rollback wakes waiters all the same" poll 15 is_woken waiter
session_end open
session_end waiter
check "no worker is needed" poll 15 has_no_worker

note "weir.doorbell = off"
export PGOPTIONS='-c weir.doorbell=off'
forget channels
sleeper waiter "SET weir.poll_interval = 300; CALL weir.wait('other', weir.head('other'), '60 s');"
one other >/dev/null
check "a waiter finds it by its own look" poll 15 is_woken waiter
session_end waiter
unset PGOPTIONS
psql -c "SELECT weir.notify('mine', 'the end')" >/dev/null
hears "(what follows is heard)" mine '|the end$'
is "nobody was told" "$(heard channels)" ""
is "nothing went wrong" "$(figure failures)" 0
finish
