# SPDX-License-Identifier: PostgreSQL
# Listeners beside a run, and programs that measure by themselves. Sourced by run.

# program NAME: builds bench/programs/NAME.cpp on libpq, prints its path.
program() {
    local out=$work/$1
    [ -x "$out" ] || g++ -std=c++20 -O2 -Wall -Wextra -pthread -I"$("$PG_CONFIG" --includedir)" \
        "$bench_dir/programs/$1.cpp" -o "$out" -L"$("$PG_CONFIG" --libdir)" -lpq >&2
    echo "$out"
}

# A connection that listens on the channel of each of 64 streams, until stop_listening.
listen_to_64() {
    local channels
    mapfile -t channels < <(sql "SELECT weir.channel(i::text) FROM generate_series(1, 64) i")
    coproc LISTENERS { "$(program doorbell)" listen "${channels[@]}"; }
    read -r -u "${LISTENERS[0]}" -t 60
}

stop_listening() {
    local pid=$LISTENERS_PID
    exec {LISTENERS[1]}>&-
    wait "$pid"
}

# wakeup_latency HOW: median and 99th percentile of commit to wakeup at 1,000 appends/s.
wakeup_latency() { "$(program doorbell)" latency "$1" 1000 $((seconds * 3)) | tee -a "$work/latency.log"; }

# measure_latency HOW: pairs of runs, weir's way against pg_notify in the transaction; a
# row for the median, one for the 99th percentile.
measure_latency() {
    local round p50 p99 count what=$1 column unit
    for column in 1 2; do : > "$work/a$column"; : > "$work/b$column"; done
    for ((round = 1; round <= rounds; round++)); do
        for side in a b; do
            read -r p50 p99 count < <(wakeup_latency "$([ $side = a ] && echo "$what" || echo pg_notify)")
            echo "$p50" >> "$work/${side}1"
            echo "$p99" >> "$work/${side}2"
            raw 1 "$round" $side "$([ $side = a ] && echo "$a_name" || echo "$b_name")" "$count" "$p99" "$p50"
        done
    done
    local whole=$title low high
    for column in 1 2; do
        [ $column = 1 ] && title="$whole, median" target=$target_median || title="$whole, 99th percentile" target=$target_99
        read -r low high < <(spread < "$work/a$column")
        judge=value row 1 ms "$(median < "$work/a$column")" "$(median < "$work/b$column")" \
            "$(median < "$work/a$column")" "$low" "$high"
    done
}
