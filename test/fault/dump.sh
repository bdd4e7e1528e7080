#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: pg_dump (plain and custom), pg_restore and pg_upgrade carry all that is durable:
# frames, summaries, stream ids, idempotency keys, closed and trimmed streams, lifetimes, leases, access, and positions
# in tables of one's own with all that stands on them;
# and what is appended after that lies above every position of the source, also of
# best-effort frames that were not carried, and also where the source ran ahead of
# the clock.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# All of a database that must survive, as text.
contents() {
    value -d "$1" <<'SQL'
SELECT 'frame', s.stream, f.* FROM weir.streams s, weir.read(s.stream, max => 10000, visibility => 'exclude_best_effort') f
    ORDER BY 2, f.id;
SELECT 'summary', s.stream, y.* FROM weir.streams s, weir.summary(s.stream) y ORDER BY 2;
SELECT 'middle', y.* FROM weir.summary_at('doc', (SELECT id FROM weir.read('doc', max => 2) ORDER BY id DESC LIMIT 1)) y;
SELECT 'stream', stream, frames - best_effort_frames, lifetime_frames - best_effort_frames, version, closed, close_reason FROM weir.streams
    WHERE stream <> 'best_effort' ORDER BY stream;
SELECT 'id', name, id FROM weir.registry ORDER BY 2, 3;
SELECT 'properties', stream, properties FROM weir.streams ORDER BY 2;
SELECT 'key', * FROM weir.idempotency ORDER BY stream_id, key;
SELECT 'lease', name, owner, epoch, state, ttl, previous_owner, ended_by, reason, headers FROM weir.leases ORDER BY name;
SELECT 'subscription', name, stream, cursor, lag_frames, expired, streams, types, headers, hold, owner FROM weir.subscriptions ORDER BY name, stream;
SELECT 'retention', * FROM weir.retention ORDER BY stream;
SELECT 'entry', b.bucket, e.* FROM weir.buckets b, weir.kv_scan(b.bucket, max => 10000) e ORDER BY 2, e.key;
SELECT 'change', b.bucket, c.* FROM weir.buckets b, weir.kv_watch(b.bucket, after => coalesce(b.compacted_upto, '-'), max => 10000) c
    ORDER BY 2, c.revision;
SELECT 'bucket', b.* FROM weir.buckets b ORDER BY b.bucket;
SELECT 'due', * FROM weir.kv_due ORDER BY bucket_id, revision;
SELECT 'access', has_function_privilege('weir_dump_reader', 'weir.head(text)', 'EXECUTE'),
    has_function_privilege('weir_dump_reader', 'weir.close(text, text)', 'EXECUTE');
SELECT 'own', * FROM mine ORDER BY id;
SELECT 'view', * FROM mine_view ORDER BY id;
SET enable_seqscan = off;
SELECT 'btree', * FROM mine WHERE id > '40-0' ORDER BY id LIMIT 3;
SELECT 'hash', * FROM mine WHERE cause = '41-0';
SELECT 'brin', count(*) FROM mine WHERE other BETWEEN '20-0' AND '30-0';
SELECT 'ends', max(id), min(id), max(cause) FROM mine;
SELECT 'index', indexdef FROM pg_indexes WHERE tablename = 'mine' ORDER BY 2;
SELECT 'class', opcname, amvalidate(oid) FROM pg_opclass WHERE opcintype = 'weir.position'::regtype ORDER BY 2;
SELECT 'member', pg_describe_object(classid, objid, 0) FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
        AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'weir') ORDER BY 2;
SQL
}

