# SPDX-License-Identifier: PostgreSQL
# Durable appends spread over 64 streams against a plain INSERT of the same row.

title='durable append, 64 streams'
target='>= 0.95'
clients='1 8 32'
a_name='weir.append'
b_name='plain INSERT'

setup() { sql_file plain.sql; }
a() { any_of_64; echo 'SELECT weir.append(:s, :payload);'; }
b() { any_of_64; plain_log_insert; }
