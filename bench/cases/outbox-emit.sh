# SPDX-License-Identifier: PostgreSQL
title='TPC-B with emit'
a_name=emit b_name='no outbox'
target='>= 0.93'
clients='8 32' full_clients='1 8 32'
note='all clients emit to one stream; an eighth statement in the transaction'

setup() { tpcb_setup; }
a() { tpcb "SELECT weir.emit('transfers', :payload, 'transfer.made');"; }
b() { tpcb; }
