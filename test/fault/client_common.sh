# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# What the client's tests share: building them, with the address and undefined
# behaviour sanitizers (WEIR_CLIENT_TSAN=1: the thread sanitizer), and running those of a
# tag. To be sourced; build/client is kept from one to the next.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

client_build=${WEIR_CLIENT_BUILD:-$WEIR_ROOT/build/client${WEIR_CLIENT_TSAN:+-tsan}}

# client_make TARGET…
client_make() {
    local options=(-DWEIR_SANITIZE=ON)
    [ -z "${WEIR_CLIENT_TSAN:-}" ] || options=(-DWEIR_SANITIZE_THREAD=ON)
    mkdir -p "$WEIR_ROOT/build"
    # Two tests may come here at once.
    (
        flock 9
        # -O1: with sanitizers and Catch2's macros, optimising takes longer than all the tests.
        { cmake -S "$WEIR_ROOT" -B "$client_build" -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -g1" -DWEIR_CLIENT_TESTS=ON \
            -DWEIR_WERROR=ON "${options[@]}" &&
            cmake --build "$client_build" "$(jobs_flag)" --target "$@"; } >"$WEIR_TMP/cmake.log" 2>&1
    ) 9>"$WEIR_ROOT/build/.client.lock" || { tail -n 40 "$WEIR_TMP/cmake.log"; die "the client does not build"; }
}

# client_tests CLUSTER TAGS: one line for each test case. Where WEIR_CLIENT_ONLY names some, these and nothing else.
client_tests() {
    WEIR_TEST_CONTROL="$WEIR_ROOT/test/client/control.sh $1" catch_tests weir_client_test "" "$2"
}
# catch_tests PROGRAM FOLDER TAGS
catch_tests() {
    local program=$client_build/test/client/$2$1 tags=${WEIR_CLIENT_ONLY:-$3} log=$WEIR_TMP/client-tests.log status=0 line
    client_make "$1"
    fixed_addresses "$program" -d yes "$tags" >"$log" 2>&1 || status=$?
    # Catch2 names a test with its time once it has ended, and a failed one in a paragraph of its own.
    while IFS= read -r line; do
        [[ $line =~ ^[0-9.]+\ s:\ (.*)$ ]] || continue
        if grep -qFx -- "${BASH_REMATCH[1]}" "$log"; then not_ok "${BASH_REMATCH[1]}"; else ok "${BASH_REMATCH[1]}"; fi
    done <"$log"
    [ $status = 0 ] || { [ "$not_ok_lines" -gt 0 ] || not_ok "tests $tags (exit status $status)"; tail -n 200 "$log" | sed 's/^/# /'; }
    [ -z "${WEIR_CLIENT_ONLY:-}" ] || finish
}

# Before clang 17 and gcc 14 the sanitizers cannot start where the kernel spreads addresses widely.
fixed_addresses() {
    if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}
