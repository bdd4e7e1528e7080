# SPDX-License-Identifier: PostgreSQL
title='TPC-B with a trigger weir.outbox()'
a_name='trigger on the history' b_name='no outbox'
clients='8 32' full_clients='1 8 32'
note='each row of pgbench_history is an event with all of its columns'

# Two tables alike, one with the trigger: both sides run in one database.
setup() {
    tpcb_setup
    sql 'CREATE TABLE told_history (LIKE pgbench_history)'
    sql "CREATE TRIGGER outbox AFTER INSERT ON told_history FOR EACH ROW EXECUTE FUNCTION weir.outbox('history', 'key=tid,aid')"
}
a() { tpcb | sed 's/INTO pgbench_history/INTO told_history/'; }
b() { tpcb; }
