# SPDX-License-Identifier: PostgreSQL
# Turns $work/rows into the Markdown table and the plot. Sourced by run.
#
# Columns of rows, tab-separated: case title clients a_name b_name unit a b judge
# value low high target verdict note.

report_table() {
    printf '# Benchmarks\n\n'
    printf 'Ratios are A / B, each taken from two neighbouring runs; shown are their median, least and\n'
    printf 'greatest. A and B are medians of their runs. The control row is one statement against itself: its\n'
    printf 'spread is the noise of this machine.\n\n'
    printf '| case | clients | A | B | A: %s | B | result | min to max | target | met |\n' 'median'
    printf '|---|---|---|---|---|---|---|---|---|---|\n'
    awk -F'\t' '
        function number(v, unit) {
            if (v == "") return ""
            if (unit == "ms") return sprintf("%.3f ms", v)
            if (unit == "rows" || v >= 100) { v = sprintf("%.0f", v); while (match(v, /[0-9][0-9][0-9][0-9]($|,)/)) v = substr(v, 1, RSTART) "," substr(v, RSTART + 1) }
            return v " " unit
        }
        function ratio(v, judge, unit) {
            if (judge == "value") return unit == "ms" ? sprintf("%.3f ms", v) : number(v, unit)
            return judge == "difference" ? sprintf("%+.3f ms", v) : sprintf(v >= 10 ? "%.1f" : "%.2f", v)
        }
        {
            sign = $13; sub(/>=/, "≥", sign); sub(/<=/, "≤", sign)
            if ($9 != "ratio" && sign != "") sign = sign " " $6
            printf "| %s | %s | %s | %s | %s | %s | %s | %s to %s | %s | %s |\n", $2, $3, $4, $5,
                number($7, $6), number($8, $6), ratio($10, $9, $6), ratio($11, $9, $6), ratio($12, $9, $6), sign,
                $14 == "no" ? "**no**" : $14
            if ($15 != "") notes[$2] = $15
            if (!($2 in seen)) { seen[$2] = ++count; order[count] = $2 }
        }
        $14 == "yes" { met++ }
        $14 != "-" { targets++ }
        END {
            printf "\n%d of %d targets met.\n", met, targets
            for (i = 1; i <= count; i++)
                if (order[i] in notes) { if (!shown++) print ""; printf "- %s: %s\n", order[i], notes[order[i]] }
        }' "$work/rows"
    printf '\n## Machine\n\n'
    cat "$work/machine.md"
}

# One line a comparison, median with its spread, on a logarithmic axis; a tick is the target.
report_plot() {
    awk -F'\t' '$9 == "ratio" {
            clients = $3 == 1 ? ", 1 client" : ", " $3 " clients"
            bound = substr($13, 4)
            print ++n "\t" $2 clients "\t" $10 "\t" $11 "\t" $12 "\t" \
                (bound == "" ? "NaN" : bound) "\t" ($14 == "no") "\t" ($13 ~ /^>=/ ? 1 : $13 ~ /^<=/ ? 2 : 0)
        }' "$work/rows" > "$work/plot.tsv"
    [ -s "$work/plot.tsv" ] || return 0
    gnuplot -e "data='$work/plot.tsv'; out='$1'" "$bench_dir/lib/results.gp"
}
