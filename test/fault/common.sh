# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# What the fault tests share: lib.sh's private clusters, the checker, and the
# `ok - …`/`not ok - …` lines. To be sourced; WEIR_TMP and PGBIN may be given.

. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
[ -n "${PG_CONFIG:-}" ] || debian_versions
[ -n "$PGBIN" ] || find_server
export PATH="$PGBIN:$PATH"
scratch_begin

not_ok_lines=0
ok()     { printf 'ok - %s\n' "$*"; }
not_ok() { printf 'not ok - %s\n' "$*"; not_ok_lines=$((not_ok_lines + 1)); }
note()   { printf '# %s\n' "$*"; }
# check CLAIM COMMAND…
check() {
    local claim=$1
    shift
    if "$@"; then ok "$claim"; else not_ok "$claim"; fi
}
# is CLAIM GOT WANTED
is() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1"; note "got: $2"; note "wanted: $3"; fi
}
finish() { exit $((not_ok_lines > 0)); }

# Quiet, stops at the first error; -At output for comparisons.
psql() { "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 "$@"; }
value() { psql -At "$@"; }

# The SQLSTATE of a statement, 00000 where it succeeds.
sqlstate() {
    local out
    if out=$("$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -c "$1" 2>&1 >/dev/null); then
        echo 00000
    else
        sed -n 's/^.*\(ERROR\|FATAL\): *\([0-9A-Z]\{5\}\)$/\2/p' <<<"$out" | head -n 1
    fi
}

# Builds the checker once; a scratch directory of its own keeps the tree clean.
checker_build() {
    local build=${WEIR_CHECKER_BUILD:-$WEIR_ROOT/build/checker}
    make -s -C "$WEIR_ROOT/test/checker" "$(jobs_flag)" BUILD="$build" PG_CONFIG="${PG_CONFIG:-$PGBIN/pg_config}" || die "the checker does not build"
    checker=$build/weir-checker
}

# The checker's own lines are the test's; its history is kept where it fails.
run_checker() {
    "$checker" --history "$WEIR_TMP/history" "$@" || not_ok_lines=$((not_ok_lines + 1))
}

# cluster_kill9, and back up. A killed postmaster that nobody has reaped yet would look alive to pg_ctl.
crash_and_restart() {
    local postmaster
    postmaster=$(head -n 1 "$WEIR_TMP/$1/data/postmaster.pid")
    cluster_kill9 "$1"
    poll 30 test ! -e "/proc/$postmaster"
    cluster_start "$1"
}
