// SPDX-License-Identifier: PostgreSQL
//
// The edge of every SQL-callable function: its declaration, and what it returns.
#pragma once

#include "pg/pg.hpp"

// An SQL function. The version-1 record and the entry point are exported
// (src/exports.map); the body follows in braces.
#define WEIR_FUNCTION(name)                                                                                            \
    extern "C" {                                                                                                       \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                                                          \
    PG_FUNCTION_INFO_V1(name);                                                                                         \
    }                                                                                                                  \
    Datum name([[maybe_unused]] PG_FUNCTION_ARGS)

namespace weir::pg {

// Refuses a write where there can be none. what: "weir.append()".
inline void require_writable(const char *what) {
    PreventCommandIfReadOnly(what);
    PreventCommandDuringRecovery(what);
    PreventCommandIfParallelMode(what);
}

// A result has the columns that the function's declaration in SQL says, and that may be the
// declaration of another version: no more values are read than there are.
inline void check_columns(TupleDesc declared, int filled) {
    if (declared->natts > filled)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a function of weir is declared with other columns"),
                        errdetail("There are %d columns, the library fills %d.", declared->natts, filled),
                        errhint("Run ALTER EXTENSION weir UPDATE.")));
}

// The composite result of a function that returns one row.
template <int n> Datum make_row(FunctionCallInfo fcinfo, Datum (&values)[n], bool (&nulls)[n]) {
    auto *descriptor = static_cast<TupleDesc>(fcinfo->flinfo->fn_extra);
    if (descriptor == nullptr) {
        MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "return type must be a row type");
        descriptor = BlessTupleDesc(descriptor);
        MemoryContextSwitchTo(before);
        fcinfo->flinfo->fn_extra = descriptor;
    }
    check_columns(descriptor, n);
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

// The rows of a set-returning function, materialised: nothing stays open between calls.
struct result_set {
    Tuplestorestate *store;
    TupleDesc descriptor;

    template <int n> void add(Datum (&values)[n], bool (&nulls)[n]) const {
        check_columns(descriptor, n);
        tuplestore_putvalues(store, descriptor, values, nulls);
    }
};

enum class result_of { rows, values }; // of one column, that is no row
inline result_set begin_result_set(FunctionCallInfo fcinfo, result_of what = result_of::rows) {
    InitMaterializedSRF(fcinfo, what == result_of::rows ? 0 : MAT_SRF_USE_EXPECTED_DESC);
    auto *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    return {info->setResult, info->setDesc};
}

} // namespace weir::pg
