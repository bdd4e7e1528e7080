// SPDX-License-Identifier: PostgreSQL
//
// The calls that emit: arguments are checked here, so that a bad one is an error of its
// statement and not of the commit. What a batch has added when one of its events does not fit
// goes with the subtransaction that the error ends.
#include "pg/pg.hpp"

#include "outbox/buffer.hpp"
#include "pg/function.hpp"
#include "stream/request.hpp"

namespace pg = weir::pg;
namespace stream = weir::stream;

using stream::form;

namespace {

Datum emit(FunctionCallInfo fcinfo, form payload, bool batch) {
    pg::require_writable(batch ? "weir.emit_batch()" : "weir.emit()");
    stream::request r = stream::emit_request(fcinfo, payload, batch);
    for (int i = 0; i < r.count; i++)
        weir::outbox::add(r.name, stream::type_at(r, i), r.values[i], stream::headers_at(r, i), r.bytes);
    PG_RETURN_VOID();
}

} // namespace

WEIR_FUNCTION(weir_emit) { return emit(fcinfo, form::json, false); }
WEIR_FUNCTION(weir_emit_text) { return emit(fcinfo, form::text, false); }
WEIR_FUNCTION(weir_emit_bytes) { return emit(fcinfo, form::bytes, false); }
WEIR_FUNCTION(weir_emit_batch) { return emit(fcinfo, form::json, true); }
WEIR_FUNCTION(weir_emit_text_batch) { return emit(fcinfo, form::text, true); }
WEIR_FUNCTION(weir_emit_bytes_batch) { return emit(fcinfo, form::bytes, true); }
