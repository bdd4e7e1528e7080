# SPDX-License-Identifier: PostgreSQL
# A million best-effort appends to one stream with K in force: rows and heap stay
# within 3 K frames, and the last tenth is as fast as the first.

a_name='weir.append_best_effort'
k=16384

measure() {
    local tenth first last low high most
    sql "SELECT weir.create_stream('live', maxlen_ceiling => $k)"
    echo "SELECT weir.append_best_effort('live', :payload);" > "$work/a.pgbench"
    : > "$work/samples"
    rm -f "$work/tenths"
    sample &
    local sampler=$!
    for tenth in {1..10}; do
        read -r tps latency _ < <(run_script "$work/a.pgbench" 8 -t 12500 || echo failed)
        [ "$tps" != failed ] || return 1
        raw 8 "$tenth" a "$a_name" "$tps" "$latency" ''
        echo "$tps" >> "$work/tenths"
    done
    kill $sampler
    wait $sampler || true

    title='a million best-effort appends, last tenth against first' target='>= 0.9' b_name='the same'
    first=$(head -n 1 "$work/tenths") last=$(tail -n 1 "$work/tenths")
    read -r low high < <(spread < "$work/tenths")
    row 8 tps "$last" "$first" "$(divide "$last" "$first")" "$(divide "$low" "$first")" "$(divide "$high" "$first")"

    target='<= 3' b_name='K'
    title='a million best-effort appends, rows in the table' a_name='most rows'
    of_k < <(cut -d' ' -f1 "$work/samples")
    title='a million best-effort appends, room in the heap' a_name='frames that fit in it'
    note="heap $(size pg_table_size), index $(size pg_indexes_size) at the end"
    of_k < <(cut -d' ' -f2 "$work/samples")
}

of_k() {
    local low high
    read -r low high < <(spread)
    row 8 rows "$high" "$k" "$(divide "$high" "$k")" "$(divide "$low" "$k")" "$(divide "$high" "$k")"
}

size() {
    sql "SELECT pg_size_pretty($1('weir.frame_best_effort'))"
}

# Rows there are, and rows for which the heap has room: twice a second. A row takes its
# aligned size and a line pointer out of the 8168 bytes of a page.
sample() {
    while sleep 0.5; do
        sql "SELECT n || ' ' || pages * floor(8168 / (ceil(width / 8) * 8 + 4))
             FROM (SELECT count(*) AS n, avg(pg_column_size(f)) AS width FROM weir.frame_best_effort f) a,
                  LATERAL (SELECT pg_relation_size('weir.frame_best_effort') / 8192 AS pages) b
             WHERE n > 0" >> "$work/samples"
    done
}