fill() {
    value -d "$1" >"$WEIR_TMP/fill.log" <<'SQL'
SELECT weir.grant_access('weir_dump_reader', 'read');
CREATE TABLE mine (id weir.position PRIMARY KEY, cause weir.position REFERENCES mine, other weir.position DEFAULT '-',
    CHECK (cause < id AND other IS DISTINCT FROM cause));
CREATE INDEX ON mine USING hash (cause);
CREATE INDEX ON mine USING brin (other);
CREATE INDEX ON mine USING brin (other weir.position_minmax_multi_ops, id weir.position_bloom_ops);
CREATE INDEX ON mine ((id::timestamptz)) WHERE id BETWEEN '1-0' AND '+';
CREATE VIEW mine_view AS SELECT id, id IS DISTINCT FROM cause AS differ, NULLIF(id, '7-0') AS but_seven,
    id IN ('1-0', '2-0') AS among, max(cause) OVER (ORDER BY id RANGE '3 ms' PRECEDING) AS newest FROM mine;
INSERT INTO mine SELECT i, lag(i) OVER (ORDER BY i), i FROM (SELECT (n || '-0')::weir.position FROM generate_series(1, 50) n) s(i);
SELECT weir.append('all', '{"a": [1, null]}', 'type', '{"h": 1}'), weir.append_text('all', E'quote " \\ line\n'),
    weir.append_bytes('all', '\x00ff00'), weir.append('all', 'null');
SELECT count(weir.append('all', to_jsonb(repeat(md5(i::text), 300)))) FROM generate_series(1, 50) i;
SELECT weir.append_best_effort('all', '1'), weir.append_best_effort_batch('best_effort', '{1,2,3}'::jsonb[]);
SELECT weir.append_text_batch('all', ARRAY(SELECT i::text FROM generate_series(1, 3000) i));
SELECT weir.append_patch('doc', jsonb_build_object('n', i, 'k' || i % 7, CASE WHEN i % 3 = 0 THEN '"__weir_null__"'::jsonb ELSE to_jsonb(i) END))
    FROM generate_series(1, 2500) i;
SELECT weir.create_stream('sentinel', '~'), weir.append_patch('sentinel', '{"a": "~", "b": null, "c": "__weir_null__"}');
SELECT weir.append('keys', '1', idempotency_key => 'k1'), weir.append_batch('keys', '{2,3}'::jsonb[], idempotency_key => 'k2'),
    weir.append_patch('keys', '{"x": 1}', idempotency_key => 'k3');
SELECT weir.create_bucket('bucket', history => 3, max_bytes => 1000000),
    weir.kv_put('bucket', 'k' || i % 20, to_jsonb(i)) FROM generate_series(1, 1) i;
SELECT count(weir.kv_put('bucket', 'k' || i % 20, to_jsonb(i), headers => '{"h": 1}')) FROM generate_series(1, 300) i;
SELECT weir.kv_put_bytes('bucket', 'bytes', '\x00ff'), weir.kv_put_text('bucket', 'large', repeat(md5('x'), 3000)),
    weir.kv_put('bucket', 'ends', '1', ttl => '1 day');
SELECT deleted FROM weir.kv_delete('bucket', 'k1');
SELECT weir.kv_compact('bucket', weir.kv_head('bucket'));
SELECT deleted FROM weir.kv_delete('bucket', 'k2');
SELECT weir.append('closed', '1'), weir.close('closed', 'done'), weir.close('closed never written');
SELECT weir.append('trimmed', to_jsonb(i)) FROM generate_series(1, 100) i;
SELECT weir.append_patch('trimmed', '{"kept": true}'), weir.trim('trimmed', keep => 3);
SELECT weir.append('all trimmed', '1'), weir.trim('all trimmed', keep => 0);
SELECT weir.append('dropped', '1'), weir.close('dropped'), weir.drop_stream('dropped');
SELECT weir.append('again', '1'), weir.append_patch('again', '{"old": 1}'), weir.drop_stream('again'), weir.append_patch('again', '{"new": 1}');
SELECT weir.emit('stream', to_jsonb(i), 'event', '{"h": 1}') FROM generate_series(1, 20) i;
SELECT weir.subscribe_many('several', '{all,top*}'::text[], '-', types => '{event}', headers => '{"h": 1}', hold => true), weir.subscribe('one', 'stream', '-');
SELECT weir.ack('one', id) FROM weir.fetch('one', 7);
SELECT weir.alter_stream('stream', max_age => '1 day', max_frames => 1000);
SELECT weir.create_stream('sliding', ttl => '1 day'), weir.append('sliding', '1');
SELECT weir.create_stream('ending', expires_at => now() + interval '1 day'), weir.append('ending', '1');
SET weir.housekeeping = off; -- so that what has ended is still there to be carried
SELECT weir.append('ended', '1'), weir.append('ended by ttl', '1');
SELECT weir.alter_stream('ended', expires_at => now()), weir.alter_stream('ended by ttl', ttl => '1 ms');
RESET weir.housekeeping;
BEGIN; SELECT weir.append('all', '"rolled back"'); ROLLBACK;
SELECT weir.lease_acquire('forgotten', 'ann') FROM generate_series(1, 9);
SELECT weir.lease_release('forgotten', 'ann', 9);
SET weir.lease_retention = 0; SELECT weir.lease_sweep(); RESET weir.lease_retention;
SELECT weir.lease_acquire('lease', 'ann', '1 day', '{"namespace": "n"}') FROM generate_series(1, 3);
SELECT weir.lease_acquire('released', 'ann'), weir.lease_revoke('revoked', 'ops') FROM weir.lease_acquire('revoked', 'ann');
SELECT weir.lease_release('released', 'ann', epoch, 'done') FROM weir.leases WHERE name = 'released';
SQL
}

