# SPDX-License-Identifier: PostgreSQL
# Puts of 100 bytes over 10,000 keys, with housekeeping beside them, against the upsert of a plain table.

title='KV put, 10,000 keys'
target='>= 0.9'
clients='1 8 32'
a_name='weir.kv_put'
b_name='INSERT … ON CONFLICT DO UPDATE'

setup() { kv_tables; }
a() { any_of_keys; echo "SELECT weir.kv_put('bench', 'key-' || :n, :payload);"; }
b() { any_of_keys; kv_upsert; }
