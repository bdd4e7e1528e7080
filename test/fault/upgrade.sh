#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: ALTER EXTENSION weir UPDATE makes of each version that was released exactly what CREATE EXTENSION makes,
# keeps all that was in it, and a library that is newer than what is in the database serves it until then.
#
# test/upgrade/weir--VERSION.sql is the whole install script of a version; sql/upgrade/A--B.sql are the steps between.
. "$(dirname "$0")/common.sh"

cluster_start upgrade
cluster_use upgrade
current=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$WEIR_ROOT/extension/weir.control")
extension=$WEIR_SHAREDIR/extension

value -c 'CREATE DATABASE created' -c '\c created' -c 'CREATE EXTENSION weir'
value -d created -f "$WEIR_ROOT/test/upgrade/catalogue.sql" >"$WEIR_TMP/created"

contents() {
    value -c "SELECT id, mode, payload FROM weir.read('kept')" -c "SELECT document, version FROM weir.summary('kept')" \
        -c "SELECT id, payload FROM weir.fetch('all of it')" -c "SELECT name, epoch FROM weir.leases" \
        -c "SELECT frames, lifetime_frames FROM weir.stream_info('kept')"
}

for script in "$WEIR_ROOT"/test/upgrade/weir--*.sql; do
    version=${script##*--}
    version=${version%.sql}
    cp "$script" "$extension/"
    value -c "CREATE DATABASE \"from $version\""
    export PGDATABASE="from $version"
    psql -c "CREATE EXTENSION weir VERSION '$version'" \
        -c "SELECT weir.append('kept', to_jsonb(i)) FROM generate_series(1, 100) i" \
        -c "SELECT weir.append_patch('kept', '{\"a\": 1}')" -c "SELECT weir.subscribe('all of it', 'kept', '0-0')" \
        -c "SELECT weir.lease_acquire('job', 'me', '1 day')" >"$WEIR_TMP/filled" 2>&1 ||
        note "$(cat "$WEIR_TMP/filled")"
    contents >"$WEIR_TMP/before" || true
    check "$version has something to keep" test "$(wc -l <"$WEIR_TMP/before")" -gt 200
    check "$version → $current" psql -c 'ALTER EXTENSION weir UPDATE'
    is "$version: the version" "$(value -c "SELECT extversion FROM pg_extension WHERE extname = 'weir'")" "$current"
    value -f "$WEIR_ROOT/test/upgrade/catalogue.sql" >"$WEIR_TMP/upgraded"
    is "$version: the catalogue is that of CREATE EXTENSION" "$(diff "$WEIR_TMP/created" "$WEIR_TMP/upgraded" | head -n 20)" ''
    contents >"$WEIR_TMP/after"
    is "$version: what was in it" "$(diff "$WEIR_TMP/before" "$WEIR_TMP/after" | head -n 20)" ''
    check "$version: it goes on" psql -c "SELECT weir.append('kept', '\"more\"')"
    unset PGDATABASE
    rm -f "$extension/${script##*/}"
done
finish
