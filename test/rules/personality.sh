#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: shell objects have no landing pads
#
# An ereport() leaves a shell function by longjmp, which skips destructors. An
# object that refers to the C++ personality routine has code that counts on them.
set -euo pipefail

mapfile -t objects < <(find src -name '*.o' ! -path 'src/core/*' | sort)
[ ${#objects[@]} -gt 0 ] || { echo "no objects: run make first"; exit 1; }
! nm -A "${objects[@]}" | grep __gxx_personality_v0
