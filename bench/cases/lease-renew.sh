# SPDX-License-Identifier: PostgreSQL
# Renewing one of 10,000 leases, with its event, against the bare UPDATE.

title='lease renewal, with its event'
target='>= 0.8'
clients='1 8 32'
a_name='weir.lease_renew'
b_name='UPDATE … WHERE owner and epoch'

setup() {
    sql_file lease.sql
    sql "SELECT weir.lease_acquire('job-' || i, 'worker', '1 day') FROM generate_series(1, 10000) i" > /dev/null
    sql "UPDATE plain_lease SET owner = 'worker', epoch = 1, ttl = '1 day', expires_at = now() + interval '1 day', renewed_at = now()"
    sql 'VACUUM plain_lease'
}
a() {
    cat <<'PGBENCH'
\set n random(1, 10000)
SELECT weir.lease_renew('job-' || :n, 'worker', 1);
PGBENCH
}
b() {
    cat <<'PGBENCH'
\set n random(1, 10000)
UPDATE plain_lease SET expires_at = clock_timestamp() + ttl, renewed_at = clock_timestamp() WHERE name = 'job-' || :n AND owner = 'worker' AND epoch = 1 AND expires_at > clock_timestamp() RETURNING expires_at;
PGBENCH
}
