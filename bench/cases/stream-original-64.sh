# SPDX-License-Identifier: PostgreSQL
# Durable appends against the statements that FlowFabric runs for one, 64 streams.

title='durable append against the original, 64 streams'
target='>= 4'
clients='8 32'
full_clients='1 8 32'
a_name='weir.append'
b_name="original's statements"
note='its table is not partitioned here, in its favour; nobody listens to its trigger'
define fields "$original_fields"

setup() { sql_file original.sql; }
a() { any_of_64; echo 'SELECT weir.append(:s, :payload);'; }
b() { echo '\set s random(100000000001, 100000000064)'; original_append; }
