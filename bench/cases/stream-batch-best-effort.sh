# SPDX-License-Identifier: PostgreSQL
# A best-effort batch of 100 frames against one INSERT of 100 rows, UNLOGGED.

title='best-effort batch of 100, parameters'
target='>= 1.0'
clients='8'
full_clients='1 8 32'
frames=100
a_name='weir.append_best_effort_batch'
b_name='INSERT of 100 rows, UNLOGGED'
note='both sides get the hundred payloads as a hundred parameters'

setup() { sql_file plain.sql; }
a() { any_of_64; echo "SELECT weir.append_best_effort_batch(:s, ARRAY[$(repeat 100 ':payload::jsonb')]);"; }
b() { any_of_64; plain_best_effort_insert 100; }
