# SPDX-License-Identifier: PostgreSQL
# A durable batch of 100 frames against one INSERT of the same 100 rows.

title='durable batch of 100, parameters'
target='>= 1.0'
clients='8'
full_clients='1 8 32'
frames=100
a_name='weir.append_batch'
b_name='INSERT of 100 rows'
note='both sides get the hundred payloads as a hundred parameters'

setup() { sql_file plain.sql; }
a() { any_of_64; echo "SELECT weir.append_batch(:s, ARRAY[$(repeat 100 ':payload::jsonb')]);"; }
b() { any_of_64; plain_log_insert 100; }
