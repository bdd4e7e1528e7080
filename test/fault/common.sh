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
# Run by itself, a test builds and installs what it tests.
if [ -z "${WEIR_LIBDIR:-}" ]; then
    private_server "$WEIR_TMP/server"
    build_weir && install_weir >/dev/null || die "weir does not build"
fi

not_ok_lines=0
ok()     { printf 'ok - %s\n' "$*"; }
not_ok() { printf 'not ok - %s\n' "$*"; not_ok_lines=$((not_ok_lines + 1)); }
note()   { printf '# %s\n' "$*"; }
# check CLAIM COMMAND…: what the command prints explains its failure.
check() {
    local claim=$1
    shift
    if "$@" >"$WEIR_TMP/check.log" 2>&1; then ok "$claim"; else
        not_ok "$claim"
        head -n 60 "$WEIR_TMP/check.log" | sed 's/^\(# \)\{0,1\}/# /'
    fi
}
# A command that fails outside of any check ends the test: which one it was.
trap 'not_ok "line $LINENO failed with status $?: $(sed -n "${LINENO}{s/^ *//;p}" "$0")"' ERR
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

# program_build FOLDER PROGRAM: builds test/FOLDER into build/FOLDER, and says where the program is. What is there is kept
# from one test to the next; two of them may come here at once.
program_build() {
    local build=$WEIR_ROOT/build/$1
    mkdir -p "$build"
    flock "$build/.lock" make -s -C "$WEIR_ROOT/test/$1" "$(jobs_flag)" BUILD="$build" \
        PG_CONFIG="${PG_CONFIG:-$PGBIN/pg_config}" >&2 || die "test/$1 does not build"
    echo "$build/$2"
}
checker_build() { checker=$(program_build checker weir-checker); }

# The checker's own lines are the test's; its history is kept where it fails.
run_checker() {
    "$checker" --history "$WEIR_TMP/history" "$@" || not_ok_lines=$((not_ok_lines + 1))
}

# cluster_kill9. A killed postmaster that nobody has reaped yet would look alive to pg_ctl.
crash_only() {
    local postmaster
    postmaster=$(head -n 1 "$WEIR_TMP/$1/data/postmaster.pid")
    cluster_kill9 "$1"
    poll 30 test ! -e "/proc/$postmaster"
}

crash_and_restart() {
    crash_only "$1"
    cluster_start "$1"
}

# make_standby NAME OF ['setting = value' …]: a hot standby of OF, which streams.
make_standby() {
    local name=$1 of=$2
    shift 2
    mkdir -p "$WEIR_TMP/$name"
    own_by_server "$WEIR_TMP/$name"
    as_server "$PGBIN/pg_basebackup" -D "$WEIR_TMP/$name/data" -R -c fast -X stream -h "$WEIR_TMP/$of" -p 65432 -U postgres
    cluster_start "$name" "unix_socket_directories = '$WEIR_TMP/$name'" "$@"
}

# A server whose clock is moved: it alone runs under libfaketime, which reads the
# offset in seconds from a file at every look at the clock. It cannot stand a signal's
# handler that looks at the clock while it does: so no timeouts of the server's there.
fake_clock_begin() {
    need_packages libfaketime >&2
    faketime=$(dpkg -L libfaketime | grep '/libfaketime\.so\.1$')
    clock_offset=$WEIR_TMP/offset
}

# Replaced, not rewritten: the server may look at any time.
set_clock() { echo "$1" >"$clock_offset.new" && chmod 644 "$clock_offset.new" && mv "$clock_offset.new" "$clock_offset"; }

# fake_clock_start CLUSTER: one made and stopped before. Its sessions are to do without timeouts: the server asks for the
# time in the signal's handler, and faketime allocates memory for the answer.
fake_clock_start() {
    # LD_PRELOAD behind the change of user, who owns its semaphore then.
    as_server env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$clock_offset" FAKETIME_NO_CACHE=1 \
        FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_RESET=1 \
        "$PGBIN/pg_ctl" -D "$WEIR_TMP/$1/data" -l "$WEIR_TMP/$1/server.log" -w -t 60 -o "-c deadlock_timeout=1h" start >"$WEIR_TMP/start.log" 2>&1 ||
        { cat "$WEIR_TMP/start.log"; return 1; }
}
