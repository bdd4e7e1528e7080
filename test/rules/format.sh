#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: C++ is as clang-format 19 lays it out
#
# The version is one that Debian 12 and 13 both have: another lays out some lines
# otherwise.
set -euo pipefail

command -v clang-format-19 >/dev/null || { echo "clang-format-19 is not installed"; exit 1; }
wrong=$(find src client test bench \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
    xargs -0 clang-format-19 --dry-run 2>&1)
[ -z "$wrong" ] || { echo "$wrong"; exit 1; }
