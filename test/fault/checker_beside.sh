#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: what the checker claims (test/checker) holds beside DDL of every kind on weir's tables, the
# catalogues and neighbours, beside a publication FOR ALL TABLES with a subscriber that has weir itself, and
# beside housekeeping of which each job fails in every way, at random. Housekeeping is done once nothing fails
# any more, and the subscriber's own streams are as it left them.
#
# About 20 seconds; WEIR_STRESS=1: ten minutes, or WEIR_STRESS_SECONDS. WEIR_DDL_FIRST: the number of the statement
# that DDL begins with, for who wants to be sure of some.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"
. "$(dirname "$0")/planting.sh"
. "$(dirname "$0")/faulty_steps.sh"

seconds=${WEIR_STRESS_SECONDS:-${WEIR_STRESS:+600}}
seconds=${seconds:-20}
plant_faulty_steps "$WEIR_TMP/copy"
plant_use "$WEIR_TMP/copy"
checker_build

for cluster in a b; do
    cluster_start $cluster "wal_level = logical" "max_prepared_transactions = 40" "autovacuum_naptime = 1s"
    cluster_use $cluster
    psql -c 'CREATE EXTENSION weir' -c 'CREATE TABLE neighbour (n bigint PRIMARY KEY, at weir.position, word text)' \
        -c "SELECT weir.append('own', '\"of $cluster\"')" >/dev/null
