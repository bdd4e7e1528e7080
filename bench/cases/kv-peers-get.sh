# SPDX-License-Identifier: PostgreSQL
# Get of 100 bytes over 10,000 keys, each client waiting for each answer, beside NATS' KV and Redis in the same run.

title='KV get beside NATS and Redis'
clients='1 8 32'
a_name='weir.kv_get'
note='nothing is written; over loopback and sockets'

setup() { kv_tables; peers_start; }
a() { any_of_keys; echo "SELECT weir.kv_get('bench', 'key-' || :n);"; }
measure() { peers_measure get; }
after() { peers_stop; }