key_calls="SELECT weir.append('keys', '1', idempotency_key => 'k1'),
    weir.append_batch('keys', '{2,3}'::jsonb[], idempotency_key => 'k2'),
    weir.append_patch('keys', '{\"x\": 1}', idempotency_key => 'k3')"

# The newest position of each stream, also of what is not carried: name|position
newest() {
    value -d "$1" -c "SELECT s.name, max(f.id) FROM weir.registry s JOIN (SELECT stream_id, id FROM weir.frame_log
        UNION ALL SELECT stream_id, id FROM weir.frame_best_effort) f ON f.stream_id = s.id GROUP BY 1"
}

# verify WHAT DATABASE: on the current cluster
verify() {
    local what=$1 db=$2
    if contents "$db" >"$WEIR_TMP/after" && diff "$WEIR_TMP/before" "$WEIR_TMP/after" >"$WEIR_TMP/diff"; then
        ok "$what: the same streams"
    else
        not_ok "$what: the same streams"
        head -n 10 "$WEIR_TMP/diff" | cut -c 1-300 | sed 's/^/# /'
    fi
    export PGDATABASE=$db
    is "$what: a closed stream stays closed" "$(sqlstate "SELECT weir.append('closed', '2')")" WR001
    is "$what: a key gives the first result" \
        "$(value -c "$key_calls")" "$keys"
    is "$what: and only to the same request" "$(sqlstate "SELECT weir.append('keys', '4', idempotency_key => 'k1')")" WR005
    local name call bad=
    while IFS='|' read -r name call; do
        bad+=$(value -c "SELECT \$\$ $name\$\$ WHERE NOT weir.${call/S/\'$name\'} > '$(sed -n "s/^$name|//p" <<<"$newest" | grep . || echo -)'")
    done <<'CALLS'
all|append(S, '1')
again|append(S, '1')
dropped|append(S, '1')
all trimmed|append(S, '1')
unheard of|append(S, '1')
best_effort|append_best_effort(S, '1')
trimmed|append_best_effort(S, '1')
sentinel|append_bytes(S, '1')
CALLS
    is "$what: the next positions of a stream lie above all its old ones" "$bad" ""
    is "$what: lifetimes go on" "$(value -c "SELECT weir.append('sliding', '2'), weir.append('ending', '2')" \
        -c "SELECT string_agg(frames || (properties - 'expires_at')::text, ' ' ORDER BY stream) FROM weir.streams
            WHERE stream IN ('sliding', 'ending')" | tail -n 1)" '2{} 2{"ttl": "1 day"}'
    is "$what: what has ended is over" "$(value -c "SELECT count(*) FROM weir.read('ended')" -c "SELECT weir.append('ended', '2')" \
        -c "SELECT frames || ' ' || properties FROM weir.stream_info('ended')" | sed 2d | xargs)" "0 1 {}"
    is "$what: versions go on" "$(value -c "SELECT summary_version FROM weir.append_patch('doc', '{}')")" 2501
    is "$what: epochs of leases go on, also of those forgotten" \
        "$(value -c "SELECT epoch > 9 FROM weir.lease_acquire('forgotten', 'bob')" -c "SELECT acquired FROM weir.lease_acquire('lease', 'bob')" \
            -c "SELECT epoch > $lease_epoch FROM weir.lease_acquire('lease', 'ann')" | xargs)" "t f t"
    is "$what: a new stream has an id of its own" \
        "$(value -c "SELECT count(*) FROM (SELECT id FROM weir.registry GROUP BY 1 HAVING count(DISTINCT name) > 1) s")" 0
    export PGDATABASE=postgres
}

for cluster in old new; do
    cluster_start $cluster
    cluster_psql $cluster -d postgres -c 'CREATE ROLE weir_dump_reader'
done

for lead in 0 2; do
    db=weir$lead
    cluster_use old
    createdb "$db"
    psql -d "$db" -c "CREATE EXTENSION weir" -c "SELECT weir.append('first', '1')" >/dev/null
    if [ $lead != 0 ]; then
        note "a source that is $lead hours ahead of the clock"
        # As if its clock had been: after a crash nothing is minted below weir.clock.
        psql -d "$db" -c "SELECT setval('weir.clock', ((now() + '$lead hours')::weir.position::bigint >> 20 << 20) |
                                                      (last_value & 1048575)) FROM weir.clock" >/dev/null
        cluster_stop old immediate
        cluster_start old
    fi
    fill "$db"
    contents "$db" >"$WEIR_TMP/before"
    check "there is something to carry" [ "$(wc -l <"$WEIR_TMP/before")" -gt 5000 ]
    newest=$(newest "$db")
    keys=$(value -d "$db" -c "$key_calls")
    lease_epoch=$(value -d "$db" -c "SELECT epoch FROM weir.leases WHERE name = 'lease'")
    check "$lead hours ahead" test "$(value -d "$db" -c "SELECT lead_ms >= $lead * 3500000 FROM weir.stream_info('all')")" = t

    pg_dump "$db" >"$WEIR_TMP/$db.sql"
    pg_dump -Fc "$db" >"$WEIR_TMP/$db.dump"
    createdb copy
    psql -d copy -f "$WEIR_TMP/$db.sql" >/dev/null
    verify "pg_dump | psql" copy
    dropdb copy
    cluster_use new
    createdb "copy$lead"
    pg_restore -j 2 -d "copy$lead" "$WEIR_TMP/$db.dump"
    verify "pg_restore into another cluster" "copy$lead"
