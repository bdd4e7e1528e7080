# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# For tests of weir with something planted in its source: a fault that has to be found, or
# a pause that makes a race. To be sourced after common.sh; makes a private server of its
# own, since its library changes.
#
#   plant_copy DIR             a copy of the source; objects that are there need not be built again. Or of
#                              WEIR_PLANTED: a test run by another, which has to find what that one planted
#   plant FILE PERL…           edits FILE; fails where one of the edits changes nothing
#   plant_build DIR            builds DIR/weir.so
#   variant NAME [FILE PERL]…  all of it: weir with these edits of src/FILE, in $WEIR_TMP/NAME
#   plant_use DIR              lets the server load that one, from its next start or session on

private_server "$WEIR_TMP/tree"
chmod 755 "$WEIR_TMP" "$WEIR_TMP/tree"
rm -f "$WEIR_LIBDIR/weir.so" "$WEIR_SHAREDIR"/extension/weir{.control,--*.sql}
install -m 644 "$WEIR_ROOT/extension/weir.control" "$WEIR_ROOT"/sql/weir--*.sql "$WEIR_SHAREDIR/extension/"

plant_copy() {
    mkdir "$1"
    local from=${WEIR_PLANTED:-$WEIR_ROOT}
    cp -a "$from"/{Makefile,src,sql,extension} "$1/"
    [ ! -e "$from/.flags" ] || cp -a "$from/.flags" "$1/"
}

plant() {
    local file=$1 perl before
    before=$(mktemp "$WEIR_TMP/before.XXXXXX")
    for perl in "${@:2}"; do
        cp "$file" "$before"
        perl -0pi -e "$perl" "$file"
        ! cmp -s "$file" "$before" || die "nothing to plant in ${file#"$WEIR_TMP"/}: $perl"
    done
    rm -f "$before"
}

plant_build() {
    make -s -C "$1" PG_CONFIG="$PG_CONFIG" weir.so >"$1/build.log" 2>&1 ||
        { tail -n 20 "$1/build.log"; die "$1 does not build"; }
}

variant() {
    local dir=$WEIR_TMP/$1
    plant_copy "$dir"
    shift
    while [ $# -gt 0 ]; do
        plant "$dir/src/$1" "$2"
        shift 2
    done
    plant_build "$dir"
}

plant_use() { ln -sf "$1/weir.so" "$WEIR_LIBDIR/weir.so"; }

# finds NAME TEST CLAIM…: TEST, run on weir as it is in NAME, fails on one of the claims, or on what begins so. By itself
# it passes: it is a test of its own.
finds() {
    local name=$1 test=$2 log=$WEIR_TMP/$1.log planted=$WEIR_TMP/$1 run=$WEIR_TMP/run-$1 claim
    shift 2
    plant_use "$planted"
    mkdir "$run"
    own_by_server "$run"
    WEIR_PLANTED=$planted WEIR_TMP=$run "$WEIR_ROOT/test/fault/$test.sh" >"$log" 2>&1 || true
    stop_servers "$run"
    for claim in "$@"; do
        ! grep -qF "not ok - $claim" "$log" || { ok "$name: $test fails on \"$claim\""; return; }
    done
    not_ok "$name: $test fails on \"$1\""
    tail -n 40 "$log" | sed 's/^/# /'
}
