# SPDX-License-Identifier: PostgreSQL
# Put of 100 bytes over 10,000 keys, each client waiting for each answer, beside NATS' KV and Redis in the same run.

title='KV put beside NATS and Redis'
clients='1 8 32'
a_name='weir.kv_put'
note='NATS syncs its files by time, Redis and weir before they answer'

setup() { kv_tables; peers_start; }
a() { any_of_keys; echo "SELECT weir.kv_put('bench', 'key-' || :n, :payload);"; }
measure() { peers_measure put; }
after() { peers_stop; }
