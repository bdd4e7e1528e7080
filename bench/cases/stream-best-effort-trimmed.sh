# SPDX-License-Identifier: PostgreSQL
# As stream-best-effort with K in force: as many frames are removed as are appended.

title='best-effort append, 64 streams, K in force'
target='>= 0.9'
clients='8'
full_clients='1 8 32'
a_name='weir.append_best_effort'
b_name='plain INSERT, UNLOGGED'
note='K = 256: weir removes a frame for each one appended, the plain table only grows'

setup() {
    sql_file plain.sql
    sql "SELECT weir.create_stream(i::text, maxlen_ceiling => 256) FROM generate_series(1, 64) i"
    a > "$work/fill"
    load 64000 8 < "$work/fill"
}
a() { any_of_64; echo 'SELECT weir.append_best_effort(:s, :payload);'; }
b() { any_of_64; plain_best_effort_insert; }
