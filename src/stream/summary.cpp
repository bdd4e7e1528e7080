// SPDX-License-Identifier: PostgreSQL
//
// The rolling document: the fold of a stream's patches in the order of their ids,
// computed from the log at every reading.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "name/argument.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"
#include "stream/ahead.hpp"
#include "stream/fold.hpp"
#include "stream/lifetime.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"
#include "stream/request.hpp"

namespace name = weir::name;
namespace core = weir::core;
namespace stream = weir::stream;
using weir::log::clock::to_timestamptz;

namespace {

void add_summary(weir::pg::result_set const &rows, stream::folded const &f) {
    if (f.patched_at < 0 || f.document == nullptr)
        return;
    Datum values[] = {PointerGetDatum(f.document),
                      Int64GetDatum(f.version),
                      Int64GetDatum(f.patched_at),
                      CStringGetTextDatum("json-merge-patch"),
                      TimestampTzGetDatum(to_timestamptz(f.first_patch)),
                      TimestampTzGetDatum(to_timestamptz(f.patched_at))};
    bool nulls[6] = {};
    rows.add(values, nulls);
}

// A state before what a trim left cannot be computed any more.
void check_kept(std::string_view name, int64 stream_id, int64 at, stream::folded const &f, Snapshot snapshot) {
    stream::folded now = stream::fold_log(stream_id, core::greatest, snapshot, stream::want::counts);
    if (now.trimmed_below <= 0 || at >= now.trimmed_below - 1 || f.trimmed_below == now.trimmed_below)
        return;
    char wanted[core::position_text_size], first[core::position_text_size];
    core::format_position(at, wanted);
    core::format_position(now.trimmed_below - 1, first);
    ereport(ERROR, (errcode(weir::pg::errcode_summary_expired),
                    errmsg("the summary of stream \"%.*s\" at %s is no longer available", weir::pg::shown(name),
                           name.data(), wanted),
                    errdetail("Patches below %s were trimmed.", first),
                    errhint("The first position available is %s.", first)));
}

} // namespace

WEIR_FUNCTION(weir_summary) {
    std::string_view name = name::name_argument(fcinfo, 0, name::level::read);
    weir::pg::result_set rows = weir::pg::begin_result_set(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    if (int64 stream_id = stream::find_living(name, snapshot))
        add_summary(rows, stream::fold_log(stream_id, core::greatest, snapshot, stream::want::document));
    UnregisterSnapshot(snapshot);
    return Datum{0};
}

WEIR_FUNCTION(weir_summary_at) {
    std::string_view name = name::name_argument(fcinfo, 0, name::level::read);
    if (PG_ARGISNULL(1))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("position must not be null")));
    int64 at = PG_GETARG_INT64(1);
    weir::pg::result_set rows = weir::pg::begin_result_set(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    if (int64 stream_id = stream::find_living(name, snapshot)) {
        stream::check_not_lost(name, stream_id, at, snapshot);
        if (!RecoveryInProgress() && at > stream::newest_position(stream_id)) {
            char wanted[core::position_text_size];
            core::format_position(at, wanted);
            ereport(ERROR,
                    (errcode(weir::pg::errcode_cursor_ahead),
                     errmsg("position %s is ahead of stream \"%.*s\"", wanted, weir::pg::shown(name), name.data()),
                     errhint("Use weir.summary() for the present document.")));
        }
        stream::folded f = stream::fold_log(stream_id, at, snapshot, stream::want::document);
        check_kept(name, stream_id, at, f, snapshot);
        add_summary(rows, f);
    } else {
        stream::check_not_lost(name, 0, at, snapshot);
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}
