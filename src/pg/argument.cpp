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

void check_label(std::string_view value, const char *called) {
    if (value.empty())
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be empty", called)));
    if (value.size() > max_label_bytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too long", called),
                        errdetail("It has %zu bytes, the limit is %zu.", value.size(), max_label_bytes)));
}

void check_headers(Jsonb const *value, const char *called) {
    if (!JB_ROOT_IS_OBJECT(value))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a JSON object", called)));
}

NullableDatum label_argument(FunctionCallInfo fcinfo, int n, const char *called) {
    if (PG_ARGISNULL(n))
        return {Datum{0}, true};
    check_label(view_of(PG_GETARG_DATUM(n)), called);
    return {PointerGetDatum(PG_GETARG_TEXT_PP(n)), false};
}

NullableDatum headers_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        return {Datum{0}, true};
    Jsonb *value = PG_GETARG_JSONB_P(n);
    check_headers(value, "headers");
    return {PointerGetDatum(value), false};
}

int64 duration_argument(FunctionCallInfo fcinfo, int n, const char *called, duration_range const &range,
                        const char *hint) {
    if (PG_ARGISNULL(n))
        null_argument(called);
    Interval const *given = PG_GETARG_INTERVAL_P(n);
    constexpr int64 max_days = 2 * century_us / USECS_PER_DAY; // beyond it nothing fits, and sums might overflow
    int64 days = int64{given->month} * DAYS_PER_MONTH + given->day, days_of_time = given->time / USECS_PER_DAY;
    bool fits = days >= -max_days && days <= max_days && days_of_time >= -max_days && days_of_time <= max_days;
    int64 us = fits ? days * USECS_PER_DAY + given->time : -1;
    if (us < range.least_us || us > range.greatest_us)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is out of range", called),
                        errdetail("It must be %s.", range.text), hint == nullptr ? 0 : errhint("%s", hint)));
    return us;
}

int max_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        null_argument("max");
    int max = PG_GETARG_INT32(n);
    if (max < 1 || max > max_rows)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max is out of range"),
                        errdetail("It must be from 1 to %d.", max_rows)));
    return max;
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
