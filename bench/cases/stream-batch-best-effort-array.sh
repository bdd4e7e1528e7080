# SPDX-License-Identifier: PostgreSQL
# A best-effort batch of 100 frames that comes as one array, against an INSERT from it.

title='best-effort batch of 100, one array'
target='>= 1.0'
clients='8'
full_clients='1 8 32'
frames=100
a_name='weir.append_best_effort_batch'
b_name='INSERT … SELECT FROM unnest, UNLOGGED'
note='both sides get the hundred payloads as one parameter, jsonb[]'
define payloads "$hundred_payloads"

setup() { sql_file plain.sql; }
a() { any_of_64; echo 'SELECT weir.append_best_effort_batch(:s, :payloads::jsonb[]);'; }
b() { any_of_64; plain_best_effort_unnest; }
