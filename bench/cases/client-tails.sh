# SPDX-License-Identifier: PostgreSQL
# A thousand tails in one process over one connection that listens and four that read;
# another process appends a thousand durable frames a second, one at a time.

title='client: 1,000 tails, 1,000 durable appends/s, commit to delivery'
target_median='<= 2'
target_99='<= 20'
target_rate='>= 950'
target_memory='<= 64'

measure() { client_tails appends 1000 1000 $((seconds * 10)); }
