#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: every SQL block of README.md runs as it stands, in order, in one session.
# <!-- fresh --> before a block: from here on in a new database.
# <!-- skip --> before a block: it is for reading only.
set -euo pipefail
. "$(dirname "$0")/common.sh"

readme=${1:-$WEIR_ROOT/README.md}
cluster_start readme
cluster_use readme

# One script of all blocks. psql says on stdout where each begins.
awk '
    /^<!-- *(fresh|skip) *-->/ { mark = $0; next }
    /^```sql *$/ {
        inside = 1; skip = mark ~ /skip/
        if (mark ~ /fresh/) printf "CREATE DATABASE readme%d;\n\\connect readme%d\n", NR, NR
        if (!skip) printf "\\echo block %d\n", NR + 1
        mark = ""; next
    }
    /^```/ && inside { inside = skip = 0; print ";"; next }
    inside && !skip { print; next }
    !inside && NF { mark = "" }
' "$readme" >"$WEIR_TMP/readme.sql"

blocks=$(grep -c '^\\echo block' "$WEIR_TMP/readme.sql" || true)
check "there are blocks to run ($blocks)" [ "$blocks" -gt 0 ]
createdb readme
status=0
(cd "$WEIR_TMP" && "$PGBIN/psql" -X -v ON_ERROR_STOP=1 -d readme -f "$WEIR_TMP/readme.sql") >"$WEIR_TMP/readme.log" 2>&1 || status=$?
at=$(sed -n 's/^block \([0-9]*\)$/\1/p' "$WEIR_TMP/readme.log" | tail -n 1)
if [ $status = 0 ]; then
    ok "all blocks run"
else
    not_ok "the block at line $at of README.md fails"
    tail -n 5 "$WEIR_TMP/readme.log" | sed 's/^/# /'
fi
finish
