// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/clock.hpp"
#include "pg/text.hpp"
#include "stream/rows.hpp"

namespace weir::stream {

namespace {

enum { durable_name, summary_name, best_effort_name, close_name, replace_name, bookmark_name };

bool is_of_type(filter const &f, NullableDatum const &type) {
    if (f.type_count < 0)
        return true;
    if (type.isnull)
        return false;
    std::string_view is = pg::view_of(type.value);
    for (int i = 0; i < f.type_count; i++) {
        if (!f.type_nulls[i] && pg::view_of(f.types[i]) == is)
            return true;
    }
    return false;
}

bool passes(filter const &f, NullableDatum const &type, NullableDatum const &headers) {
    if (!is_of_type(f, type))
        return false;
    return f.headers.isnull ||
           (!headers.isnull && DatumGetBool(DirectFunctionCall2(jsonb_contains, headers.value, f.headers.value)));
}

// Fetched where it lies out of line, while the snapshot that keeps it is held, and left compressed: a result that waits
// to be read is the smaller for it.
NullableDatum as_stored(NullableDatum d) {
    if (!d.isnull && VARATT_IS_EXTERNAL(DatumGetPointer(d.value)))
        d.value = PointerGetDatum(detoast_external_attr(reinterpret_cast<varlena *>(DatumGetPointer(d.value))));
    return d;
}

NullableDatum column(TupleTableSlot *slot, int n) { return {slot->tts_values[n - 1], slot->tts_isnull[n - 1]}; }

Datum mode_of(row_names const &names, reader const &r) {
    if (r.best_effort)
        return names.modes[best_effort_name];
    switch (static_cast<mode>(log::prefix_of<log_prefix>(*r.at)->mode)) {
    case mode::summary:
        return names.modes[summary_name];
    case mode::close:
        return names.modes[close_name];
    case mode::replace:
        return names.modes[replace_name];
    default:
        return names.modes[durable_name];
    }
}

} // namespace

filter make_filter(NullableDatum const &types, NullableDatum const &headers) {
    filter f{};
    f.type_count = -1;
    if (!types.isnull)
        deconstruct_array(DatumGetArrayTypeP(types.value), TEXTOID, -1, false, TYPALIGN_INT, &f.types, &f.type_nulls,
                          &f.type_count);
    f.headers.isnull = headers.isnull;
    if (!f.headers.isnull) {
        Jsonb *wanted = DatumGetJsonbP(headers.value);
        if (!JB_ROOT_IS_OBJECT(wanted))
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("headers must be a JSON object")));
        f.headers.value = PointerGetDatum(wanted);
    }
    return f;
}

filter take_filter(FunctionCallInfo fcinfo, int types, int headers) {
    return make_filter(fcinfo->args[types], fcinfo->args[headers]);
}

row_names make_row_names() {
    row_names names{};
    names.stream.isnull = true;
    names.modes[durable_name] = CStringGetTextDatum("durable");
    names.modes[summary_name] = CStringGetTextDatum("summary");
    names.modes[best_effort_name] = CStringGetTextDatum("best_effort");
    names.modes[close_name] = CStringGetTextDatum("close");
    names.modes[replace_name] = CStringGetTextDatum("replace");
    names.modes[bookmark_name] = CStringGetTextDatum("bookmark");
    names.more = CStringGetTextDatum("more");
    return names;
}

bool find_wanted(row_names const &names, reader &r, filter const &f, stored_row &out) {
    if (!is_for_readers(r))
        return false;
    TupleTableSlot *slot = r.at->slot;
    int first = r.best_effort ? static_cast<int>(best_effort_column::type) : static_cast<int>(log_column::type);
    slot_getallattrs(slot);
    out.id = r.at->id;
    out.mode = mode_of(names, r);
    out.type = column(slot, first);
    out.payload = column(slot, first + 1);
    out.bytes = column(slot, first + 2);
    out.headers = column(slot, first + 3);
    return out.mode == names.modes[close_name] || passes(f, out.type, out.headers);
}

void shape_row(row_names const &names, stored_row const &from, frame_row &out) {
    int n = 0;
    auto put = [&](NullableDatum const &d) {
        out.values[n] = d.value;
        out.nulls[n++] = d.isnull;
    };
    if (!names.stream.isnull)
        put(names.stream);
    put({Int64GetDatum(from.id), false});
    put({TimestampTzGetDatum(log::clock::to_timestamptz(from.id)), false});
    put({from.mode, false});
    put(as_stored(from.type));
    put(as_stored(from.payload));
    put(as_stored(from.bytes));
    put(as_stored(from.headers));
}

void shape_bookmark(row_names const &names, int64 position, bool more, frame_row &out) {
    constexpr NullableDatum none{Datum{0}, true};
    shape_row(names, {position, names.modes[bookmark_name], {names.more, !more}, none, none, none}, out);
}

} // namespace weir::stream
