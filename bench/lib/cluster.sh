# SPDX-License-Identifier: PostgreSQL
# The one private cluster of a benchmark run, durable as in production (the
# clusters of scripts/lib.sh are not). Each case gets a new database in it, so that
# no table's size drifts from one case to the next. Sourced by run.

bench_cluster_start() {
    cluster_start bench \
        'fsync = on' \
        'synchronous_commit = on' \
        'full_page_writes = on' \
        'shared_buffers = 512MB' \
        'max_wal_size = 8GB' \
        'checkpoint_timeout = 1h' \
        'log_checkpoints = off'
    cluster_use bench
}

sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"
}

sql_file() {
    psql -X -q -v ON_ERROR_STOP=1 -f "$bench_dir/sql/$1" > /dev/null
}

new_database() {
    export PGDATABASE=postgres
    PGOPTIONS='-c client_min_messages=warning' sql 'DROP DATABASE IF EXISTS bench WITH (FORCE)'
    sql 'CREATE DATABASE bench'
    # Loading the library is part of connecting, which pgbench does not count.
    sql 'ALTER DATABASE bench SET session_preload_libraries = weir'
    export PGDATABASE=bench
    sql 'CREATE EXTENSION weir'
}

# What a reader of the figures needs to know of where they come from.
describe_machine() {
    printf '| | |\n|---|---|\n'
    printf '| server | PostgreSQL %s |\n' "$(sql 'SHOW server_version')"
    printf '| weir | %s |\n' "$(sql "SELECT default_version FROM pg_available_extensions WHERE name = 'weir'")"
    printf '| processor | %s, %s cores, shared with pgbench |\n' \
        "$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" "$(nproc)"
    printf '| memory | %s |\n' "$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo)"
    printf '| system | %s, data on %s |\n' "$(uname -sr)" "$(stat -f -c %T "$WEIR_TMP")"
    sql "SELECT format('| %s | %s |', name, current_setting(name))
         FROM unnest('{fsync,synchronous_commit,wal_sync_method,full_page_writes,wal_level,shared_buffers,
                       max_wal_size,checkpoint_timeout,autovacuum,debug_assertions}'::text[]) name"
    printf '| load | pgbench -M prepared over a unix socket, 100-byte payload |\n'
    printf '| runs | %s mode: A then B, %s s each after a second of warm-up, %s to %s times |\n' \
        "$mode" "$seconds" "$rounds" "$max_rounds"
}
