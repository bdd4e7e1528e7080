# SPDX-License-Identifier: PostgreSQL
# The token workload: a thousand live streams of fifty small best-effort frames a second
# each, gathered for 20 ms by their producers, each stream tailed. Latency is from when a frame came
# into being to its tail.

title='client: 50,000 best-effort frames/s in 1,000 streams, each tailed'
target_median=''
target_99='<= 100'
target_rate='>= 49000'
target_memory='<= 64'

measure() { client_tails tokens 1000 50 $([ "$mode" = full ] && echo 60 || echo 20); }
