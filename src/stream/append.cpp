// SPDX-License-Identifier: PostgreSQL
//
// A retry under an idempotency key gets its answer also where its lease is gone by
// now: nothing is written then. So the fence comes after the key.
#include "pg/pg.hpp"

#include "pg/function.hpp"
#include "stream/append.hpp"
#include "stream/hooks.hpp"
#include "stream/housekeeping.hpp"
#include "stream/idempotency.hpp"
#include "stream/lifetime.hpp"
#include "stream/names.hpp"
#include "stream/writer.hpp"

namespace weir::stream {

written append(request const &r) {
    known_stream to = r.key.isnull ? find_or_create(r.name) : look_up_or_create(r.name);
    if (!r.key.isnull) // the keys of a stream that is over are gone with it
        end_if_over(r.name, to);
    written result;
    if (!r.key.isnull && recall_result(to.id, r, result))
        return result;
    if (r.fence.given())
        hold_fence(r.fence);
    int64 claimed_in = to.id;
    result = write(to, r);
    if (!r.key.isnull && to.id != claimed_in)
        ereport(ERROR,
                (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                 errmsg("the stream ended during the call, or its name was forgotten"), errhint("Repeat the call.")));
    if (!r.key.isnull)
        record_result(to.id, r, result);
    if (r.best_effort) {
        ask_to_trim(to.id, result, r.count);
    } else {
        ask_for_checkpoint(to.id, result, r.count);
        tell_of_append(to.id, result, r.count);
    }
    return result;
}

} // namespace weir::stream

namespace stream = weir::stream;
using stream::form;

namespace {

Datum append_one(FunctionCallInfo fcinfo, form payload, bool best_effort) {
    weir::pg::require_writable(best_effort ? "weir.append_best_effort()" : "weir.append()");
    return Int64GetDatum(stream::append(stream::append_request(fcinfo, payload, false, best_effort)).first_id);
}

Datum append_many(FunctionCallInfo fcinfo, form payload, bool best_effort) {
    weir::pg::require_writable(best_effort ? "weir.append_best_effort_batch()" : "weir.append_batch()");
    stream::written w = stream::append(stream::append_request(fcinfo, payload, true, best_effort));
    Datum values[] = {Int64GetDatum(w.first_id), Int64GetDatum(w.last_id),
                      Int32GetDatum(static_cast<int32>(w.last_id - w.first_id + 1))};
    bool nulls[] = {false, false, false};
    return weir::pg::make_row(fcinfo, values, nulls);
}

} // namespace

WEIR_FUNCTION(weir_append) { return append_one(fcinfo, form::json, false); }
WEIR_FUNCTION(weir_append_text) { return append_one(fcinfo, form::text, false); }
WEIR_FUNCTION(weir_append_bytes) { return append_one(fcinfo, form::bytes, false); }
WEIR_FUNCTION(weir_append_batch) { return append_many(fcinfo, form::json, false); }
WEIR_FUNCTION(weir_append_text_batch) { return append_many(fcinfo, form::text, false); }
WEIR_FUNCTION(weir_append_bytes_batch) { return append_many(fcinfo, form::bytes, false); }
WEIR_FUNCTION(weir_append_best_effort) { return append_one(fcinfo, form::json, true); }
WEIR_FUNCTION(weir_append_best_effort_text) { return append_one(fcinfo, form::text, true); }
WEIR_FUNCTION(weir_append_best_effort_bytes) { return append_one(fcinfo, form::bytes, true); }
WEIR_FUNCTION(weir_append_best_effort_batch) { return append_many(fcinfo, form::json, true); }
WEIR_FUNCTION(weir_append_best_effort_text_batch) { return append_many(fcinfo, form::text, true); }
WEIR_FUNCTION(weir_append_best_effort_bytes_batch) { return append_many(fcinfo, form::bytes, true); }

WEIR_FUNCTION(weir_append_patch) {
    weir::pg::require_writable("weir.append_patch()");
    stream::written w = stream::append(stream::patch_request(fcinfo));
    Datum values[] = {Int64GetDatum(w.first_id), Int64GetDatum(w.version)};
    bool nulls[] = {false, false};
    return weir::pg::make_row(fcinfo, values, nulls);
}
