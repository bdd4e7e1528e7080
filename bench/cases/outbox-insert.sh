# SPDX-License-Identifier: PostgreSQL
# The floor of emit as a statement: the row alone, that nobody is told of.

title='TPC-B with one INSERT more'
a_name='INSERT into an outbox table' b_name='no outbox'
clients='8 32' full_clients='1 8 32'
note='for comparison with emit: nothing reads the table, nothing orders it'

setup() {
    tpcb_setup
    sql 'CREATE TABLE outbox (id bigserial PRIMARY KEY, stream text NOT NULL, type text NOT NULL, payload jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now())'
}
a() { tpcb "INSERT INTO outbox (stream, type, payload) VALUES ('transfers', 'transfer.made', :payload);"; }
b() { tpcb; }
