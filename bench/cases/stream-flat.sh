# SPDX-License-Identifier: PostgreSQL
# An append to a stream of a million frames against one to a stream of a thousand.

title='durable append, 1,000,000th frame against 1,000th'
target='>= 0.95'
clients='8'
full_clients='1 8'
a_name='to 1,000,000 frames'
b_name='to 1,000 frames'

setup() {
    load 100 1 <<'PGBENCH'
SELECT weir.append_batch('long', array_fill(:payload::jsonb, ARRAY[10000]));
PGBENCH
}

# A new short stream for each round, so that it stays short.
before() {
    define fresh "fresh-$2-$1"
    sql "SELECT weir.append_batch('${defined[fresh]}', array_fill('$payload'::jsonb, ARRAY[1000]))" > /dev/null
}

a() { echo "SELECT weir.append('long', :payload);"; }
b() { echo 'SELECT weir.append(:fresh, :payload);'; }
