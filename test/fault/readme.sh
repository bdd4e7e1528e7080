#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: every SQL block of README.md and of the guides in docs/ runs as it stands, in
# order, in one session and one new database a document, and what a document says of the outcome holds.
# <!-- fresh --> before a block: from here on in a new database.
# <!-- skip --> before a block: it is for reading only.
# <!-- session 2 --> before a block: in another session, while the first one stays as it is.
# <!-- holds: CONDITION --> behind a block: is then true, in the first session.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start readme
cluster_use readme

# run_blocks DOCUMENT
run_blocks() {
    local name=${1##*/} blocks status=0 at
    local script=$WEIR_TMP/$name.sql log=$WEIR_TMP/$name.log failed=$WEIR_TMP/$name.failed
    : >"$script"
    # One script of all blocks. psql says on stdout where each begins.
    # A block of the second session is a script of its own, run by psql on the way.
    awk -v name="${name%.md}" -v script="$script" -v failed="$failed" -v psql="$PGBIN/psql -X -q -v ON_ERROR_STOP=1" '
        BEGIN { database = name }
        /^<!-- *(fresh|skip|session 2) *-->/ { mark = $0; next }
        /^<!-- *holds: .*-->/ {
            sub(/^<!-- *holds: */, ""); sub(/ *-->$/, "")
            printf "\\echo block %d\nDO $holds$ BEGIN ASSERT (%s); END $holds$;\n", NR, $0 >script
            next
        }
        /^```sql *$/ {
            inside = 1; skip = mark ~ /skip/; to = script
            if (mark ~ /fresh/) {
                database = name " " NR
                printf "CREATE DATABASE \"%s\";\n\\connect \"%s\"\n", database, database >script
            }
            if (!skip) printf "\\echo block %d\n", NR + 1 >script
            if (mark ~ /session 2/) {
                to = script "." NR
                printf "\\! %s -d \"%s\" -f \"%s\" || echo %d >\"%s\"\n", psql, database, to, NR + 1,
                    failed >script
            }
            mark = ""; next
        }
        /^```/ && inside { inside = skip = 0; print ";" >to; if (to != script) close(to); next }
        inside && !skip { print >to; next }
        !inside && NF { mark = "" }
    ' "$1"
    blocks=$(grep -c '^\\echo block' "$script" || true)
    [ "$blocks" -gt 0 ] || return 0
    createdb "${name%.md}"
    (cd "$WEIR_TMP" && "$PGBIN/psql" -X -v ON_ERROR_STOP=1 -d "${name%.md}" -f "$script") >"$log" 2>&1 || status=$?
    at=$(sed -n 's/^block \([0-9]*\)$/\1/p' "$log" | tail -n 1)
    if [ -s "$failed" ]; then at=$(<"$failed") status=1; fi
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
