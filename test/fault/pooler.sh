# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# A PgBouncer for tests that go through one. To be sourced, after common.sh.
#
#   pooler_start DATABASE <<CONF   its databases, and [pgbouncer] with what is particular to the
#                                  test; on a socket in $pooler, with the port of the server. Returns when
#                                  DATABASE answers.

pooler=$WEIR_TMP/pooler

pooler_start() {
    mkdir -p "$pooler"
    # The port only names the socket, so it can be that of the server.
    { cat; cat <<CONF; } >"$pooler/pgbouncer.ini"
listen_addr =
listen_port = $PGPORT
unix_socket_dir = $pooler
logfile = $pooler/pgbouncer.log
pidfile = $pooler/pgbouncer.pid
CONF
    own_by_server -R "$pooler"
    # Debian has it where not everybody's PATH leads.
    as_server "$(command -v pgbouncer || echo /usr/sbin/pgbouncer)" -q "$pooler/pgbouncer.ini" </dev/null >/dev/null 2>&1 &
    pooler_answers() { psql -h "$pooler" -d "$1" -c 'SELECT 1' -o /dev/null 2>/dev/null; }
    poll 10 pooler_answers "$1" || { cat "$pooler/pgbouncer.log"; die "PgBouncer does not start"; }
}
