#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: no folder of src includes one that is above it, and every folder has its place
#
# The list is the order: each folder uses its own files and those of the folders before it. What two of
# them need is a thing below both; what a folder below has to be told is registered with it from above.
# module.cpp, above all, knows everybody.
set -euo pipefail

order=(core pg log position merge name worker doorbell stream outbox lease trigger kv)

declare -A place
for i in "${!order[@]}"; do place[${order[$i]}]=$i; done

found=0
while IFS=: read -r file line text; do
    [[ $text =~ \"([a-z_]+)/[^\"]*\" ]] || continue
    to=${BASH_REMATCH[1]} from=${file#src/}
    from=${from%%/*}
    [ "$from" != module.cpp ] || continue
    if [ -z "${place[$from]:-}" ]; then
        echo "$file: the folder $from has no place in the order (test/rules/layers.sh)"
        found=1
    elif [ -n "${place[$to]:-}" ] && [ "${place[$to]}" -gt "${place[$from]}" ]; then
        echo "$file:$line: $from includes $to, which is above it"
        found=1
    fi
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[a-z_]+/' src --include='*.cpp' --include='*.hpp' |
    grep -v '^src/pg/pg\.hpp:')
exit $found
