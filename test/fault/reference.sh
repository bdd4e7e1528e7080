#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: docs/reference.md says what the comments of the installed functions say.
set -euo pipefail
. "$(dirname "$0")/common.sh"

"$WEIR_ROOT/scripts/reference" >"$WEIR_TMP/reference.md"
if diff -u "$WEIR_ROOT/docs/reference.md" "$WEIR_TMP/reference.md" | sed 's/^/# /'; then
    ok "docs/reference.md is up to date"
else
    not_ok "docs/reference.md is out of date: run scripts/reference > docs/reference.md"
fi
finish