done
cluster_stop old
cluster_stop new

note "a server upgrade"
# The port of the two, which are never up at once, and the socket of pg_upgrade's own.
as_server mkdir "$WEIR_TMP/new/up"
as_server "$PGBIN/initdb" -D "$WEIR_TMP/new/up/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
status=0
(cd "$WEIR_TMP/new/up" && as_server bash -c "cd '$WEIR_TMP/new/up' && '$PGBIN/pg_upgrade' -b '$PGBIN' -B '$PGBIN' -U postgres \
    -d '$WEIR_TMP/old/data' -D '$WEIR_TMP/new/up/data' -s '$WEIR_TMP/new/up'") >"$WEIR_TMP/upgrade.log" 2>&1 || status=$?
is "pg_upgrade" "$status" 0
[ $status = 0 ] || { tail -n 20 "$WEIR_TMP/upgrade.log" | sed 's/^/# /'; finish; }
# From here on a cluster like the others.
mkdir -p "$WEIR_TMP/upgraded" && own_by_server "$WEIR_TMP/upgraded"
mv "$WEIR_TMP/new/up/data" "$WEIR_TMP/upgraded/data"
cluster_start upgraded "listen_addresses = ''" "port = 65432" "unix_socket_directories = '$WEIR_TMP/upgraded'" "fsync = off"
cluster_use upgraded
verify "pg_upgrade" weir2
finish
