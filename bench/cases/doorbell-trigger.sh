# SPDX-License-Identifier: PostgreSQL
# Appends that ring the doorbell against inserts with a trigger that notifies, both
# with a listener on every stream's channel.

title='durable append with a listener each, against a pg_notify trigger'
target='>= 4'
clients='32'
full_clients='8 32'
a_name='weir.append'
b_name='INSERT with a pg_notify trigger'

setup() {
    sql_file plain.sql
    sql_file notify.sql
    listen_to_64
}
after() { stop_listening; }
a() { any_of_64; echo 'SELECT weir.append(:s, :payload);'; }
b() { any_of_64; plain_log_insert; }
