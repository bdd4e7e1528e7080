#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# What the client's tests do to the server that they talk to.
#
#   control.sh CLUSTER stop | start | restart | kill9 | promote
#
# CLUSTER is one of scripts/lib.sh under WEIR_TMP, which is of this script's caller,
# as is PGBIN.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
export PATH="$PGBIN:$PATH"
cluster=$1

case $2 in
    stop) cluster_stop "$cluster" "${3:-fast}" ;;
    start | restart) cluster_start "$cluster" ;;
    kill9)
        # A killed postmaster that nobody has reaped yet would look alive to pg_ctl.
        postmaster=$(head -n 1 "$WEIR_TMP/$cluster/data/postmaster.pid")
        cluster_kill9 "$cluster"
        poll 30 test ! -e "/proc/$postmaster"
        ;;
    promote) as_server "$PGBIN/pg_ctl" -D "$WEIR_TMP/$cluster/data" -w promote ;;
    *) die "what is \"$2\"?" ;;
esac
