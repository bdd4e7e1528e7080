#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: weir.so exports the module magic, _PG_init and weir_* functions alone
#
# The server loads it with RTLD_GLOBAL: any other symbol could take the place of
# another extension's, or be replaced by it (src/exports.map).
set -euo pipefail

[ -e weir.so ] || { echo "no weir.so: run make first"; exit 1; }
! nm -D --defined-only weir.so | grep -Ev ' (Pg_magic_func|_PG_init|(pg_finfo_)?weir_[a-z0-9_]+)$'
