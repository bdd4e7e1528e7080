# SPDX-License-Identifier: PostgreSQL
# One key of 10,000, against a prepared SELECT by the primary key.

title='KV get, 10,000 keys'
target='>= 0.95'
clients='1 8 32'
a_name='weir.kv_get'
b_name='SELECT by key'

setup() { kv_tables; }
a() { any_of_keys; echo "SELECT weir.kv_get('bench', 'key-' || :n);"; }
b() { any_of_keys; echo "SELECT value FROM plain_kv WHERE key = 'key-' || :n;"; }
