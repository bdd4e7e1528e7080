# SPDX-License-Identifier: PostgreSQL
# A patch of 100 bytes to a document of 64 KiB against a plain durable append of as much.

title='patch of a 64 KiB document against an append'
target='>= 0.667'
clients='1 8'
full_clients='1 8 32'
a_name='weir.append_patch'
b_name='weir.append'
define patch "$document_patch"

setup() { sql_file document.sql; }
a() { echo "SELECT weir.append_patch('document', :patch);"; }
b() { echo "SELECT weir.append('other', :patch);"; }
