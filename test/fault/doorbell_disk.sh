#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: no append, and no weir.notify() that has room, fails at commit since the server
# cannot write its queue of notifications: its disk is full, or its files cannot be
# written, with a listener idle in a transaction, so that the queue grows. Not while the worker
# fails over it, nor where there is none, nor with weir.doorbell = transaction. What was
# not told is told once it can be.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/listening.sh"

server_log=$WEIR_TMP/disk/server.log
queue=$WEIR_TMP/disk/data/pg_notify
figure() { value -c "SELECT $1 FROM weir.doorbell"; }
is_figure() { [ "$(figure "$1")" = t ]; }
mounted=
unmount() { [ -z "$mounted" ] || umount "$queue" || true; }

# A listener that does not listen, and pages of the queue in memory that have to be written before there are others.
listen_deaf() {
    listen deaf -- weir weir:a1 mine
    tell_and_wait deaf "BEGIN; SELECT 1;"
    psql -c "SELECT count(pg_notify('x', repeat('x', 7000) || n)) FROM generate_series(1, 20) n" >/dev/null
}
# Commits, each of which wants to be told; how many fail.
failing_commits() {
    local failed=0
    for _ in {1..20}; do
        "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 >>"$WEIR_TMP/failures" 2>&1 <<'SQL' || failed=$((failed + 1))
DO $$ BEGIN
    FOR i IN 1..50 LOOP
        PERFORM weir.append('a' || i, '1');
        PERFORM weir.notify('mine', repeat('x', 200) || i);
        COMMIT;
    END LOOP;
END $$;
SQL
    done
    echo $failed
}
hears_the_rest() {
    tell_and_wait deaf "COMMIT;"
    # The worker tries less and less often, and may have left.
    is_heard() { value -c "SELECT weir.append('a1', '2')" >/dev/null; has_heard deaf '^weir:a1|'; }
    check "$1, streams" poll 90 is_heard
    check "$1, weir.notify()" poll 15 has_heard deaf '^mine|x*7$'
    session_end deaf
}

cluster_start disk
cluster_use disk
psql -c 'CREATE EXTENSION weir'

note "files that cannot be written"
listen_deaf
chmod a-w "$queue" "$queue"/*
is "commits do not fail" "$(failing_commits)" 0
check "(the worker does)" grep -q 'could not access status of transaction 0' "$server_log"
is "nor do they by and by" "$(failing_commits)" 0
chmod u+w "$queue" "$queue"/*
hears_the_rest "once they can be, the rest is heard"

note "a full disk"
cluster_stop disk
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=4m tmpfs "$queue" 2>/dev/null; then
    mounted=1
    trap 'unmount; scratch_end' EXIT
    own_by_server "$queue"
    for how in "a worker" "no worker" "weir.doorbell = transaction"; do
        settings=("max_worker_processes = 8" "weir.doorbell = worker")
        [ "$how" != "no worker" ] || settings=("max_worker_processes = 1")
        [ "$how" != "weir.doorbell = transaction" ] || settings=("weir.doorbell = transaction")
        cluster_start disk "${settings[@]}"
        listen_deaf
        dd if=/dev/zero of="$queue/fill" bs=4k count=2000 2>/dev/null || true
        if [ "$how" = "weir.doorbell = transaction" ]; then
            is "$how: appends do not fail" "$(sqlstate "DO \$\$ BEGIN FOR i IN 1..1000 LOOP
                PERFORM weir.append('a' || i % 50, '1'); COMMIT; END LOOP; END \$\$")" 00000
        else
            is "$how: commits do not fail" "$(failing_commits)" 0
        fi
        check "(a plain NOTIFY does)" test "$(sqlstate "SELECT pg_notify('x', repeat('y', 7000) || n)
            FROM generate_series(1, 20) n")" = 53100
        rm "$queue/fill"
        if [ "$how" = "a worker" ]; then
            check "the worker holds back" is_figure 'held_back > 0'
            hears_the_rest "once there is room, the rest is heard"
        else
            session_end deaf
        fi
        cluster_stop disk
    done
    unmount
    mounted=
else
    note "SKIPPED: a full disk, since nothing can be mounted here (root may)"
fi
[ ! -s "$WEIR_TMP/failures" ] || note "$(sort "$WEIR_TMP/failures" | uniq -c | head -n 5)"
finish
