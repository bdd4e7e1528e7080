# SPDX-License-Identifier: PostgreSQL
# From the return of a commit to the notification, beside a bare pg_notify.

title='commit to notification, 1,000 appends/s'
a_name='LISTEN weir.channel()'
b_name='pg_notify in the transaction'
target_median='<= 0.5'
target_99='<= 2'

measure() { measure_latency listen; }
