// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/argument.hpp"
#include "pg/text.hpp"

namespace weir::pg {

namespace {
constexpr std::size_t max_label_bytes = 512;
} // namespace

void null_argument(const char *name) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
    pg_unreachable();
}

NullableDatum label_argument(FunctionCallInfo fcinfo, int n, const char *called) {
    if (PG_ARGISNULL(n))
        return {Datum{0}, true};
    std::string_view value = view_of(PG_GETARG_DATUM(n));
    if (value.empty())
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be empty", called)));
    if (value.size() > max_label_bytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too long", called),
                        errdetail("It has %zu bytes, the limit is %zu.", value.size(), max_label_bytes)));
    return {PointerGetDatum(PG_GETARG_TEXT_PP(n)), false};
}

NullableDatum headers_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        return {Datum{0}, true};
    Jsonb *value = PG_GETARG_JSONB_P(n);
    if (!JB_ROOT_IS_OBJECT(value))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("headers must be a JSON object")));
    return {PointerGetDatum(value), false};
}

text_array text_array_argument(FunctionCallInfo fcinfo, int n, const char *called, int max, const char *hint) {
    if (PG_ARGISNULL(n))
        null_argument(called);
    text_array t{PG_GETARG_ARRAYTYPE_P(n), nullptr, 0};
    bool *nulls = nullptr;
    if (ARR_NDIM(t.array) > 1)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a one-dimensional array", called)));
    deconstruct_array(t.array, TEXTOID, -1, false, TYPALIGN_INT, &t.values, &nulls, &t.count);
    if (t.count > max)
        ereport(ERROR,
                (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many %s", called),
                 errdetail("There are %d, the limit is %d.", t.count, max), hint == nullptr ? 0 : errhint("%s", hint)));
    for (int i = 0; i < t.count; i++) {
        if (nulls[i])
            null_argument(psprintf("an element of %s", called));
    }
    return t;
}

} // namespace weir::pg
