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

struct state_wanted {
    int64 upto;
    bool is_time; // no frame need ever have had that position
};

state_wanted wanted_argument(FunctionCallInfo fcinfo, int upto, int at) {
    if (PG_ARGISNULL(upto) == PG_ARGISNULL(at))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("give exactly one of upto and at"),
                        errhint("Use weir.summary() for the present document.")));
    if (!PG_ARGISNULL(upto))
        return {PG_GETARG_INT64(upto), false};
    TimestampTz time = PG_GETARG_TIMESTAMPTZ(at);
    if (time > GetCurrentTimestamp())
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("at lies in the future"),
                        errhint("Use weir.summary() for the present document.")));
    // The last position of its millisecond.
    int64 behind = core::make(weir::log::clock::first_ms_from(TIMESTAMP_IS_NOBEGIN(time) ? time : time + 1), 0);
    return {behind > core::least ? behind - 1 : core::least, true};
}

void check_there(std::string_view name, int64 stream_id, int64 upto, Snapshot snapshot) {
    stream::check_not_lost(name, stream_id, upto, snapshot);
    if (stream_id == 0 || !stream::is_beyond(stream_id, upto))
        return;
    char wanted[core::position_text_size];
    core::format_position(upto, wanted);
    ereport(ERROR, (errcode(weir::pg::errcode_cursor_ahead),
                    errmsg("position %s is ahead of stream \"%.*s\"", wanted, weir::pg::shown(name), name.data()),
                    errhint("Use weir.summary() for the present document, or at for a time.")));
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
    state_wanted wanted = wanted_argument(fcinfo, 1, 2);
    weir::pg::result_set rows = weir::pg::begin_result_set(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 stream_id = stream::find_living(name, snapshot);
    if (!wanted.is_time)
        check_there(name, stream_id, wanted.upto, snapshot);
    if (stream_id != 0) {
        stream::folded f = stream::fold_log(stream_id, wanted.upto, snapshot, stream::want::document);
        check_kept(name, stream_id, wanted.upto, f, snapshot);
        add_summary(rows, f);
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}
