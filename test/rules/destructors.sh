#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: no local or temporary of the shell has a destructor that does anything
#
# An ereport() would skip it. clang-query reads the shell's files with the flags
# of the Makefile and prints each variable, and each temporary, of a type whose
# destructor is written out, in itself, a base or a member (two levels down).
#
#   destructors.sh [file…]     by default all of the shell
set -euo pipefail

query=$(compgen -c clang-query | sort -V | tail -n 1)
[ -n "$query" ] || { echo "clang-query is not installed"; exit 1; }

files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find src -name '*.cpp' ! -path 'src/core/*' | sort)
read -ra flags < <(make -s print-shell-flags)

# The server's headers are most of each file: they are parsed once.
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT
"clang++${query#clang-query}" "${flags[@]}" -x c++-header src/pg/pg.hpp -o "$headers"

written='hasMethod(cxxDestructorDecl(unless(isImplicit()), unless(isDefaulted())))'
own="anyOf($written, isDerivedFrom(cxxRecordDecl($written)))"
has_own="hasType(hasUnqualifiedDesugaredType(anyOf(
    recordType(hasDeclaration(cxxRecordDecl(OWN))),
    arrayType(hasElementType(hasUnqualifiedDesugaredType(recordType(hasDeclaration(cxxRecordDecl(OWN)))))))))"
member="has(fieldDecl(${has_own//OWN/$own}))"
deeper="has(fieldDecl(${has_own//OWN/anyOf($own, $member)}))"
type=${has_own//OWN/anyOf($own, $member, $deeper)}
here='isExpansionInFileMatching("(^|/)src/[a-z]+/[a-z_]+.[ch]pp$"), unless(isExpansionInFileMatching("(^|/)src/core/"))'

out=$("$query" \
    -c "set output diag" \
    -c "match varDecl(hasAutomaticStorageDuration(), $here, ${type//$'\n'/ })" \
    -c "match cxxBindTemporaryExpr($here)" \
    "${files[@]}" -- -include-pch "$headers" "${flags[@]}" 2>&1) || { echo "$out" | tail -n 20; exit 1; }
if grep -q 'error:' <<<"$out"; then grep -A 3 'error:' <<<"$out" | head -n 40; exit 1; fi
# Two queries, each of which must have come back.
[ "$(grep -c '^[0-9]* match' <<<"$out")" = 2 ] || { echo "$out" | tail -n 20; exit 1; }
if grep -q 'binds here' <<<"$out"; then grep -A 2 'binds here' <<<"$out"; exit 1; fi
