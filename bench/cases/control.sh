# SPDX-License-Identifier: PostgreSQL
# One statement against itself: whatever spread this shows is noise.

title='control: INSERT against itself'
a_name='plain INSERT'
b_name='plain INSERT'

setup() { sql_file plain.sql; }
a() { any_of_64; plain_log_insert; }
b() { a; }
