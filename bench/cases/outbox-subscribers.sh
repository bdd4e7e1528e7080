# SPDX-License-Identifier: PostgreSQL
# A thousand events a second to a hundred subscribers, each of which acknowledges what it
# handled. The program fails where one of them lacks an event or has one twice.

title='commit to handler, 100 subscribers of one stream at 1,000 events/s'
target='<= 50'

measure() {
    local round p50 p99 count fetches rate low high
    : > "$work/a"
    : > "$work/b"
    for ((round = 1; round <= rounds; round++)); do
        [ "$round" -eq 1 ] || new_database
        read -r p50 p99 count fetches rate < <("$(program subscribers)" 100 10 1000 $((seconds * 3)))
        [ "$count" -eq $((100 * 1000 * seconds * 3)) ]
        echo "$p99" >> "$work/a"
        echo "$p50" >> "$work/b"
        raw 100 "$round" a "$a_name" "$rate" "$p99" "$p50"
        printf '    %s events handled by %s fetches, %s events/s\n' "$count" "$fetches" "$rate"
    done
    note="reached $rate events/s"
    a_name='99th percentile' b_name=median judge=value
    read -r low high < <(spread < "$work/a")
    row 100 ms "$(median < "$work/a")" "$(median < "$work/b")" "$(median < "$work/a")" "$low" "$high"
}
