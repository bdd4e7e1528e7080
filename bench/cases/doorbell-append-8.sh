# SPDX-License-Identifier: PostgreSQL
# What the doorbell costs those who append, with a listener on every stream.

title='durable append, 64 streams with a listener each'
target='>= 0.85'
clients='8'
a_name='weir.append'
b_name='weir.append, no notification'
b_settings='-c weir.doorbell=off'

setup() { listen_to_64; }
after() { stop_listening; }
a() { any_of_64; echo 'SELECT weir.append(:s, :payload);'; }
b() { a; }
