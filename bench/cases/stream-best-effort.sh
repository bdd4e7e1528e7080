# SPDX-License-Identifier: PostgreSQL
# Best-effort appends over 64 streams against a plain INSERT into an UNLOGGED table.

title='best-effort append, 64 streams'
target='>= 0.9'
clients='1 8 32'
a_name='weir.append_best_effort'
b_name='plain INSERT, UNLOGGED'

setup() { sql_file plain.sql; }
a() { any_of_64; echo 'SELECT weir.append_best_effort(:s, :payload);'; }
b() { any_of_64; plain_best_effort_insert; }
