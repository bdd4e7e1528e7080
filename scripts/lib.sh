# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# For scripts to source: Debian packages, the server to build against, and
# private throwaway clusters.
#
# A cluster lives in $WEIR_TMP/NAME (data/, server.log, the socket), listens on
# its own socket directory and nowhere else, and runs as an unprivileged user:
# the caller, or the postgres user where the caller is root, whom the server
# refuses. Whatever still runs under WEIR_TMP is stopped when the script ends,
# however it ends; no other cluster is ever spoken to. Clients are superuser
# postgres.
#
#   cluster_start NAME ['setting = value' …]   makes it if need be; twice is a restart with other settings
#   cluster_use NAME                           PGHOST, PGPORT, PGUSER for what follows
#   cluster_psql NAME [psql arguments]
#   cluster_stop NAME [fast|immediate]
#   cluster_kill9 NAME                         the postmaster and every child, at once
#
# WEIR_TMP given from outside is used and left in place; otherwise it is made
# here and removed at the end (WEIR_KEEP=1 keeps it).

# A caller may ignore SIGPIPE. A shell cannot take that back, and what it starts would write to closed pipes for ever.
if ((0x$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status) & 1 << 12)); then
    exec env --default-signal=PIPE "$0" "$@"
fi

WEIR_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# Nothing of the caller's Postgres settings may lead to a server of theirs.
weir_pg_config=${PG_CONFIG:-} weir_pgbin=${PGBIN:-}
unset "${!PG@}"
PG_CONFIG=$weir_pg_config PGBIN=$weir_pgbin
# Programs that a test starts may source this file, too.
[ -z "$PGBIN" ] || export PG_CONFIG PGBIN
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "\"$*\" needs root: run as root, or install sudo"
    fi
}

# Debian packages.

# Debian release → server and clang version. PG_CONFIG set by the caller wins over the first.
debian_versions() {
    local release=
    [ ! -r /etc/os-release ] || release=$(. /etc/os-release; echo "${ID:-}-${VERSION_ID:-}")
    case $release in
        debian-12) pg_version=15 clang_version=14 ;;
        debian-13) pg_version=17 clang_version=19 ;;
        *) die "packages are known for Debian 12 and 13 only, this is \"$release\"" ;;
    esac
}

packages_build() {
    echo "g++ make"
    [ -n "$weir_pg_config" ] || echo "postgresql-server-dev-$pg_version postgresql-$pg_version"
}
packages_cmake() { echo "cmake libpq-dev libcli11-dev catch2 nlohmann-json3-dev"; }
packages_test() {
    echo "postgresql-$pg_version-pgtap pgbouncer pkg-config zsh fish shellcheck clang-format-19"
    echo "clang-$clang_version clang-tools-$clang_version libclang-rt-$clang_version-dev"
}

packages_drivers() {
    echo "python3-psycopg python3-psycopg2 python3-sqlalchemy nodejs libpostgresql-jdbc-java default-jdk-headless"
}

missing_packages() {
    local p
    for p in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
    done
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@"
}

# Installs what is missing. The package lists are fetched only where the ones at hand do not do.
need_packages() {
    local missing log dropin=/etc/postgresql-common/createcluster.d/weir.conf made=
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing: ${missing[*]}"
    log=$(mktemp)
    # The server package would make and start a cluster of its own; nobody needs that one here.
    if [[ " ${missing[*]} " =~ " postgresql-"[0-9]+" " ]] && [ ! -e "$dropin" ]; then
        as_root mkdir -p "${dropin%/*}"
        echo 'create_main_cluster = false' | as_root tee "$dropin" >/dev/null
        made=1
    fi
    apt_install "${missing[@]}" >"$log" 2>&1 ||
        { as_root apt-get -qq update >>"$log" 2>&1 && apt_install "${missing[@]}" >>"$log" 2>&1; } || made+=failed
    [[ $made != 1* ]] || as_root rm -f "$dropin"
    [[ $made != *failed ]] || { cat "$log" >&2; rm -f "$log"; die "could not install: ${missing[*]}"; }
    rm -f "$log"
}

