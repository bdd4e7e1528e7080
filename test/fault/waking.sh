# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# Builds the checker of wakeups once; a scratch directory of its own keeps the tree
# clean. To be sourced after common.sh.

waking_build() {
    local build=${WEIR_WAKING_BUILD:-$WEIR_ROOT/build/waking}
    make -s -C "$WEIR_ROOT/test/waking" "$(jobs_flag)" BUILD="$build" PG_CONFIG="${PG_CONFIG:-$PGBIN/pg_config}" || die "the checker of wakeups does not build"
    # shellcheck disable=SC2034 # for whoever called
    waking=$build/weir-waking
}
