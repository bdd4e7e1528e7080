# SPDX-License-Identifier: PostgreSQL
# The statements that more than one case runs, as lines of a pgbench script, so that
# weir meets the same opponent in each. Sourced by run.

# A stream out of 64, as :s.
any_of_64() {
    echo '\set s random(1, 64)'
}

# Into the tables of sql/plain.sql: N rows of :payload for stream :s, or a row for
# each element of :payloads.
plain_log_insert() {
    echo 'INSERT INTO plain_log (stream_id, ordinal, version, mode, payload)' \
        "VALUES $(repeat "${1:-1}" "(:s, 1, 0, 'd', :payload)");"
}

plain_best_effort_insert() {
    echo 'INSERT INTO plain_best_effort (stream_id, ordinal, floor, rate, window_start, window_count, maxlen, ttl_ms, payload)' \
        "VALUES $(repeat "${1:-1}" '(:s, 1, 0, 0, 0, 0, 64, 30000, :payload)');"
}

plain_log_unnest() {
    echo 'INSERT INTO plain_log (stream_id, ordinal, version, mode, payload)' \
        "SELECT :s, 1, 0, 'd', p FROM unnest(:payloads::jsonb[]) p;"
}

plain_best_effort_unnest() {
    echo 'INSERT INTO plain_best_effort (stream_id, ordinal, floor, rate, window_start, window_count, maxlen, ttl_ms, payload)' \
        'SELECT :s, 1, 0, 0, 0, 0, 64, 30000, p FROM unnest(:payloads::jsonb[]) p;'
}

repeat() {
    local i out=$2
    for ((i = 1; i < $1; i++)); do out+=", $2"; done
    echo "$out"
}

# The append of FlowFabric into the tables of sql/original.sql, each statement a
# round trip: the advisory lock of the stream until commit, the next number of this
# millisecond, the row with its trigger, the count of the stream. Its clock is the
# application's, read before the lock is had; here the first statement brings it along.
# :s has twelve digits, :fields is the frame as it stores one.
original_append() {
    local id="('00000000-0000-4000-8000-' || :s)::uuid"
    local stream="partition_key = 7 AND execution_id = $id AND attempt_index = 0"
    cat <<PGBENCH
BEGIN;
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ts, pg_advisory_xact_lock(:s) AS locked \\gset
SELECT coalesce(max(seq) + 1, 0) AS seq FROM original_frame WHERE $stream AND ts_ms = :ts \\gset
INSERT INTO original_frame (partition_key, execution_id, attempt_index, ts_ms, seq, fields, mode, created_at_ms) VALUES (7, $id, 0, :ts, :seq, :fields, 'durable', :ts);
SELECT count(*)::bigint FROM original_frame WHERE $stream;
COMMIT;
PGBENCH
}
original_fields='{"frame_type":"event","payload":"'${payload//\"/\\\"}'","encoding":"utf8","source":"worker"}'
hundred_payloads="{$(repeat 100 "\"${payload//\"/\\\"}\"")}"

# pgbench's TPC-B-like transaction, with a line given before its end. Branches enough
# that clients seldom wait for one; accounts of the first branch only, or the runs would
# differ by how many pages were written for the first time since the checkpoint.
tpcb_scale=40
tpcb() {
    cat <<PGBENCH
\\set aid random(1, 100000)
\\set bid random(1, $tpcb_scale)
\\set tid random(1, 10 * $tpcb_scale)
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
${1-}
END;
PGBENCH
}
tpcb_setup() {
    pgbench -i -q -I dtGvp -s "$tpcb_scale" > "$work/tpcb.log" 2>&1 || { tail -n 5 "$work/tpcb.log" >&2; return 1; }
}

# A bucket and a plain table of 10,000 keys.
kv_tables() { sql_file kv.sql > /dev/null; }
any_of_keys() { echo '\set n random(1, 10000)'; }
kv_upsert() {
    echo "INSERT INTO plain_kv VALUES ('key-' || :n, :payload) ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = plain_kv.version + 1;"
}
