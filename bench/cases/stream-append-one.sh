# SPDX-License-Identifier: PostgreSQL
# Every client appends to the same stream: the short lock under the most pressure.

title='durable append, one stream'
target='>= 0.75'
clients='8 32'
full_clients='1 8 32'
a_name='weir.append'
b_name='plain INSERT'
define s 1

setup() { sql_file plain.sql; }
a() { echo 'SELECT weir.append(:s, :payload);'; }
b() { plain_log_insert; }
