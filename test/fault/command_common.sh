# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# What the tests of the weir command share. To be sourced. The command is built with the sanitizers, beside the client's
# tests; WEIR_COMMAND names one that is there already.

. "$(dirname "${BASH_SOURCE[0]}")/client_common.sh"

command_make() {
    local made=${WEIR_COMMAND:-$client_build/client/cli/weir} first=
    [ -n "${WEIR_COMMAND:-}" ] || client_make weir_command weir_completions weir_command_test
    ! setarch -R true 2>/dev/null || first='setarch -R '
    mkdir -p "$WEIR_TMP/bin"
    printf '#!/bin/sh\nexec %s%s "$@"\n' "$first" "$made" >"$WEIR_TMP/bin/weir"
    chmod +x "$WEIR_TMP/bin/weir"
    PATH=$WEIR_TMP/bin:$PATH
    # A sanitizer's report has a status that nothing else has.
    export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99
}

# Runs a command; its status, output and messages go to $status, $out and $err. Nothing of it comes through a terminal.
run() {
    status=0
    "$@" >"$WEIR_TMP/out" 2>"$WEIR_TMP/err" </dev/null || status=$?
    out=$(<"$WEIR_TMP/out") err=$(<"$WEIR_TMP/err")
}

# fails CLAIM STATUS MESSAGE COMMAND…: the status, and a part of the message.
fails() {
    local claim=$1 wanted=$2 message=$3
    shift 3
    run "$@"
    if [ "$status" = "$wanted" ] && [[ $err == *"$message"* ]]; then ok "$claim"; else
        not_ok "$claim"
        note "status $status, wanted $wanted; wanted \"$message\", got:"
        sed 's/^/# /' "$WEIR_TMP/err"
    fi
}

# contains CLAIM TEXT PART
contains() {
    if [[ $2 == *"$3"* ]]; then ok "$1"; else not_ok "$1"; note "in: $2"; note "wanted: $3"; fi
}

# A bare chroot may have no pseudo-terminals.
has_terminals() {
    script -qec true /dev/null >/dev/null 2>&1 </dev/null || { note "no pseudo-terminal can be had: what one shows is not looked at"; false; }
}

# In a terminal of its own, 100 by 30. What was on the screen is in $out.
in_terminal() {
    status=0
    script -qec "stty cols 100 rows 30; $*" /dev/null >"$WEIR_TMP/out" 2>&1 </dev/null || status=$?
    out=$(<"$WEIR_TMP/out")
}

# Where they differ, what stands there: - in the first, + in the second one.
same_bytes() {
    cp "$1" "$WEIR_TMP/first" && cp "$2" "$WEIR_TMP/second"
    cmp "$WEIR_TMP/first" "$WEIR_TMP/second" || {
        diff --text -u0 "$WEIR_TMP/first" "$WEIR_TMP/second" | tail -n +3 | cut -c 1-200 | head -n 20 | cat -v
        false
    }
}
# How many frames a stream has.
frames() { value -c "SELECT coalesce(sum(frames), 0) FROM weir.stream_info('$1')"; }
has_frames() { [ "$(frames "$1")" -ge "$2" ]; }
