# SPDX-License-Identifier: PostgreSQL
# Single appends to 64 streams while one client writes batches of 15 MB to another: the 99th
# percentile of an append beside append_batch, against the same beside one INSERT of
# the same rows into a table of its own.

title='99th percentile of appends beside 15 MB batches'
target='<= 1.1'
a_name='beside weir.append_batch'
b_name='beside INSERT … SELECT FROM unnest'

setup() {
    sql_file plain.sql
    sql "CREATE TABLE large AS
        SELECT array_agg(jsonb_build_object('n', n, 'line', repeat(md5(n::text), 46))) AS payloads
        FROM generate_series(1, 10000) n"
}

# beside SIDE ROUND NAME: the percentile in ms, to $work/SIDE.
beside() {
    local tps latency middle p99 batches
    pgbench -n -M prepared -c 1 -T $((seconds + 3)) -f "$work/beside-$1.pgbench" > "$work/beside.out" 2>&1 &
    batches=$!
    sleep 1
    read -r tps latency middle < <(run_script "$work/append.pgbench" 8 -T $((seconds + 1)) || echo failed)
    wait $batches || { head -n 5 "$work/beside.out" >&2; return 1; }
    [ "$tps" != failed ] || return 1
    p99=$(cat "$work/log/run"* | awk '{ print $3 / 1000 }' | sort -g |
        awk '{ v[NR] = $1 } END { print v[int(NR * 0.99) + 1] }')
    echo "$p99" >> "$work/$1"
    raw 8 "$2" "$1" "$3" "$tps" "$latency" "$p99"
}

measure() {
    local round low high
    metric=latency
    { any_of_64; echo 'SELECT weir.append(:s, :payload);'; } > "$work/append.pgbench"
    echo "SELECT frames FROM large, weir.append_batch('large', payloads);" > "$work/beside-a.pgbench"
    echo "INSERT INTO plain_log (stream_id, ordinal, version, mode, payload)" \
        "SELECT 65, 1, 0, 'd', p FROM large, unnest(payloads) p;" > "$work/beside-b.pgbench"
    : > "$work/a"
    : > "$work/b"
    for ((round = 1; round <= rounds || (round <= max_rounds && $(disagree)); round++)); do
        beside a "$round" "$a_name"
        beside b "$round" "$b_name"
        paste "$work/a" "$work/b" | awk '{ printf "%.4f\n", $1 / $2 }' > "$work/pairs"
    done
    read -r low high < <(spread < "$work/pairs")
    row 8 ms "$(median < "$work/a")" "$(median < "$work/b")" "$(median < "$work/pairs")" "$low" "$high"
}
