// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

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

uint64 run(statement &st, Datum const *values, bool const *nulls, Snapshot snapshot) {
    if (st.plan == nullptr) {
        SPIPlanPtr plan = SPI_prepare(st.sql, st.count, st.types);
        if (plan == nullptr || SPI_keepplan(plan) != 0)
            elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
        st.plan = plan;
    }
    char flags[max_arguments + 1] = {};
    for (int i = 0; i < st.count; i++)
        flags[i] = nulls != nullptr && nulls[i] ? 'n' : ' ';
    auto *arguments = const_cast<Datum *>(values);
    int code = snapshot != nullptr ? SPI_execute_snapshot(st.plan, arguments, flags, snapshot, nullptr, true, false, 0)
                                   : SPI_execute_plan(st.plan, arguments, flags, false, 0);
    if (code < 0)
        elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(code));
    return SPI_processed;
}

Datum column(uint64 row, int n, bool *null) {
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, n, null);
}

} // namespace weir::pg::spi
