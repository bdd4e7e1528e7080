#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: no line of the sources, the scripts and the guides is over 120 characters
#
# In Markdown, a row of a table and a comment are a line each. The reference is generated, and versions that came out
# stay as they were.
set -euo pipefail

mapfile -t files < <(find . -maxdepth 1 \( -name Makefile -o -name CMakeLists.txt -o -name '*.md' \)
    find src client sql scripts docs test/rules -type f \
        \( -name '*.[ch]pp' -o -name '*.sql' -o -name '*.sh' -o -name '*.md' -o -name '*.cmake' \
           -o -name CMakeLists.txt -o -path 'scripts/*' \) \
        ! -path docs/reference.md ! -name 'weir--*' 2>/dev/null | sort)
perl -CSD -ne '
    chomp;
    if (length > 120 && !/^(\||<!--)/) { print "$ARGV:$.: ", length, " characters\n"; $bad = 1 }
    close ARGV if eof;
    END { exit $bad // 0 }' "${files[@]}"
