# SPDX-License-Identifier: PostgreSQL
# NATS and Redis from Debian, private to a case: free port or a socket, data beside the cluster's. Sourced by run.

# peers_start: nats_at, redis_at. NATS keeps its bucket in files and syncs them by time (2.9 knows no other way); Redis
# appends to a file and syncs it before it answers.
peers_start() {
    local dir=$work/peers
    need_packages nats-server redis-server libnats-dev libhiredis-dev
    mkdir -p "$dir/nats"
    nats-server -a 127.0.0.1 -p -1 -js -sd "$dir/nats" --ports_file_dir "$dir" > "$dir/nats.log" 2>&1 &
    peers=($!)
    redis-server --port 0 --unixsocket "$dir/redis" --appendonly yes --appendfsync always --save '' --dir "$dir" \
        > "$dir/redis.log" 2>&1 &
    peers+=($!)
    poll 10 test -S "$dir/redis"
    poll 10 grep -qs nats: "$dir/nats-server_${peers[0]}.ports"
    redis_at=$dir/redis
    nats_at=$(grep -o 'nats://[^"]*' "$dir/nats-server_${peers[0]}.ports" | head -n 1)
    peers_program=$work/kv_peers
    [ -x "$peers_program" ] || g++ -std=c++20 -O2 -Wall -Wextra -pthread "$bench_dir/programs/kv_peers.cpp" \
        -o "$peers_program" -lnats -lhiredis >&2
}

peers_stop() {
    [ ${#peers[@]} -eq 0 ] || { kill "${peers[@]}" && wait "${peers[@]}"; } 2> /dev/null || true
    peers=()
    rm -rf "$work/peers"
}
peers=()

# peers_measure CALL: rows of weir's script a beside each of them, at each count of clients.
peers_measure() {
    local call=$1 count round tps latency middle which low high
    local -A at=([nats]=$nats_at [redis]=$redis_at)
    local -A called=([nats]='NATS KV, file storage' [redis]='Redis, appendfsync always')
    a > "$work/a.pgbench"
    [ "$mode" = quick ] || clients=${full_clients:-$clients}
    for count in $clients; do
        : > "$work/a"; : > "$work/nats"; : > "$work/redis"
        for ((round = 1; round <= rounds; round++)); do
            read -r tps latency middle < <(run_script "$work/a.pgbench" "$count" -T $((seconds + 1)))
            raw "$count" "$round" a "$a_name" "$tps" "$latency" "$middle"
            echo "$tps" >> "$work/a"
            for which in nats redis; do
                tps=$("$peers_program" $which "${at[$which]}" "$call" "$count" $((seconds + 1)) 10000 100)
                raw "$count" "$round" "$which" "$which" "$tps" '' ''
                echo "$tps" >> "$work/$which"
            done
        done
        for which in nats redis; do
            paste "$work/a" "$work/$which" | awk '{ printf "%.4f\n", $1 / $2 }' > "$work/pairs"
            read -r low high < <(spread < "$work/pairs")
            b_name=${called[$which]}
            row "$count" tps "$(median < "$work/a")" "$(median < "$work/$which")" "$(median < "$work/pairs")" \
                "$low" "$high"
        done
    done
}
