# SPDX-License-Identifier: PostgreSQL
# Sweeping 10,000 leases that have expired, with an event each, in one call. The result
# is the time of the call, not a difference.

title='sweep of 10,000 expired leases'
target='<= 100'
judge=difference
a_name='weir.lease_sweep'
b_name='one UPDATE of as many rows'

setup() { sql_file lease.sql; }

measure() {
    local round side
    echo 'SELECT weir.lease_sweep();' > "$work/a.pgbench"
    echo 'UPDATE plain_lease SET owner = NULL WHERE expires_at <= clock_timestamp();' > "$work/b.pgbench"
    for side in a b; do : > "$work/$side"; done
    for ((round = 1; round <= 2 * rounds; round++)); do
        sql "SELECT weir.lease_acquire('job-' || i, 'worker', '1 millisecond') FROM generate_series(1, 10000) i" > /dev/null
        sql "UPDATE plain_lease SET owner = 'worker', expires_at = now()"
        for side in a b; do
            read -r tps latency _ < <(run_script "$work/$side.pgbench" 1 -t 1 || echo failed)
            [ "$tps" != failed ] || return 1
            raw 1 "$round" "$side" "$side" "$tps" "$latency" ''
            echo "$latency" >> "$work/$side"
        done
    done
    [ "$(sql "SELECT count(*) >= 10000 * 2 * $rounds FROM weir.read_many('{leases}')" )" ] || return 1
    local low high
    read -r low high < <(spread < "$work/a")
    row 1 ms "$(median < "$work/a")" "$(median < "$work/b")" "$(median < "$work/a")" "$low" "$high"
}
