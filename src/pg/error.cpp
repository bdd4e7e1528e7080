// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/error.hpp"

namespace weir::pg {

namespace {

int sqlstate_of(core::errc code) {
    switch (code) {
    case core::errc::malformed:
        return ERRCODE_INVALID_TEXT_REPRESENTATION;
    case core::errc::out_of_range:
        return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
    case core::errc::too_deep:
        return ERRCODE_STATEMENT_TOO_COMPLEX;
    case core::errc::too_large:
        return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
    case core::errc::not_an_object:
    case core::errc::unrepresentable:
        return ERRCODE_INVALID_PARAMETER_VALUE;
    case core::errc::out_of_memory:
        return ERRCODE_OUT_OF_MEMORY;
    case core::errc::none:
    case core::errc::internal:
        break;
    }
    return ERRCODE_INTERNAL_ERROR;
}

} // namespace

void report(core::failure const &why) {
    ereport(ERROR, (errcode(sqlstate_of(why.code)), errmsg("%s", why.message),
                    why.detail[0] ? errdetail("%s", why.detail) : 0, why.hint[0] ? errhint("%s", why.hint) : 0));
    pg_unreachable();
}

} // namespace weir::pg
