# SPDX-License-Identifier: PostgreSQL
# An append under a lease against one without.

title='durable append under a lease, 64 streams'
target='>= 0.85'
clients='1 8 32'
a_name='weir.append with lease and epoch'
b_name='weir.append'

setup() { sql "SELECT weir.lease_acquire('lease-' || i, 'worker', '1 day') FROM generate_series(1, 64) i" > /dev/null; }
a() { any_of_64; echo "SELECT weir.append(:s, :payload, lease => 'lease-' || :s, epoch => 1);"; }
b() { any_of_64; echo 'SELECT weir.append(:s, :payload);'; }