done
cluster_use a
psql -c 'CREATE PUBLICATION everything FOR ALL TABLES'
(cluster_use b; psql -c "CREATE SUBSCRIPTION from_a
    CONNECTION 'host=$WEIR_TMP/a port=65432 user=postgres dbname=postgres' PUBLICATION everything")

# One at a time, so that no two of them wait for each other. Not a plain REINDEX of what transactions read and then
# write: it has the table and waits for the index, which is a deadlock on any table.
ddl=(
    "VACUUM FULL weir.frame_log" "VACUUM FULL weir.frame_best_effort" "VACUUM FULL weir.registry"
    "VACUUM FULL weir.checkpoint"
    "VACUUM FULL weir.idempotency" "VACUUM FULL weir.lease" "VACUUM FULL weir.subscription"
    "VACUUM (FREEZE) weir.registry" "CLUSTER weir.frame_log USING frame_log_pkey"
    "CLUSTER weir.frame_best_effort USING frame_best_effort_pkey" "REINDEX INDEX CONCURRENTLY weir.frame_log_pkey"
    "REINDEX INDEX CONCURRENTLY weir.frame_best_effort_pkey"
    "REINDEX TABLE CONCURRENTLY weir.registry" "CREATE INDEX CONCURRENTLY beside ON weir.frame_log (type)"
    "DROP INDEX CONCURRENTLY IF EXISTS weir.beside" "CREATE INDEX beside ON weir.frame_best_effort (type)"
    "DROP INDEX IF EXISTS weir.beside" "ALTER TABLE weir.frame_log SET (fillfactor = 90)"
    "ALTER TABLE weir.frame_log RESET (fillfactor)" "ALTER TABLE weir.frame_log ALTER payload SET STATISTICS 10"
    "ALTER TABLE weir.frame_log ALTER payload SET STORAGE EXTERNAL"
    "ALTER TABLE weir.frame_log ALTER payload SET STORAGE EXTENDED" "ALTER TABLE weir.frame_log REPLICA IDENTITY FULL"
    "ALTER TABLE weir.frame_log REPLICA IDENTITY DEFAULT" "ALTER TABLE weir.frame_log SET WITHOUT CLUSTER"
    "ANALYZE weir.frame_log" "ANALYZE" "COMMENT ON TABLE weir.frame_log IS 'beside'"
    "GRANT SELECT ON weir.frame_log TO CURRENT_USER"
    "CREATE STATISTICS weir_beside ON stream_id, id FROM weir.frame_log" "DROP STATISTICS IF EXISTS weir_beside"
    "VACUUM FULL pg_class" "VACUUM FULL pg_attribute" "VACUUM FULL pg_proc" "REINDEX TABLE pg_class"
    "REINDEX INDEX pg_class_oid_index" "VACUUM FULL pg_type" "VACUUM FULL pg_index" "VACUUM pg_catalog.pg_class"
    "CHECKPOINT" "CREATE TABLE other (LIKE neighbour INCLUDING ALL)"
    "ALTER TABLE IF EXISTS other ADD COLUMN x int DEFAULT 1" "DROP TABLE IF EXISTS other"
    "ALTER TABLE neighbour ADD COLUMN y weir.position" "ALTER TABLE neighbour DROP COLUMN IF EXISTS y"
    "ALTER TABLE neighbour ALTER at TYPE bigint USING at::bigint"
    "ALTER TABLE neighbour ALTER at TYPE weir.position USING at::bigint::weir.position"
    "CREATE INDEX CONCURRENTLY neighbour_at ON neighbour (at)" "DROP INDEX CONCURRENTLY IF EXISTS neighbour_at"
    "VACUUM FULL neighbour"
    "CREATE TRIGGER emit AFTER INSERT ON neighbour FOR EACH ROW EXECUTE FUNCTION weir.outbox('neighbour')"
    "INSERT INTO neighbour (n) SELECT coalesce(max(n), 0) + 1 FROM neighbour"
    "DROP TRIGGER IF EXISTS emit ON neighbour"
    "INSERT INTO neighbour (n) SELECT coalesce(max(n), 0) + 1 FROM neighbour" "TRUNCATE neighbour"
    "CREATE VIEW beside AS SELECT * FROM weir.streams" "DROP VIEW IF EXISTS beside" "CREATE SCHEMA beside"
    "DROP SCHEMA IF EXISTS beside"
    "CREATE FUNCTION beside() RETURNS weir.position LANGUAGE sql RETURN weir.head('own')"
    "DROP FUNCTION IF EXISTS beside()" "CREATE ROLE beside" "SELECT weir.grant_access('beside', 'write')"
    "SELECT weir.revoke_access('beside')" "DROP ROLE IF EXISTS beside" "CREATE PUBLICATION part FOR TABLE neighbour"
    "DROP PUBLICATION IF EXISTS part" "ALTER EXTENSION weir UPDATE" "CREATE DOMAIN beside AS weir.position"
    "DROP DOMAIN IF EXISTS beside" "CREATE CAST (weir.position AS text) WITH INOUT AS ASSIGNMENT"
    "DROP CAST IF EXISTS (weir.position AS text)" "SELECT weir.append('gone', '1'), weir.drop_stream('gone')"
    "SELECT weir.lease_sweep()"
)
stop=$WEIR_TMP/stop
run_ddl() {
    local i
    for ((i = ${WEIR_DDL_FIRST:-RANDOM}; ; i++)); do
        [ ! -e "$stop" ] || break
        "$PGBIN/psql" -X -q -v VERBOSITY=verbose -c "${ddl[i % ${#ddl[@]}]}" >/dev/null 2>>"$WEIR_TMP/ddl.err" || true
        echo >>"$WEIR_TMP/ddl.count"
    done
}
break_housekeeping() {
    local kinds=(error lock memory exit) job
    while [ ! -e "$stop" ]; do
        job=${housekeeping_jobs[RANDOM % ${#housekeeping_jobs[@]}]}
        fault a "$job" "${kinds[RANDOM % 4]}"
        sleep 0.2
        [ $((RANDOM % 3)) != 0 ] || mend a "$job"
    done
}
session_start locker
tell_and_wait locker "SELECT pg_advisory_lock(4703);"
run_ddl & ddl_pid=$!
break_housekeeping & break_pid=$!
run_checker --conninfo "host=$WEIR_TMP/a port=65432 user=postgres dbname=postgres" --seconds "$seconds" \
    --timeout 120 --no-vacuum --seed "${WEIR_SEED:-1}"
touch "$stop"
wait $ddl_pid $break_pid || true
for job in "${housekeeping_jobs[@]}"; do mend a "$job"; done
session_end locker

is "no statement of DDL met an internal error" "$(grep -hE 'XX[0-9]{3}' "$WEIR_TMP/ddl.err" | sort | uniq -c)" ""
statements=$(wc -l <"$WEIR_TMP/ddl.count")
check "there was some ($statements statements)" test "$statements" -ge 20
{ grep -oE 'ERROR:  [0-9A-Z]{5}.*' "$WEIR_TMP/ddl.err" || true; } | sort | uniq -c | sort -rn | head -20 | sed 's/^/# DDL: /'
failed=$(value -c "SELECT count(*) FROM weir.housekeeping WHERE failures > 0")
check "housekeeping failed meanwhile ($failed jobs)" test "$failed" -ge 3
psql -c "SELECT weir.create_stream('settle', maxlen_floor => 32, maxlen_ceiling => 32)" \
    -c "SELECT count(weir.append_best_effort('settle', '1'))
    FROM generate_series(1, 300)" >/dev/null
is_done() { [ "$(value -c "SELECT sum(pending) = 0 FROM weir.housekeeping")" = t ]; }
check "and is done once nothing fails any more" poll 60 is_done
subscriber() { (cluster_use b; value "$@"); }
lsn=$(value -c 'SELECT pg_current_wal_flush_lsn()')
has_caught_up() {
    [ "$(value -c "SELECT count(*) FROM pg_stat_replication
        WHERE application_name = 'from_a' AND replay_lsn >= '$lsn'")" = 1 ] &&
        [ "$(subscriber -c "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'")" = 0 ]
}
# What its workers failed with, and how often: a failure that the DDL meets passes, one that comes again does not.
worker_errors() { sed -n 's/^.*\] *\(ERROR\|FATAL\): *//p' "$WEIR_TMP/b/server.log" | sort | uniq -c | sort -rn; }
is_stuck() { [ "$(worker_errors | awk 'NR == 1 { print $1 }')" -ge 4 ] 2>/dev/null; }
is_settled() { has_caught_up || is_stuck; }
follows() {
    ! poll 120 is_settled || ! has_caught_up || return 0
    worker_errors
    echo "to be applied: $lsn"
    value -c "SELECT application_name, state, replay_lsn, reply_time FROM pg_stat_replication"
    subscriber -c "SELECT srrelid::regclass, srsubstate FROM pg_subscription_rel WHERE srsubstate <> 'r'" \
        -c "SELECT * FROM pg_stat_subscription"
    tail -n 20 "$WEIR_TMP/b/server.log"
    return 1
}
check "the subscriber follows" follows
is "its streams are its own" "$(subscriber -c "SELECT string_agg(payload #>> '{}', ' ') FROM weir.read('own')")" "of b"
is "and no others" "$(subscriber -c "SELECT count(*) FROM weir.streams WHERE stream LIKE 'checker/%'")" 0
finish
