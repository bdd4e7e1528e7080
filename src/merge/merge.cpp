// SPDX-License-Identifier: PostgreSQL
//
// JSON merge patch as SQL functions. Those with a sentinel are not strict: a NULL sentinel
// means none, a NULL document gives NULL.
#include "pg/pg.hpp"

#include "core/merge_patch.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"

namespace core = weir::core;
namespace pg = weir::pg;

namespace {

std::string_view sentinel_argument(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(2))
        return {};
    std::string_view sentinel = pg::view_of(PG_GETARG_DATUM(2));
    if (sentinel.empty())
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("null_sentinel must not be empty")));
    return sentinel;
}

core::jsonb_bytes document(FunctionCallInfo fcinfo, int n) { return pg::container_of(PG_GETARG_JSONB_P(n)); }

Datum result_or_error(bool done, core::merge_result const &result, core::failure const &why) {
    if (!done)
        pg::report(why);
    return pg::to_datum(result);
}

} // namespace

WEIR_FUNCTION(weir_merge_patch) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        PG_RETURN_NULL();
    core::failure why;
    core::merge_result result{};
    bool done = core::merge_patch(pg::memory_of(CurrentMemoryContext), document(fcinfo, 0), document(fcinfo, 1),
                                  sentinel_argument(fcinfo), core::depth_limit, result, why);
    return result_or_error(done, result, why);
}

WEIR_FUNCTION(weir_merge_diff) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        PG_RETURN_NULL();
    core::failure why;
    core::merge_result result{};
    bool done = core::merge_diff(pg::memory_of(CurrentMemoryContext), document(fcinfo, 0), document(fcinfo, 1),
                                 sentinel_argument(fcinfo), core::depth_limit, result, why);
    return result_or_error(done, result, why);
}

WEIR_FUNCTION(weir_merge_patches) {
    core::failure why;
    core::merge_result result{};
    bool done = core::merge_patches(pg::memory_of(CurrentMemoryContext), document(fcinfo, 0), document(fcinfo, 1),
                                    core::depth_limit, result, why);
    return result_or_error(done, result, why);
}
