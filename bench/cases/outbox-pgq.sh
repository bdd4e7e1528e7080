# SPDX-License-Identifier: PostgreSQL
title='TPC-B with PgQ'
a_name='pgq.insert_event' b_name='no outbox'
clients=32 full_clients='1 8 32'
note='for comparison with emit; no ticker runs'

setup() {
    [ "$(sql "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgq'")" = 1 ] || need_packages "postgresql-$pg_version-pgq3"
    tpcb_setup
    sql 'CREATE EXTENSION pgq'
    sql "SELECT pgq.create_queue('transfers')" > /dev/null
}
a() { tpcb "SELECT pgq.insert_event('transfers', 'transfer.made', :payload);"; }
b() { tpcb; }
