# SPDX-License-Identifier: PostgreSQL
# A settled read of 1,000 frames from anywhere in a stream of 20,000, three others
# between its rows, against the plain ordered SELECT of the same columns from the
# same table.

title='settled read of 1,000 frames'
target='<= 1.3'
clients='1'
full_clients='1 8'
metric=latency
a_name='weir.read'
b_name='ordered SELECT'

setup() {
    load 2000 4 <<'PGBENCH'
\set s random(1, 4)
SELECT weir.append_batch(:s, array_fill(:payload::jsonb, ARRAY[40]));
PGBENCH
    stream_id=$(sql "SELECT min(id) FROM weir.registry WHERE name = '1'")
    define first "$(sql "SELECT min(id::bigint) FROM weir.frame_log WHERE stream_id = $stream_id")"
    define last "$(sql "SELECT id::bigint FROM weir.frame_log WHERE stream_id = $stream_id ORDER BY id DESC OFFSET 1000 LIMIT 1")"
}
a() {
    cat <<'PGBENCH'
\set x random(:first, :last)
SELECT * FROM weir.read('1', after => :x::bigint::weir.position);
PGBENCH
}
b() {
    cat <<PGBENCH
\\set x random(:first, :last)
SELECT id, id::timestamptz AS at, mode, type, payload, bytes, headers FROM weir.frame_log WHERE stream_id = $stream_id AND id > :x::bigint::weir.position ORDER BY id LIMIT 1000;
PGBENCH
}
