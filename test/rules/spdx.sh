#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: every source file names its licence within the first three lines
set -euo pipefail

found=0
while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: PostgreSQL' || { echo "$file"; found=1; }
done < <(find Makefile CMakeLists.txt cmake src client sql scripts test bench .ci -type f \
    \( -name '*.[ch]pp' -o -name '*.sh' -o -name '*.sql' -o -name '*.map' -o -name '*.spec' -o -name '*.cmake' \
       -o -name Makefile -o -name CMakeLists.txt -o -path 'scripts/*' -o -path 'test/rules/*' -o -path '.ci/*' \
       -o -path bench/run \) \
    ! -name 'weir--*--*.sql' ! -path 'sql/weir--*' ! -path '*/results/*' ! -path '*/corpus/*' 2>/dev/null | sort)
exit $found
