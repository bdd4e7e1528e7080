#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: no call is forgotten: docs/calls.md has every call and view that people make, and no other, and what it names
# of the client library and of the command is there.
. "$(dirname "$0")/common.sh"

cluster_start calls
cluster_use calls
psql -c 'CREATE EXTENSION weir' >/dev/null
table=$WEIR_ROOT/docs/calls.md

# What the n-th column has in backquotes.
column() { sed -n "s/^| *[^|]*/&/p" "$table" | tail -n +3 | awk -F'|' -v n="$1" '{ print $(n + 1) }' | grep -oE '`[^`]*`' | tr -d '`'; }

there() {
    value <<'SQL'
SELECT DISTINCT v.name FROM weir.privilege v
JOIN (SELECT proname AS name, obj_description(p.oid, 'pg_proc') AS comment FROM pg_proc p
      WHERE pronamespace = 'weir'::regnamespace AND proname NOT LIKE 'position%'
          AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend))
      UNION ALL
      SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
      WHERE relnamespace = 'weir'::regnamespace AND relkind = 'v') o USING (name)
WHERE comment NOT LIKE 'Internal.%' AND name <> 'to_position' ORDER BY 1;
SQL
}

check "calls are looked at" test "$(there | wc -l)" -gt 60
is "calls of the catalogue that are not in docs/calls.md" \
    "$(comm -23 <(there | sort) <(column 1 | sed 's/^CALL //' | sort -u))" ''
is "calls of docs/calls.md that are not in the catalogue" \
    "$(comm -13 <(there | sort) <(column 1 | sed 's/^CALL //' | sort -u))" ''
is "each is there once" "$(column 1 | sort | uniq -d)" ''
for name in $(column 2 | sort -u); do
    word=${name##*::}
    word=${word%()}
    grep -qrE "\b${word}[(; ]" "$WEIR_ROOT/client/include/weir" || not_ok "docs/calls.md: $name is not in the library"
    [[ $name != *::* ]] || [ -e "$WEIR_ROOT/client/include/weir/${name%%::*}.hpp" ] || not_ok "docs/calls.md: $name is of no header"
done
while read -r _ verb options; do
    file=$(grep -lE "all\.line, \"$verb\"," "$WEIR_ROOT"/client/cli/verbs/*.cpp) || { not_ok "docs/calls.md: there is no weir $verb"; continue; }
    for option in $options; do
        [ "$option" = --help ] || grep -qE "[\",]$option\"" "$file" "$WEIR_ROOT/client/cli/verbs/pipe.cpp" ||
            not_ok "docs/calls.md: weir $verb has no $option"
    done
done < <(column 3 | sort -u)
finish
