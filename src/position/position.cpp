// SPDX-License-Identifier: PostgreSQL
//
// The type weir.position: text and binary input, and the casts that can fail.
// All the rest of it is the server's own bigint support (sql/position.sql).
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"

namespace core = weir::core;

WEIR_FUNCTION(weir_position_in) {
    core::failure why;
    int64 value = 0;
    if (!core::parse_position(PG_GETARG_CSTRING(0), value, why))
        weir::pg::report(why);
    PG_RETURN_INT64(value);
}

WEIR_FUNCTION(weir_position_out) {
    auto *buffer = static_cast<char *>(palloc(core::position_text_size));
    core::format_position(PG_GETARG_INT64(0), buffer);
    PG_RETURN_CSTRING(buffer);
}

WEIR_FUNCTION(weir_position_recv) {
    int64 value = pq_getmsgint64(reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0)));
    if (value < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                        errmsg("invalid binary value for type weir.position"), errdetail("It is negative.")));
    PG_RETURN_INT64(value);
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
