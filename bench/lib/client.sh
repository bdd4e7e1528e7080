# SPDX-License-Identifier: PostgreSQL
# Programs on the client library. Sourced by run.

# client_program NAME: builds bench/programs/NAME.cpp and the library, prints its path.
client_program() {
    local out=$work/$1 build=$bench_dir/../build/bench-client
    if [ ! -x "$out" ]; then
        { cmake -S "$bench_dir/.." -B "$build" -DCMAKE_BUILD_TYPE=Release &&
            cmake --build "$build" "$(jobs_flag)" --target weir_client; } > "$work/cmake.log" 2>&1 || { tail "$work/cmake.log" >&2; return 1; }
        g++ -std=c++20 -O2 -Wall -Wextra -pthread -I"$bench_dir/../client/include" -I"$("$PG_CONFIG" --includedir)" \
            "$bench_dir/programs/$1.cpp" -o "$out" "$build/client/libweir_client.a" -lpq >&2 || return 1
    fi
    echo "$out"
}

# client_pair A B: the rates of two ways to append over one connection, in pairs of runs.
client_pair() {
    local program round side how value low high
    program=$(client_program client_append)
    : > "$work/a"; : > "$work/b"
    for ((round = 1; round <= rounds; round++)); do
        for side in a b; do
            how=$1
            [ $side = a ] || how=$2
            value=$("$program" "$how" $((seconds * 2)) "$payload")
            echo "$value" >> "$work/$side"
            raw 1 "$round" $side "$how" "$value" '' ''
        done
    done
    paste "$work/a" "$work/b" | awk '{ printf "%.4f\n", $1 / $2 }' > "$work/pairs"
    read -r low high < <(spread < "$work/pairs")
    row 1 rows/s "$(median < "$work/a")" "$(median < "$work/b")" "$(median < "$work/pairs")" "$low" "$high"
}

# client_tails MODE STREAMS RATE SECONDS: rows for its figures, each against a target of the case.
client_tails() {
    local rate p50 p99 most lost memory threads connections behind whole=$title
    # A process of its own has no business here before its server is warm.
    "$(client_program client_tails)" "$1" "$2" "$3" 2 > /dev/null 2>&1
    read -r rate p50 p99 most lost memory threads connections behind < <("$(client_program client_tails)" "$@" 2>> "$work/tails.log")
    raw 2 1 a "$1" "$rate" "$most" "$p50"
    note="$2 tails, $connections connections and $threads threads in the tailing process, greatest latency $most ms, producers $behind ms behind at the end"
    judge=value
    b_name=''
    a_name='median' title="$whole, median" target=$target_median
    row 2 ms "$p50" '' "$p50" "$p50" "$p50"
    a_name='99th percentile' title="$whole, 99th percentile" target=$target_99
    row 2 ms "$p99" '' "$p99" "$p99" "$p99"
    a_name='delivered' title="$whole, delivered" target=$target_rate
    row 2 frames/s "$rate" '' "$rate" "$rate" "$rate"
    a_name='lost' title="$whole, lost" target='<= 0'
    row 2 frames "$lost" '' "$lost" "$lost" "$lost"
    a_name='memory' title="$whole, memory of the process" target=$target_memory
    row 2 MiB "$memory" '' "$memory" "$memory" "$memory"
}
