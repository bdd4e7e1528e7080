#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: an installed client is found by find_package and by pkg-config, staged or
# moved to where it was not made for, static and shared; its headers stand alone, and
# need nothing of libpq's.
set -euo pipefail
. "$(dirname "$0")/client_common.sh"

consumer=$WEIR_ROOT/test/client/consumer
cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'

# logged COMMAND…
logged() { "$@" >"$WEIR_TMP/build.log" 2>&1 || { tail -n 30 "$WEIR_TMP/build.log" | sed 's/^/# /'; return 1; }; }
installed() {
    logged cmake -S "$WEIR_ROOT" -B "$WEIR_TMP/build-$1" -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX=/opt/weir -DWEIR_COMMAND=OFF "${@:2}" &&
        logged cmake --build "$WEIR_TMP/build-$1" "$(jobs_flag)" --target weir_client &&
        logged env DESTDIR="$WEIR_TMP/stage-$1" cmake --install "$WEIR_TMP/build-$1" &&
        mv "$WEIR_TMP/stage-$1/opt/weir" "$WEIR_TMP/moved-$1"
}
by_cmake() {
    logged cmake -S "$consumer" -B "$WEIR_TMP/cmake-$1" -DCMAKE_PREFIX_PATH="$WEIR_TMP/moved-$1" &&
        logged cmake --build "$WEIR_TMP/cmake-$1" && [ "$("$WEIR_TMP/cmake-$1/consumer")" = hello ]
}
by_pkg_config() {
    local flags
    flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$WEIR_TMP/moved-$1" -name weir.pc)") pkg-config --cflags --libs weir) ||
        return
    # shellcheck disable=SC2086
    logged g++ -std=c++20 "$consumer/main.cpp" -o "$WEIR_TMP/pc-$1" $flags &&
        [ "$(LD_LIBRARY_PATH=$(dirname "$(find "$WEIR_TMP/moved-$1" -name 'libweir_client.*' -print -quit)") "$WEIR_TMP/pc-$1")" = hello ]
}

for kind in static shared; do
    check "$kind: built and installed" installed $kind -DBUILD_SHARED_LIBS="$([ $kind = shared ] && echo ON || echo OFF)"
    check "$kind: find_package" by_cmake $kind
    check "$kind: pkg-config" by_pkg_config $kind
done
is "nothing else is installed" "$(cd "$WEIR_TMP/moved-static" && find . -type f | grep -vE '^./include/weir/[a-z_]+\.hpp$|/weir[A-Za-z-]*\.cmake$|/FindLibPQ\.cmake$|/weir\.pc$|/libweir_client\.a$')" ''
is "what the shared library shows is the library's" \
    "$(nm -DC --defined-only "$(find "$WEIR_TMP/moved-shared" -name 'libweir_client.so')" | cut -d' ' -f3- | grep -vE '^(typeinfo( name)? for |vtable for |VTT for |non-virtual thunk to )?weir::v0::|std::|operator' | head -n 5)" ''

alone=0
for header in "$WEIR_TMP"/moved-static/include/weir/*.hpp; do
    printf '#include "%s"\n' "weir/${header##*/}" | logged g++ -std=c++20 -fsyntax-only -Wall -Wextra -Werror \
        -I"$WEIR_TMP/moved-static/include" -x c++ - || { note "${header##*/}"; alone=1; }
done
is "each header stands alone" $alone 0
finish
