// SPDX-License-Identifier: PostgreSQL
//
// Reads of single keys: one descent of the index each, with the statement's snapshot.
#include "pg/pg.hpp"

#include "kv/properties.hpp"
#include "kv/request.hpp"
#include "kv/rows.hpp"
#include "kv/state.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace kv = weir::kv;
namespace pg = weir::pg;
using kv::column::bytes;
using kv::column::value;

namespace {

[[noreturn]] void raise_other_form(Datum key, const char *is, const char *call) {
    std::string_view k = pg::view_of(key);
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the value of key \"%.*s\" is %s", pg::shown(k), k.data(), is),
             errhint("Read it with %s.", call)));
    pg_unreachable();
}

// A column of the key's entry, detoasted; the other one of value and bytes is an error. False: not there.
bool get(FunctionCallInfo fcinfo, int wanted, Datum *out) {
    constexpr int revision_at = 2;
    Datum key = kv::key_argument(fcinfo);
    kv::state s = kv::begin_state(fcinfo, revision_at);
    kv::versions v;
    kv::open_versions(v);
    bool found = kv::find(v, s, key);
    if (found) {
        bool null = false;
        Datum stored = slot_getattr(v.slot, static_cast<AttrNumber>(wanted), &null);
        if (null)
            raise_other_form(key, wanted == value ? "bytes" : "not bytes",
                             wanted == value ? "weir.kv_get_bytes()" : "weir.kv_get() or weir.kv_get_text()");
        *out = PointerGetDatum(PG_DETOAST_DATUM_COPY(stored));
    }
    kv::close_versions(v);
    kv::end_state(s);
    return found;
}

Datum text_of(Jsonb *json) {
    if (JB_ROOT_IS_SCALAR(json)) {
        JsonbValue scalar;
        (void)JsonbExtractScalar(&json->root, &scalar);
        if (scalar.type == jbvString)
            return pg::to_text({scalar.val.string.val, static_cast<std::size_t>(scalar.val.string.len)});
    }
    return CStringGetTextDatum(JsonbToCString(nullptr, &json->root, VARSIZE(json)));
}

} // namespace

WEIR_FUNCTION(weir_kv_get) {
    Datum out = 0;
    if (!get(fcinfo, value, &out))
        PG_RETURN_NULL();
    return out;
}

WEIR_FUNCTION(weir_kv_get_text) {
    Datum out = 0;
    if (!get(fcinfo, value, &out))
        PG_RETURN_NULL();
    return text_of(DatumGetJsonbP(out));
}

WEIR_FUNCTION(weir_kv_get_bytes) {
    Datum out = 0;
    if (!get(fcinfo, bytes, &out))
        PG_RETURN_NULL();
    return out;
}

WEIR_FUNCTION(weir_kv_entry) {
    constexpr int revision_at = 2;
    Datum key = kv::key_argument(fcinfo);
    pg::result_set rows = pg::begin_result_set(fcinfo);
    kv::state s = kv::begin_state(fcinfo, revision_at);
    kv::versions v;
    kv::open_versions(v);
    if (kv::find(v, s, key))
        kv::add_change(rows, v.slot);
    kv::close_versions(v);
    kv::end_state(s);
    return Datum{0};
}

WEIR_FUNCTION(weir_kv_get_many) {
    constexpr int keys_at = 1, revision_at = 2, max_keys = 10000;
    pg::text_array keys = pg::text_array_argument(fcinfo, keys_at, "keys", max_keys);
    pg::result_set rows = pg::begin_result_set(fcinfo);
    kv::state s = kv::begin_state(fcinfo, revision_at);
    kv::versions v;
    kv::open_versions(v);
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir key", ALLOCSET_DEFAULT_SIZES);
    for (int i = 0; i < keys.count; i++) {
        CHECK_FOR_INTERRUPTS();
        bool found = kv::find(v, s, keys.values[i]);
        MemoryContext before = MemoryContextSwitchTo(per_row);
        if (found)
            kv::add_change(rows, v.slot);
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    kv::close_versions(v);
    kv::end_state(s);
    MemoryContextDelete(per_row);
    return Datum{0};
}

// Down to a purge, and as far as the history reaches, whatever has been removed by now.
WEIR_FUNCTION(weir_kv_history) {
    enum { bucket_at, key_at, after_at, upto_at, max_at };
    Datum key = kv::key_argument(fcinfo);
    int64 after = kv::revision_argument(fcinfo, after_at, -1),
          upto = kv::revision_argument(fcinfo, upto_at, PG_INT64_MAX);
    kv::page page = kv::page_argument(fcinfo, max_at);
    pg::result_set rows = pg::begin_result_set(fcinfo);
    kv::state s = kv::begin_state(fcinfo, -1);
    if (s.bucket_id != 0) {
        int64 history = kv::properties_of(s.bucket_id).integer(kv::property::history);
        kv::versions v;
        kv::open_versions(v);
        kv::seek(v, s.bucket_id, key, PG_INT64_MAX, s.snapshot);
        for (bool purged = false; !purged && history-- > 0 && kv::next_older(v);) {
            kv::prefix const &row = kv::prefix_of(v.slot);
            if (row.revision <= after)
                break;
            purged = kv::op_of(row) == kv::op::purge;
            if (row.revision <= upto && kv::has_room(page))
                kv::add_change(rows, v.slot);
        }
        kv::close_versions(v);
        kv::say_cut(page, "Go on with upto => a revision before the last, or give max, up to 10000.");
    }
    kv::end_state(s);
    return Datum{0};
}
