// SPDX-License-Identifier: PostgreSQL
//
// emit(): arguments are checked here, so that a bad one is an error of its
// statement and not of the commit.
#include "pg/pg.hpp"

#include "outbox/buffer.hpp"
#include "pg/function.hpp"
#include "stream/request.hpp"

namespace stream = weir::stream;

namespace {

[[noreturn]] void null_argument(const char *name) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
    pg_unreachable();
}

} // namespace

WEIR_FUNCTION(weir_emit) {
    enum { topic_argument, type_argument, payload_argument, headers_argument };
    weir::pg::require_writable("weir.emit()");
    std::string_view topic = stream::name_argument(fcinfo, topic_argument, "topic");
    if (PG_ARGISNULL(type_argument))
        null_argument("type");
    NullableDatum type = stream::take_label(fcinfo, type_argument, "type");
    if (PG_ARGISNULL(payload_argument))
        null_argument("payload");
    NullableDatum headers = stream::take_headers(fcinfo, headers_argument);
    stream::check_frame_size(PG_GETARG_DATUM(payload_argument), type, headers);
    Datum payload = PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(payload_argument)));
    weir::outbox::add(topic, type, payload, headers);
    PG_RETURN_VOID();
}
