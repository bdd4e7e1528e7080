# SPDX-License-Identifier: PostgreSQL
# Durable appends against the statements that FlowFabric runs for one, one stream.

title='durable append against the original, one stream'
target='>= 4'
clients='8 32'
full_clients='1 8 32'
a_name='weir.append'
b_name="original's statements"
define fields "$original_fields"
define s 100000000001

setup() { sql_file original.sql; }
a() { echo 'SELECT weir.append(:s, :payload);'; }
b() { original_append; }
