// SPDX-License-Identifier: PostgreSQL
//
// Puts: whatever is there is superseded. Two of one key do not wait for each other; the one with the greater revision
// is the newest, whichever commits first, and where it rolls back it was never there.
#include "pg/pg.hpp"

#include "kv/writer.hpp"
#include "pg/function.hpp"

namespace kv = weir::kv;
namespace pg = weir::pg;
using kv::form;

namespace {

Datum put_one(FunctionCallInfo fcinfo, form value) {
    constexpr int options_at = 3;
    pg::require_writable("weir.kv_put()");
    return Int64GetDatum(kv::put(kv::put_request(fcinfo, value, options_at)));
}

Datum put_many(FunctionCallInfo fcinfo, form value) {
    pg::require_writable("weir.kv_put_many()");
    kv::request r = kv::put_many_request(fcinfo, value);
    int64 first = kv::put(r);
    Datum values[] = {Int64GetDatum(first), Int64GetDatum(first + r.count - 1), Int32GetDatum(r.count)};
    bool nulls[3] = {};
    return pg::make_row(fcinfo, values, nulls);
}

} // namespace

WEIR_FUNCTION(weir_kv_put) { return put_one(fcinfo, form::json); }
WEIR_FUNCTION(weir_kv_put_text) { return put_one(fcinfo, form::text); }
WEIR_FUNCTION(weir_kv_put_bytes) { return put_one(fcinfo, form::bytes); }
WEIR_FUNCTION(weir_kv_put_many) { return put_many(fcinfo, form::json); }
WEIR_FUNCTION(weir_kv_put_text_many) { return put_many(fcinfo, form::text); }
WEIR_FUNCTION(weir_kv_put_bytes_many) { return put_many(fcinfo, form::bytes); }