# node-postgres, and NODE_PATH to find it by. Its package wants an addon of Debian's own nodejs, which it does without:
# where that is not the one that is installed, the packages are unpacked beside the tests.
need_node_postgres() {
    local dir=$WEIR_ROOT/build/drivers/node package
    export NODE_PATH=/usr/share/nodejs:$dir/usr/share/nodejs
    ! node -e 'require("pg")' 2>/dev/null || return 0
    if ! (need_packages node-pg) >/dev/null 2>&1; then
        mkdir -p "$dir"
        for package in node-pg node-split2 node-xtend node-readable-stream; do
            (cd "$dir" && apt-get -qq download "$package" && dpkg -x "$package"_*.deb .) 2>"$dir/log" ||
                { cat "$dir/log" >&2; return 1; }
        done
    fi
    node -e 'require("pg")'
}

# The server to build against.

# Sets PG_CONFIG and PGBIN. Called after need_packages.
find_server() {
    [ -n "$weir_pg_config" ] || PG_CONFIG=/usr/lib/postgresql/$pg_version/bin/pg_config
    command -v "$PG_CONFIG" >/dev/null || die "no such program: $PG_CONFIG (PG_CONFIG)"
    PGBIN=$("$PG_CONFIG" --bindir)
    [ -x "$PGBIN/initdb" ] || die "there is no server in $PGBIN"
    export PG_CONFIG PGBIN
    export PATH="$PGBIN:$PATH"
}

# private_server DIR
#
# A server tree of our own in DIR, by links to the one that PGBIN is in: what is
# installed goes there, and no weir of the machine's own is touched. A server looks
# for its library and its files beside where its program lies, so programs are
# copied. Sets PGBIN, and WEIR_LIBDIR and WEIR_SHAREDIR, where to install to.
private_server() {
    local dir=$1 bin lib share
    bin=$PGBIN lib=$("$PGBIN/pg_config" --pkglibdir) share=$("$PGBIN/pg_config" --sharedir)
    mkdir -p "$dir$bin" "$dir$lib" "$dir$share/extension"
    cp "$bin"/* "$dir$bin/"
    if as_server test -r "$share/postgres.bki"; then
        ln -sf "$lib"/* "$dir$lib/"
        ln -sf "$share"/* "$dir$share/" 2>/dev/null || true # extension is a directory there
        ln -sf "$share"/extension/* "$dir$share/extension/"
    else # in a home that the server's user may not enter
        cp -r "$lib"/* "$dir$lib/"
        cp -r "$share"/* "$dir$share/"
    fi
    PGBIN=$dir$bin WEIR_LIBDIR=$dir$lib WEIR_SHAREDIR=$dir$share
    export PGBIN WEIR_LIBDIR WEIR_SHAREDIR PATH="$PGBIN:$PATH"
}

# A server that did not come from Debian's packages has no pgTAP; its files are plain SQL.
need_pgtap() {
    local from
    [ ! -e "$WEIR_SHAREDIR/extension/pgtap.control" ] || return 0
    from=$(ls -d /usr/share/postgresql/*/extension/pgtap.control | tail -n 1)
    cp "${from%.control}"* "$WEIR_SHAREDIR/extension/"
}

jobs_flag() { echo "-j$(( $(nproc) < 4 ? $(nproc) : 4 ))"; }

build_weir()   { make -s -C "$WEIR_ROOT" "$(jobs_flag)" PG_CONFIG="$PG_CONFIG" "$@" all; }
# Into the private server.
install_weir() {
    # A link there leads to the machine's own.
    rm -f "$WEIR_LIBDIR/weir.so" "$WEIR_SHAREDIR"/extension/weir{.control,--*.sql}
    make -s -C "$WEIR_ROOT" PG_CONFIG="$PG_CONFIG" pkglibdir="$WEIR_LIBDIR" datadir="$WEIR_SHAREDIR" install
}

# Scratch directory and clean-up.

# What runs the server: nothing in front for an ordinary user, else a change to the postgres user.
as_server() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@")
    else
        (cd / && exec "$@")
    fi
}

own_by_server() { [ "$(id -u)" != 0 ] || chown postgres:postgres "$@"; }

