# SPDX-License-Identifier: PostgreSQL
# A thousand rows with each call and transaction over one connection: append_batch of the client library against COPY
# into a table with the columns and key of weir.frame_log.

title='client: batches of 1,000, one connection'
target='>= 0.833'
a_name='weir::stream::append_batch'
b_name='COPY'

setup() { sql_file plain.sql; }
measure() { client_pair batch copy; }
