# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# For tests of weir with something planted in its source: a fault that has to be found, or
# a pause that makes a race. To be sourced after common.sh; makes a private server of its
# own, since its library changes.
#
#   plant_copy DIR             a copy of the source; objects that are there need not be built again
#   plant FILE PERL…           edits FILE; fails where one of the edits changes nothing
#   plant_build DIR            builds DIR/weir.so
#   plant_use DIR              lets the server load that one, from its next start or session on

private_server "$WEIR_TMP/tree"
chmod 755 "$WEIR_TMP" "$WEIR_TMP/tree"
rm -f "$WEIR_LIBDIR/weir.so" "$WEIR_SHAREDIR"/extension/weir{.control,--*.sql}
install -m 644 "$WEIR_ROOT/extension/weir.control" "$WEIR_ROOT"/sql/weir--*.sql "$WEIR_SHAREDIR/extension/"

plant_copy() {
    mkdir "$1"
    cp -a "$WEIR_ROOT"/{Makefile,src,sql,extension} "$1/"
    [ ! -e "$WEIR_ROOT/.flags" ] || cp -a "$WEIR_ROOT/.flags" "$1/"
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

plant_use() { ln -sf "$1/weir.so" "$WEIR_LIBDIR/weir.so"; }
