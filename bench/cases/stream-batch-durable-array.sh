# SPDX-License-Identifier: PostgreSQL
# A durable batch of 100 frames that comes as one array, against an INSERT from it.

title='durable batch of 100, one array'
target='>= 1.0'
clients='8'
full_clients='1 8 32'
frames=100
a_name='weir.append_batch'
b_name='INSERT … SELECT FROM unnest'
note='both sides get the hundred payloads as one parameter, jsonb[]'
define payloads "$hundred_payloads"

setup() { sql_file plain.sql; }
a() { any_of_64; echo 'SELECT weir.append_batch(:s, :payloads::jsonb[]);'; }
b() { any_of_64; plain_log_unnest; }
