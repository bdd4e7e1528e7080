# SPDX-License-Identifier: PostgreSQL
# A patch of 100 bytes to a document of 64 KiB against an UPDATE that merges in place.

title='patch of a 64 KiB document'
target='>= 20'
clients='1 8'
full_clients='1 8 32'
a_name='weir.append_patch'
b_name='UPDATE that merges in place'
define patch "$document_patch"

setup() { sql_file document.sql; }
a() { echo "SELECT weir.append_patch('document', :patch);"; }
b() { echo 'UPDATE document SET d = d || :patch WHERE id = 1;'; }

# What the updates of the last round left for the disk is not to slow the next patches.
before() { sql CHECKPOINT; }
