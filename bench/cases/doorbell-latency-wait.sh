# SPDX-License-Identifier: PostgreSQL
# From the return of a commit to the return of weir.wait() and of a look at the head
# after it, beside a bare pg_notify.

title='commit to the end of weir.wait(), 1,000 appends/s'
a_name='CALL weir.wait, weir.head'
b_name='pg_notify in the transaction'
target_median='<= 0.5'
target_99='<= 2'

measure() { measure_latency wait; }
