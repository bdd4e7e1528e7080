# SPDX-License-Identifier: PostgreSQL
# Runs one case: sources its declaration, then for each client count alternating
# runs A B A B …, and appends to $work/raw.csv (every run) and
# $work/rows (one line a comparison, the input of report.sh). Neighbouring runs
# share whatever else the machine was doing, so a ratio is taken from each pair and
# the median of the ratios is the result. Sourced by run.
#
# A case sets: title a_name b_name target ('>= 0.95', '<= 1.3' or '' for none)
#              clients (quick mode) full_clients (default: clients)
#              frames     what one transaction appends, to show rows/s (1)
#              metric     tps, or latency: median milliseconds of a call (tps)
#              judge      ratio: A / B; difference: A - B; value: A, beside B (ratio)
#              a_settings, b_settings   of the server, for that side (optional): -c name=value …
#              note       one line for the table (optional)
# and defines: a, b           print the pgbench scripts
#              setup          before all runs (optional)
#              before ROUND CLIENTS   before each round (optional)
#              after      at the end, also where it failed (optional)
#              measure        instead of the alternating runs (optional)

# 100 bytes of JSON each, as parameters: both sides parse them.
payload='{"line":"[ 42%] Building CXX object src/CMakeFiles/weir.dir/stream/append.cpp.o, 1.25 s","n":421703}'
document_patch='{"file-0042":"5e8f2d1c7b3a4690","file-0977":"c","build":{"done":412,"of":999,"at":"src/append.cpp"}}'

# A variable for the scripts of this case: :name is then a parameter of that text.
define() {
    defined[$1]=$2
}

defined_options() {
    local name
    for name in "${!defined[@]}"; do
        printf '%s\0' -D "$name=${defined[$name]}"
    done
}

# run_script FILE CLIENTS PGBENCH-OPTION…: prints tps, mean and median latency in ms.
# The tps of a run by time (-T) leaves out its first second, in which each connection
# fills its caches: with many connections that would be a good part of a short run.
run_script() {
    local file=$1 clients=$2 threads log=$work/log median='' options=()
    shift 2
    threads=$(nproc)
    [ "$threads" -le "$clients" ] || threads=$clients
    mapfile -d '' -t options < <(defined_options)
    if [ "$metric" = latency ]; then
        options+=(-l --log-prefix="$log/run")
        rm -rf "$log"
        mkdir "$log"
    fi
    pgbench -n -M prepared -P 1 -c "$clients" -j "$threads" -f "$file" "${options[@]}" "$@" \
        > "$work/pgbench.out" 2> "$work/pgbench.err" || { grep -v '^progress' "$work/pgbench.err" | head -n 5 >&2; return 1; }
    # What the server has to say on each call costs time, and is a defect anyhow.
    ! grep -m 1 'WARNING' "$work/pgbench.err" >&2 || return 1
    [ "$metric" != latency ] || median=$(cat "$log"/run* | awk '{ printf "%.6f\n", $3 / 1000 }' | median)
    awk -v median="$median" -v by_time="$([ "$1" = -T ] && echo 1)" '
        /^progress/ && !early { early = $2; early_count = $2 * $4 }
        /^number of transactions actually processed/ { count = $NF + 0 }
        /^latency average/ { latency = $4 }
        /^tps/ { tps = $3 }
        END {
            if (!tps) exit 1
            if (by_time && early && count / tps > early) tps = (count - early_count) / (count / tps - early)
            print tps, latency, median
        }' "$work/pgbench.err" "$work/pgbench.out"
}

# load COUNT CLIENTS: runs the script on standard input that often, to fill tables.
load() {
    cat > "$work/load.pgbench"
    metric=tps run_script "$work/load.pgbench" "$2" -t $(($1 / $2)) > /dev/null
}

median() {
    sort -g | awk '{ v[NR] = $1 }
        END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

divide() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f\n", a / b }'
}

spread() {
    sort -g | awk 'NR == 1 { low = $1 } { high = $1 } END { print low, high }'
}

