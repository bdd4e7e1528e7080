# SPDX-License-Identifier: PostgreSQL
# What any eighth statement costs, whatever it does.

title='TPC-B with one SELECT more'
a_name='SELECT of the payload' b_name='no outbox'
clients='8 32' full_clients='1 8 32'
note='for comparison with emit: the round trip alone'

setup() { tpcb_setup; }
a() { tpcb 'SELECT :payload::jsonb;'; }
b() { tpcb; }
