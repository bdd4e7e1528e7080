#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker finds a guard that guards nothing. weir is built so that the guard of a
# large append (src/log/range.hpp) stands before its rows instead of behind them, and
# the next mint goes on from there, into the range; the checker fails over that, and not
# over the same build without it.
set -euo pipefail
. "$(dirname "$0")/common.sh"

. "$(dirname "$0")/planting.sh"

checker_build
# A little wider, so that others mint while rows go in.
pause='s/(\n +)(insert_some\(t, r, first, r\.count - first)/$1pg_usleep(2000);$1$2/'
variant sound log/insert.cpp "$pause"
variant planted log/insert.cpp "$pause" \
    stream/tuple.cpp 's/return i == (rows\.count \? rows\.guard : rows\.tuples\[i\])/
        return rows.guard != nullptr \&\& i > 0
        ? rows.tuples[i - 1] : rows.guard == nullptr ? rows.tuples[i] : rows.guard/' \
    log/writer.cpp 's/remember\(key, last_id,/remember(key, out.first,/'
cluster_start planted
cluster_stop planted
for name in sound planted; do
    plant_use "$WEIR_TMP/$name"
    cluster_start planted
    cluster_use planted
    createdb $name
    psql -d $name -c 'CREATE EXTENSION weir'
    status=0
    "$checker" --conninfo dbname=$name --history "$WEIR_TMP/$name.history" --seconds 6 --transactions 200 \
        --streams 2 --writers 6 --readers 4 >"$WEIR_TMP/$name.log" 2>&1 || status=$?
    cluster_stop planted immediate
    if [ $name = sound ]; then is "a guard behind its rows passes" $status 0
    else
        check "one before them does not" \
            grep -qE '^not ok - .*(every committed frame reached|a position at or below|delivered twice)' \
            "$WEIR_TMP/$name.log"
    fi
    grep '^not ok' "$WEIR_TMP/$name.log" | sed 's/^/# /' || true
done
finish
