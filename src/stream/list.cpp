// SPDX-License-Identifier: PostgreSQL
//
// list_streams(): the names that there are and that the caller may read, by page. A look at the registry and one at the
// log for each, where stream_info() counts what the stream holds.
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "name/argument.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"
#include "stream/names.hpp"
#include "stream/request.hpp"
#include "stream/state.hpp"

namespace name = weir::name;
namespace core = weir::core;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

struct listing {
    std::string_view pattern;
    int left;
    pg::result_set rows;
    Snapshot snapshot;
    MemoryContext memory; // of one row
};

bool list(name::entry const &e, void *context) {
    auto &l = *static_cast<listing *>(context);
    if (!core::glob_matches(l.pattern, e.name))
        return true;
    MemoryContext before = MemoryContextSwitchTo(l.memory);
    if (stream::state state = stream::state_of(e.id, l.snapshot); state.there) {
        Datum values[] = {pg::to_text(e.name), BoolGetDatum(state.closed)};
        bool nulls[] = {false, false};
        l.rows.add(values, nulls);
        l.left--;
    }
    MemoryContextSwitchTo(before);
    MemoryContextReset(l.memory);
    return l.left > 0;
}

} // namespace

WEIR_FUNCTION(weir_list_streams) {
    enum { pattern_argument, after_argument, max_argument };
    listing l{};
    l.pattern = name::pattern_argument(fcinfo, pattern_argument, "pattern");
    std::string_view after;
    if (!PG_ARGISNULL(after_argument))
        after = pg::view_of(PG_GETARG_DATUM(after_argument));
    l.left = pg::max_argument(fcinfo, max_argument);
    l.rows = pg::begin_result_set(fcinfo);
    l.memory = AllocSetContextCreate(CurrentMemoryContext, "weir stream", ALLOCSET_DEFAULT_SIZES);
    l.snapshot = RegisterSnapshot(GetActiveSnapshot());
    name::for_each_open({&stream::streams, GetUserId(), name::level::read, name::literal_part(l.pattern), after},
                        l.snapshot, list, &l);
    UnregisterSnapshot(l.snapshot);
    return Datum{0};
}
