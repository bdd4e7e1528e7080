# SPDX-License-Identifier: PostgreSQL
# Single durable appends over one connection of the client library, pipelined against
# one after the other.

title='client: pipelined durable appends, one connection'
target='>= 10'
a_name='weir::pipeline'
b_name='weir::stream::append'

measure() { client_pair pipeline single; }
