# SPDX-License-Identifier: PostgreSQL
title='TPC-B with emit in its INSERT'
a_name='INSERT … RETURNING emit' b_name='no outbox'
target='>= 0.93'
clients='8 32' full_clients='1 8 32'
note='all clients emit to one stream; no round trip more'

setup() { tpcb_setup; }
a() { tpcb | sed "s/CURRENT_TIMESTAMP);/CURRENT_TIMESTAMP) RETURNING weir.emit('transfers', :payload, 'transfer.made');/"; }
b() { tpcb; }
