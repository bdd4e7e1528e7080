// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/snapshot.hpp"
#include "pg/spi.hpp"

namespace weir::pg::spi {

session begin(Oid relation) {
    session s{become_owner(relation), CurrentMemoryContext};
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
    return s;
}

void end(session const &s) {
    if (SPI_finish() != SPI_OK_FINISH)
        elog(ERROR, "SPI_finish failed");
    become_caller(s.caller);
}

namespace {

uint64 run(statement &st, Datum const *values, bool const *nulls, Snapshot snapshot, bool read_only) {
    if (st.plan == nullptr) {
        SPIPlanPtr plan = SPI_prepare(st.sql, st.count, st.types);
        if (plan == nullptr || SPI_keepplan(plan) != 0)
            elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
        st.plan = plan;
    }
    char flags[max_arguments + 1] = {};
    for (int i = 0; i < st.count; i++)
        flags[i] = nulls != nullptr && nulls[i] ? 'n' : ' ';
    int code =
        SPI_execute_snapshot(st.plan, const_cast<Datum *>(values), flags, snapshot, nullptr, read_only, false, 0);
    if (code < 0)
        elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(code));
    return SPI_processed;
}

} // namespace

uint64 read(statement &st, Datum const *values, bool const *nulls, Snapshot snapshot) {
    return run(st, values, nulls, snapshot, true);
}

uint64 write(statement &st, Datum const *values, bool const *nulls) {
    Snapshot now = take_snapshot();
    uint64 rows = run(st, values, nulls, now, false);
    UnregisterSnapshot(now);
    return rows;
}

Datum column(uint64 row, int n, bool *null) {
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, n, null);
}

} // namespace weir::pg::spi
