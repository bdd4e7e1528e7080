# SPDX-License-Identifier: PostgreSQL
# A read of a key's revision and a compare-and-set at it, against the same of a plain table with a version.

title='KV compare-and-set, 10,000 keys'
target='>= 0.9'
clients='1 8 32'
a_name='weir.kv_update'
b_name='UPDATE … WHERE version'

setup() { kv_tables; }
a() {
    any_of_keys
    cat <<'PGBENCH'
SELECT revision AS v FROM weir.kv_entry('bench', 'key-' || :n) \gset
SELECT updated FROM weir.kv_update('bench', 'key-' || :n, :payload, :v);
PGBENCH
}
b() {
    any_of_keys
    cat <<'PGBENCH'
SELECT version AS v FROM plain_kv WHERE key = 'key-' || :n \gset
UPDATE plain_kv SET value = :payload, version = version + 1 WHERE key = 'key-' || :n AND version = :v RETURNING version;
PGBENCH
}
