# SPDX-License-Identifier: PostgreSQL
# Acquiring one of 10,000 leases and releasing it again, two transactions with an event
# each, against the two bare UPDATEs.

title='lease acquire and release, with their events'
target='>= 0.8'
clients='1 8 32'
a_name='weir.lease_acquire, weir.lease_release'
b_name='two UPDATEs'

setup() {
    sql_file lease.sql
    sql "SELECT weir.lease_acquire('job-' || i, 'worker') FROM generate_series(1, 10000) i" > /dev/null
    sql "SELECT weir.lease_release('job-' || i, 'worker', 1) FROM generate_series(1, 10000) i" > /dev/null
}
# Each client has leases of its own: what is measured is not a queue.
a() {
    cat <<'PGBENCH'
\set n random(0, 299) * 32 + :client_id + 1
SELECT epoch FROM weir.lease_acquire('job-' || :n, 'worker') \gset
SELECT weir.lease_release('job-' || :n, 'worker', :epoch);
PGBENCH
}
b() {
    cat <<'PGBENCH'
\set n random(0, 299) * 32 + :client_id + 1
UPDATE plain_lease SET epoch = epoch + 1, owner = 'worker', ttl = '30 seconds', expires_at = clock_timestamp() + interval '30 seconds', renewed_at = clock_timestamp() WHERE name = 'job-' || :n AND (owner IS NULL OR expires_at <= clock_timestamp()) RETURNING epoch \gset
UPDATE plain_lease SET owner = NULL WHERE name = 'job-' || :n AND owner = 'worker' AND epoch = :epoch RETURNING true;
PGBENCH
}