scratch_begin() {
    if [ -z "${WEIR_TMP:-}" ]; then
        # Short: the path of a socket has 107 bytes.
        WEIR_TMP=$(mktemp -d "${TMPDIR:-/tmp}/weir.XXXXXX")
        [ ${#WEIR_TMP} -lt 60 ] || { rmdir "$WEIR_TMP"; WEIR_TMP=$(mktemp -d /tmp/weir.XXXXXX); }
        weir_tmp_is_ours=1
    fi
    chmod 755 "$WEIR_TMP"
    export WEIR_TMP
    trap scratch_end EXIT
    trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
}

scratch_end() {
    local status=$?
    trap - EXIT HUP INT TERM
    set +e
    # What this script started and did not wait for (an interrupt comes to the foreground only).
    # shellcheck disable=SC2046
    kill $(descendants_of $$) 2>/dev/null
    stop_servers "$WEIR_TMP"
    if [ -n "${weir_tmp_is_ours:-}" ]; then
        if [ -n "${WEIR_KEEP:-}" ]; then say "kept: $WEIR_TMP"; else rm -rf "$WEIR_TMP"; fi
    fi
    exit "$status"
}

# Without procps, which a minimal Debian lacks.
children_of() {
    local stat
    for stat in /proc/[0-9]*/stat; do
        # The name is in parentheses and may hold anything; the parent is the second field after it.
        { read -r stat <"$stat"; } 2>/dev/null || continue
        set -- "$1" "${stat%% *}" ${stat##*) }
        [ "$4" != "$1" ] || echo "$2"
    done
}

descendants_of() {
    local child
    for child in $(children_of "$1"); do echo "$child"; descendants_of "$child"; done
}

# Every server whose data directory lies under a directory of ours.
stop_servers() {
    local pidfile
    while read -r pidfile; do
        as_server "$PGBIN/pg_ctl" -D "${pidfile%/*}" -m immediate -t 30 stop >/dev/null 2>&1 || true
    done < <(find "$1" -name postmaster.pid 2>/dev/null)
}

# Clusters.

cluster_start() {
    local name=$1 dir=$WEIR_TMP/$1
    shift
    if [ ! -d "$dir/data" ]; then
        mkdir -p "$dir"
        own_by_server "$dir"
        as_server "$PGBIN/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
            >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; return 1; }
        # The port only names the socket. It is nobody's usual one, should a client look elsewhere by mistake.
        cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
port = 65432
unix_socket_directories = '$dir'
log_line_prefix = '%m [%p] %q%a '
fsync = off
max_prepared_transactions = 64
shared_buffers = 64MB
CONF
    fi
    ! as_server "$PGBIN/pg_ctl" -D "$dir/data" status >/dev/null 2>&1 || cluster_stop "$name"
    [ $# -eq 0 ] || printf '%s\n' "$@" >>"$dir/data/postgresql.conf"
    # After cluster_kill9 the last children may hold the old shared memory for a moment.
    for _ in 1 2 3 4 5; do
        # What goes in front of the server's program: nothing, or what scripts/test-sanitize needs there.
        # shellcheck disable=SC2086
        as_server ${WEIR_SERVER_UNDER:-} "$PGBIN/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w \
            -t "${WEIR_START_TIMEOUT:-120}" start >"$dir/pg_ctl.log" 2>&1 && return
        tail -n 20 "$dir/server.log" | grep -q 'pre-existing shared memory' || break
        sleep 1
    done
    tail -n 20 "$dir/pg_ctl.log" "$dir/server.log" >&2
    return 1
}

cluster_use() { export PGHOST=$WEIR_TMP/$1 PGPORT=65432 PGUSER=postgres PGDATABASE=postgres; }

cluster_psql() { (cluster_use "$1"; shift; exec "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 "$@"); }

cluster_stop() {
    as_server "$PGBIN/pg_ctl" -D "$WEIR_TMP/$1/data" -m "${2:-fast}" -w -t 120 stop >/dev/null
}

cluster_kill9() {
    local postmaster
    postmaster=$(head -n 1 "$WEIR_TMP/$1/data/postmaster.pid")
    # Stopped first, so that it neither starts a child nor tidies up behind one that dies before it.
    kill -STOP "$postmaster"
    # shellcheck disable=SC2046
    kill -KILL $(children_of "$postmaster") "$postmaster" 2>/dev/null || true
    poll 10 gone "$postmaster"
}

# poll SECONDS COMMAND…: until the command succeeds; fails when time runs out.
poll() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

gone() { ! grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status"; }