# raw CLIENTS ROUND SIDE NAME TPS LATENCY MEDIAN
raw() {
    printf '%s,%s,%s,%s,"%s",%s,%s,%s\n' "$case_name" "$@" >> "$work/raw.csv"
}

holds() {
    awk -v value="$1" -v op="${2%% *}" -v bound="${2##* }" \
        'BEGIN { exit !(op == ">=" ? value >= bound : value <= bound) }'
}

# 1 if the least and the greatest of the pairs lie on two sides of the target.
disagree() {
    local low high
    read -r low high < <(spread < "$work/pairs")
    if [ -z "$target" ] || { holds "$low" "$target" && holds "$high" "$target"; } ||
        { ! holds "$low" "$target" && ! holds "$high" "$target"; }; then
        echo 0
    else
        echo 1
    fi
}

# row CLIENTS UNIT A B VALUE LOW HIGH: one line of the table, judged against $target.
row() {
    local verdict=-
    if [ -n "$target" ]; then
        verdict=no
        ! holds "$5" "$target" || verdict=yes
    fi
    printf '    %s%s: %s %.3g (%.3g to %.3g)%s\n' "$title" "${1:+, clients $1}" "$judge" "$5" "$6" "$7" \
        "${target:+, target $target: $verdict}"
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$case_name" "$title" "$1" "$a_name" "$b_name" \
        "$2" "$3" "$4" "$judge" "$5" "$6" "$7" "$target" "$verdict" "$note" >> "$work/rows"
}

# One side of a round: value in the unit of the table, to $work/a or $work/b and raw.csv.
one_run() {
    local side=$1 count=$2 round=$3 name=$4 tps latency middle settings=$1_settings
    read -r tps latency middle < <(PGOPTIONS=${!settings} run_script "$work/$side.pgbench" "$count" -T $((seconds + 1)) || echo failed)
    [ "$tps" != failed ] || return 1
    raw "$count" "$round" "$side" "$name" "$tps" "$latency" "$middle"
    if [ "$metric" = latency ]; then
        echo "$middle"
    else
        awk -v tps="$tps" -v frames="$frames" 'BEGIN { printf "%.1f\n", tps * frames }'
    fi >> "$work/$side"
}

# After the rounds of this mode come some more as long as they disagree on the target.
alternate() {
    local count=$1 round unit low high
    : > "$work/a"
    : > "$work/b"
    : > "$work/pairs"
    sql CHECKPOINT
    for ((round = 1; round <= rounds || (round <= max_rounds && $(disagree)); round++)); do
        before "$round" "$count"
        one_run a "$count" "$round" "$a_name"
        one_run b "$count" "$round" "$b_name"
        paste "$work/a" "$work/b" | awk -v judge="$judge" \
            '{ printf "%.4f\n", judge == "ratio" ? $1 / $2 : $1 - $2 }' > "$work/pairs"
    done
    unit=tps
    [ "$frames" -eq 1 ] || unit=rows/s
    [ "$metric" != latency ] || unit=ms
    read -r low high < <(spread < "$work/pairs")
    row "$count" "$unit" "$(median < "$work/a")" "$(median < "$work/b")" "$(median < "$work/pairs")" "$low" "$high"
}

run_case() {
    case_name=$1
    title=$1 a_name=A b_name=B target='' clients=8 full_clients='' frames=1 metric=tps judge=ratio note=''
    a_settings='' b_settings=''
    declare -gA defined=()
    define payload "$payload"
    setup() { :; }
    before() { :; }
    after() { :; }
    unset -f a b measure
    . "$bench_dir/cases/$case_name.sh"
    new_database
    trap after EXIT
    setup
    sql 'VACUUM ANALYZE'
    if declare -F measure > /dev/null; then
        sql 'CHECKPOINT'
        measure
        return
    fi
    a > "$work/a.pgbench"
    b > "$work/b.pgbench"
    [ "$mode" = quick ] || clients=${full_clients:-$clients}
    local count
    for count in $clients; do
        alternate "$count"
    done
}
