// SPDX-License-Identifier: PostgreSQL
//
// emit(): arguments are checked here, so that a bad one is an error of its
// statement and not of the commit.
#include "pg/pg.hpp"

#include "name/argument.hpp"
#include "outbox/buffer.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "stream/request.hpp"

namespace pg = weir::pg;
namespace name = weir::name;
namespace stream = weir::stream;

WEIR_FUNCTION(weir_emit) {
    enum { stream_at, type_at, payload_at, headers_at };
    weir::pg::require_writable("weir.emit()");
    std::string_view stream = name::target_argument(fcinfo, stream_at, "stream", "stream name");
    if (PG_ARGISNULL(type_at))
        pg::null_argument("type");
    NullableDatum type = pg::label_argument(fcinfo, type_at, "type");
    if (PG_ARGISNULL(payload_at))
        pg::null_argument("payload");
    NullableDatum headers = pg::headers_argument(fcinfo, headers_at);
    stream::check_frame_size(PG_GETARG_DATUM(payload_at), type, headers);
    Datum payload = PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(payload_at)));
    weir::outbox::add(stream, type, payload, headers);
    PG_RETURN_VOID();
}
