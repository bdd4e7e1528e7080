// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/rows.hpp"
#include "log/clock.hpp"

namespace weir::kv {

namespace {

const char *name_of(enum op o) {
    switch (o) {
    case op::put:
        return "put";
    case op::remove:
        return "delete";
    case op::purge:
        return "purge";
    default:
        return "expire";
    }
}

struct row {
    Datum values[8];
    bool nulls[8];
    int count;

    void put(Datum value, bool null = false) {
        values[count] = value;
        nulls[count++] = null;
    }
};

void put_column(row &r, TupleTableSlot *slot, int n) {
    bool null = false;
    Datum value = slot_getattr(slot, static_cast<AttrNumber>(n), &null);
    r.put(null ? Datum{0} : fetched(value), null);
}

void put_time(row &r, int64 position) { r.put(TimestampTzGetDatum(log::clock::to_timestamptz(position))); }

void shape(row &r, TupleTableSlot *slot) {
    prefix const &p = prefix_of(slot);
    put_column(r, slot, column::key);
    r.put(Int64GetDatum(p.revision));
    put_time(r, p.revision);
    r.put(CStringGetTextDatum(name_of(op_of(p))));
    put_column(r, slot, column::value);
    put_column(r, slot, column::bytes);
    put_column(r, slot, column::headers);
    if (p.expires_at == 0)
        r.put(Datum{0}, true);
    else
        put_time(r, core::make(p.expires_at, 0));
}

} // namespace

Datum fetched(Datum value) {
    if (!VARATT_IS_EXTERNAL(DatumGetPointer(value)))
        return value;
    return PointerGetDatum(detoast_external_attr(reinterpret_cast<varlena *>(DatumGetPointer(value))));
}

void add_change(pg::result_set const &rows, TupleTableSlot *slot) {
    row r{};
    shape(r, slot);
    rows.add(r.values, r.nulls);
}

void add_bookmark(pg::result_set const &rows, int64 position) {
    row r{};
    r.put(Datum{0}, true);
    r.put(Int64GetDatum(position));
    put_time(r, position);
    r.put(CStringGetTextDatum("bookmark"));
    while (r.count < 8)
        r.put(Datum{0}, true);
    rows.add(r.values, r.nulls);
}

} // namespace weir::kv
