#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: nothing runs when weir.so is loaded or unloaded
#
# A constructor of a static that fails takes the server down at load, and static
# destructors run in every process of the server, at its exit.
set -euo pipefail

[ -e weir.so ] || { echo "no weir.so: run make first"; exit 1; }
found=0
# The compiler's name for the function that constructs a file's statics.
if find src -name '*.o' -exec nm -A {} + | grep -E '_GLOBAL__sub_[ID]_|__cxa_atexit'; then found=1; fi
# One entry each is the C runtime's own (frame_dummy and its counterpart).
pointer=$(readelf -h weir.so | grep -q ELF64 && echo 8 || echo 4)
for array in init_array fini_array; do
    size=$(readelf -SW weir.so |
        sed -n "s/^ *\[ *[0-9]*\] *\.$array *[A-Z_]* *[0-9a-f]* *[0-9a-f]* *\([0-9a-f]*\).*/\1/p")
    if [ $((16#${size:-0})) -gt "$pointer" ]; then
        echo ".$array has $((16#$size / pointer)) entries"
        found=1
    fi
done
exit $found
