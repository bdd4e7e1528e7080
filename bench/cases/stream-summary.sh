# SPDX-License-Identifier: PostgreSQL
# Reading a summary of 64 KiB after 10,000 patches against reading a stored document.

title='summary of 64 KiB after 10,000 patches'
target='<= 2'
clients='1'
metric=latency
judge=difference
a_name='weir.summary'
b_name='SELECT of a stored document'
define patch "$document_patch"

setup() {
    sql_file document.sql
    load 10000 8 <<'PGBENCH'
SELECT weir.append_patch('document', :patch);
PGBENCH
}
a() { echo "SELECT document FROM weir.summary('document');"; }
b() { echo 'SELECT d FROM document WHERE id = 1;'; }
