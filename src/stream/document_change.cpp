// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "stream/document_change.hpp"
#include "stream/fold.hpp"

namespace weir::stream {

namespace {

[[noreturn]] void raise_document_too_large(std::string_view name) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("summary document of stream \"%.*s\" would be too large", pg::shown(name), name.data()),
                    errdetail("With this patch it may have more than %d bytes.", pg::settings::max_document_bytes),
                    errhint("Replace the document by a smaller one with replace => true, or raise "
                            "weir.max_document_bytes.")));
    pg_unreachable();
}

} // namespace

bool fits(document_change &c, core::document_bound const &before) {
    int64 limit = core::in_units(pg::settings::max_document_bytes);
    if (!c.replaces && before.units + c.growth <= limit) {
        c.next = before.plus(c.growth);
        return true;
    }
    int64 units = c.replaces ? 0 : c.units + before.units - c.as_of.units;
    bool known = c.replaces || (c.measured && before.generation == c.as_of.generation);
    c.next = before.set(units + c.growth);
    return known && units + c.growth <= limit;
}

void measure_document(document_change &c, std::string_view name, int64 stream_id, core::document_bound const &before) {
    constexpr int max_measurings = 3; // while others measure, too
    if (c.replaces || c.measurings++ == max_measurings || (c.measured && c.as_of.version == before.version))
        raise_document_too_large(name);
    CommandCounterIncrement(); // what this statement appended before counts
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    folded f = fold_log(stream_id, core::greatest, latest, want::document_within_bounds);
    UnregisterSnapshot(latest);
    if (f.too_large)
        raise_document_too_large(name);
    c.measured = true;
    c.as_of = core::document_bound::unpack(f.packed_version);
    c.units = f.document == nullptr ? 0 : core::in_units(core::measure(pg::container_of(f.document)));
}

} // namespace weir::stream
