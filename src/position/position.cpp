// SPDX-License-Identifier: PostgreSQL
//
// The type weir.position: text and binary input, the casts that can fail, and frames of a
// window by time. What else it is compared, hashed and indexed by is the server's own bigint
// support (sql/position.sql).
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace core = weir::core;

namespace {

int64 parse(std::string_view text) {
    core::failure why;
    int64 value = 0;
    if (!core::parse_position(text, value, why))
        weir::pg::report(why);
    return value;
}

[[noreturn]] void refuse_binary(const char *detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                    errmsg("invalid binary value for type weir.position"), errdetail("%s", detail)));
    pg_unreachable();
}

int64 require_binary(int64 value) {
    if (value < 0)
        refuse_binary("It is negative.");
    return value;
}

} // namespace

WEIR_FUNCTION(weir_position_in) { PG_RETURN_INT64(parse(PG_GETARG_CSTRING(0))); }

WEIR_FUNCTION(weir_position_from_text) { PG_RETURN_INT64(parse(weir::pg::view_of(PG_GETARG_DATUM(0)))); }

WEIR_FUNCTION(weir_position_out) {
    auto *buffer = static_cast<char *>(palloc(core::position_text_size));
    core::format_position(PG_GETARG_INT64(0), buffer);
    PG_RETURN_CSTRING(buffer);
}

WEIR_FUNCTION(weir_position_recv) {
    PG_RETURN_INT64(require_binary(pq_getmsgint64(reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)))));
}

WEIR_FUNCTION(weir_position_from_bytea) {
    std::string_view bytes = weir::pg::view_of(PG_GETARG_DATUM(0));
    uint64 value = 0;
    if (bytes.size() != sizeof value)
        refuse_binary("It must be 8 bytes long.");
    memcpy(&value, bytes.data(), sizeof value);
    PG_RETURN_INT64(require_binary(static_cast<int64>(pg_ntoh64(value))));
}

WEIR_FUNCTION(weir_position_from_bigint) {
    int64 value = PG_GETARG_INT64(0);
    if (value < 0)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("value \"" INT64_FORMAT "\" is out of range for type weir.position", value)));
    PG_RETURN_INT64(value);
}

WEIR_FUNCTION(weir_position_from_timestamptz) {
    TimestampTz value = PG_GETARG_TIMESTAMPTZ(0);
    if (TIMESTAMP_IS_NOBEGIN(value))
        PG_RETURN_INT64(core::least);
    if (TIMESTAMP_IS_NOEND(value))
        PG_RETURN_INT64(core::greatest);
    constexpr int64 epoch_difference = static_cast<int64>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
    if (value < -epoch_difference || value / 1000 > core::max_ms - epoch_difference / 1000)
        ereport(ERROR,
                (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range for type weir.position"),
                 errdetail("Positions go from 1970 to the year 2248.")));
    PG_RETURN_INT64(core::make(weir::log::clock::to_unix_us(value) / 1000, 0));
}

WEIR_FUNCTION(weir_position_to_timestamptz) {
    PG_RETURN_TIMESTAMPTZ(weir::log::clock::to_timestamptz(PG_GETARG_INT64(0)));
}

// in_range of the btree operator class, for windows: RANGE BETWEEN '10 s' PRECEDING AND CURRENT ROW.
// Days count 24 hours and months 30 days, as everywhere in weir, so that it depends on no time zone.
WEIR_FUNCTION(weir_position_in_range) {
    int64 value = PG_GETARG_INT64(0), base = PG_GETARG_INT64(1);
    Interval const *offset = PG_GETARG_INTERVAL_P(2);
    bool sub = PG_GETARG_BOOL(3), less = PG_GETARG_BOOL(4);
    __extension__ using wide = __int128; // of any interval, the infinite ones included
    wide us = (wide{offset->month} * DAYS_PER_MONTH + offset->day) * USECS_PER_DAY + offset->time;
    if (us < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PRECEDING_OR_FOLLOWING_SIZE),
                        errmsg("invalid preceding or following size in window function")));
    wide edge = wide{core::ms_of(base)} * 1000 + (sub ? -us : us), at = wide{core::ms_of(value)} * 1000;
    if (at != edge)
        PG_RETURN_BOOL(less ? at < edge : at > edge);
    PG_RETURN_BOOL(less ? core::seq_of(value) <= core::seq_of(base) : core::seq_of(value) >= core::seq_of(base));
}
