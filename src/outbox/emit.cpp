// SPDX-License-Identifier: PostgreSQL
//
// emit(): arguments are checked here, so that a bad one is an error of its
// statement and not of the commit.
#include "pg/pg.hpp"

#include "outbox/buffer.hpp"
#include "pg/function.hpp"
#include "stream/request.hpp"

namespace stream = weir::stream;

WEIR_FUNCTION(weir_emit) {
    enum { topic_at, type_at, payload_at, headers_at };
    weir::pg::require_writable("weir.emit()");
    std::string_view topic = stream::target_argument(fcinfo, topic_at, "topic", "topic name");
    if (PG_ARGISNULL(type_at))
        stream::null_argument("type");
    NullableDatum type = stream::take_label(fcinfo, type_at, "type");
    if (PG_ARGISNULL(payload_at))
        stream::null_argument("payload");
    NullableDatum headers = stream::take_headers(fcinfo, headers_at);
    stream::check_frame_size(PG_GETARG_DATUM(payload_at), type, headers);
    Datum payload = PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(payload_at)));
    weir::outbox::add(topic, type, payload, headers);
    PG_RETURN_VOID();
}
