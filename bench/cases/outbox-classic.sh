# SPDX-License-Identifier: PostgreSQL
title='TPC-B with an outbox table and a notifying trigger'
a_name='outbox table, pg_notify' b_name='no outbox'
clients=32 full_clients='1 8 32'
note='for comparison with emit'

setup() {
    tpcb_setup
    sql_file outbox.sql
}
a() { tpcb "INSERT INTO outbox (stream, type, payload) VALUES ('transfers', 'transfer.made', :payload);"; }
b() { tpcb; }
