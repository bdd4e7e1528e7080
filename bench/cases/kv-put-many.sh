# SPDX-License-Identifier: PostgreSQL
# Puts of 100 keys in one call, against a multi-row upsert from the same arrays.

title='KV put of 100 keys'
target='>= 1.0'
clients='1 8'
frames=100
a_name='weir.kv_put_many'
b_name='INSERT … SELECT unnest ON CONFLICT'

setup() { kv_tables; }
a() {
    any_of_keys
    cat <<'PGBENCH'
SELECT changes FROM weir.kv_put_many('bench', ARRAY(SELECT 'key-' || 1 + (:n + i) % 10000 FROM generate_series(1, 100) i), array_fill(:payload::jsonb, ARRAY[100]));
PGBENCH
}
b() {
    any_of_keys
    cat <<'PGBENCH'
INSERT INTO plain_kv SELECT k, v FROM unnest(ARRAY(SELECT 'key-' || 1 + (:n + i) % 10000 FROM generate_series(1, 100) i ORDER BY 1), array_fill(:payload::jsonb, ARRAY[100])) u(k, v) ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = plain_kv.version + 1;
PGBENCH
}
