#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the checker finds a guard that guards nothing. weir is built so that the guard of a
# large append (src/log/range.hpp) stands before its rows instead of behind them, and
# the next mint goes on from there, into the range; the checker fails over that, and not
# over the same build without it.
set -euo pipefail
. "$(dirname "$0")/common.sh"

tree=$WEIR_TMP/tree
private_server "$tree"
chmod 755 "$WEIR_TMP" "$tree"
checker_build
install -m 644 "$WEIR_ROOT/extension/weir.control" "$WEIR_ROOT"/sql/weir--*.sql "$WEIR_SHAREDIR/extension/"
# variant NAME [FILE PERL]…
variant() {
    local dir=$WEIR_TMP/$1
    mkdir "$dir"
    cp -a "$WEIR_ROOT"/{Makefile,src,sql,extension} "$dir/"
    [ ! -e "$WEIR_ROOT/.flags" ] || cp -a "$WEIR_ROOT/.flags" "$dir/"
    shift
    while [ $# -gt 0 ]; do
        cp "$dir/src/$1" "$WEIR_TMP/before"
        perl -0pi -e "$2" "$dir/src/$1"
        ! cmp -s "$dir/src/$1" "$WEIR_TMP/before" || die "nothing to plant in $1: $2"
        shift 2
    done
    make -s -C "$dir" PG_CONFIG="$PG_CONFIG" weir.so >"$dir/build.log" 2>&1 ||
        { tail -n 20 "$dir/build.log"; die "$dir does not build"; }
}
# A little wider, so that others mint while rows go in.
pause='s/(\n +)(insert_some\(t, r, first, r\.count - first)/$1pg_usleep(2000);$1$2/'
variant sound log/insert.cpp "$pause"
variant planted log/insert.cpp "$pause" \
    stream/writer.cpp 's/return i == (rows\.count \? rows\.guard : rows\.tuples\[i\])/
        return rows.guard != nullptr \&\& i > 0
        ? rows.tuples[i - 1] : rows.guard == nullptr ? rows.tuples[i] : rows.guard/' \
    stream/writer.cpp 's/log::remember\(stream_id, last_id,/log::remember(stream_id, taken.first_id,/'
cluster_start planted
cluster_stop planted
for name in sound planted; do
    rm -f "$WEIR_LIBDIR/weir.so"
    ln -s "$WEIR_TMP/$name/weir.so" "$WEIR_LIBDIR/weir.so"
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
