# SPDX-License-Identifier: PostgreSQL
# A million best-effort appends to one stream with K in force: the physical table
# stays within 3 K, and the last tenth is as fast as the first.

a_name='weir.append_live'
bound=16384

measure() {
    local tenth rows=0 first last low high
    echo "SELECT weir.append_live('live', :payload, maxlen_ceiling => $bound);" > "$work/a.pgbench"
    : > "$work/samples"
    sample & sampler=$!
    for tenth in {1..10}; do
        read -r tps latency _ < <(run_script "$work/a.pgbench" 8 -t 12500 || echo failed)
        if [ "$tps" = failed ]; then kill $sampler; return 1; fi
        raw 8 "$tenth" a "$a_name" "$tps" "$latency" ''
        echo "$tps" >> "$work/tenths"
    done
    kill $sampler
    wait $sampler || true
    first=$(head -1 "$work/tenths")
    last=$(tail -1 "$work/tenths")
    read -r low high < <(spread < "$work/tenths")

    title='a million best-effort appends, last tenth against first' target='>= 0.9'
    b_name='the same'
    row 8 tps "$last" "$first" "$(divide "$last" "$first")" "$(divide "$low" "$first")" "$(divide "$high" "$first")"

    title='a million best-effort appends, rows in the table' target='<= 3' a_name='most rows' b_name='K'
    note="relation with index at the end: $(sql "SELECT pg_size_pretty(pg_total_relation_size('weir.frame_live'))")"
    read -r low high < <(cut -d' ' -f3 "$work/samples" | spread)
    read -r rows k _ < <(sort -g -k3 "$work/samples" | tail -1)
    row 8 rows "$rows" "$k" "$high" "$low" "$high"
}

# Rows there are, K of the stream, their ratio: twice a second.
sample() {
    while sleep 0.5; do
        sql "SELECT n || ' ' || maxlen || ' ' || round(n::numeric / maxlen, 3)
             FROM (SELECT count(*) AS n FROM weir.frame_live) f, weir.stream_info('live')" >> "$work/samples"
    done
}
