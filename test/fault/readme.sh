#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: every SQL block of README.md and of the guides in docs/ runs as it stands, in
# order, in one session and one new database a document.
# <!-- fresh --> before a block: from here on in a new database.
# <!-- skip --> before a block: it is for reading only.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start readme
cluster_use readme

# run_blocks DOCUMENT
run_blocks() {
    local name=${1##*/} blocks status=0 at
    local script=$WEIR_TMP/$name.sql log=$WEIR_TMP/$name.log
    # One script of all blocks. psql says on stdout where each begins.
    awk -v name="${name%.md}" '
        /^<!-- *(fresh|skip) *-->/ { mark = $0; next }
        /^```sql *$/ {
            inside = 1; skip = mark ~ /skip/
            if (mark ~ /fresh/) printf "CREATE DATABASE \"%s %d\";\n\\connect \"%s %d\"\n", name, NR, name, NR
            if (!skip) printf "\\echo block %d\n", NR + 1
            mark = ""; next
        }
        /^```/ && inside { inside = skip = 0; print ";"; next }
        inside && !skip { print; next }
        !inside && NF { mark = "" }
    ' "$1" >"$script"
    blocks=$(grep -c '^\\echo block' "$script" || true)
    [ "$blocks" -gt 0 ] || return 0
    createdb "${name%.md}"
    (cd "$WEIR_TMP" && "$PGBIN/psql" -X -v ON_ERROR_STOP=1 -d "${name%.md}" -f "$script") >"$log" 2>&1 || status=$?
    at=$(sed -n 's/^block \([0-9]*\)$/\1/p' "$log" | tail -n 1)
    if [ $status = 0 ]; then
        ok "$name: all $blocks blocks run"
    else
        not_ok "$name: the block at line $at fails"
        tail -n 5 "$log" | sed 's/^/# /'
    fi
}

if [ $# -gt 0 ]; then
    for document in "$@"; do run_blocks "$document"; done
else
    check "README.md has blocks to run" grep -q '^```sql *$' "$WEIR_ROOT/README.md"
    for document in "$WEIR_ROOT"/README.md "$WEIR_ROOT"/docs/*.md; do run_blocks "$document"; done
fi
finish
