#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: the table of errors in the README has every SQLSTATE that is raised, and no other
#
# Raised are those of the sources, and those that the comment of a call says. PostgreSQL's own names are
# turned into SQLSTATEs by its header; what a call only passes on (25006 of a standby) is not looked for.
set -euo pipefail

header=$("$PG_CONFIG" --includedir-server)/utils/errcodes.h
[ -e "$header" ] || { echo "$header is not installed"; exit 1; }
passed_on='25006|0A000|53200|XX000'

listed=$(sed -n '/^## Errors/,/^## /p' README.md | sed -n 's/^|\([^|]*\)|.*/\1/p' |
    grep -oE '`[0-9A-Z]{5}`' | tr -d '`' | sort)
own=$(grep -rhoE "MAKE_SQLSTATE\('.', '.', '.', '.', '.'\)" src --include='*.[ch]pp' |
    sed 's/^MAKE_SQLSTATE//' | tr -cd 'A-Z0-9\n')
named=$(grep -rhoE '\b(errcode\(|return |misused\()ERRCODE_[A-Z_0-9]+' src --include='*.[ch]pp' |
    grep -oE 'ERRCODE_[A-Z_0-9]+' | sort -u)
raised=$({
    echo "$own"
    for name in $named; do
        sed -n "s/^#define $name MAKE_SQLSTATE(\(.*\))\$/\1/p" "$header" | tr -cd 'A-Z0-9\n'
    done
    # Of comments: "Errors: WR002 already exists, 22004, …".
    cat sql/*.sql | grep -v '^--' | tr -d "\n'" | grep -oE 'Errors: [^;]*' |
        grep -oE '\b(WR|[0-5][0-9A-Z])[0-9A-Z]{3}\b' | grep '[0-9]'
} | sort -u)

found=0
say() { while read -r code; do [ -z "$code" ] || { echo "$code $1"; found=1; }; done; }
say "is listed twice" < <(uniq -d <<<"$listed")
say "is raised and not in the table of errors of the README" \
    < <(comm -13 <(uniq <<<"$listed") <(grep -vE "^($passed_on)$" <<<"$raised"))
say "is in the table of errors of the README and never raised" < <(comm -23 <(uniq <<<"$listed") <(echo "$raised"))
for name in $(grep -oE 'int errcode_[a-z_]+' src/pg/error.hpp | cut -d' ' -f2); do
    [ "$(grep -rhow "$name" src --include='*.[ch]pp' | wc -l)" -gt 1 ] || { echo "$name is never raised"; found=1; }
    grep -qw "${name#errcode_}" client/include/weir/result.hpp || { echo "$name is no refusal of the client"; found=1; }
done
exit $found
