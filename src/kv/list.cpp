// SPDX-License-Identifier: PostgreSQL
//
// list_buckets(): the names that there are and that the caller may read, by page. bucket_info(): what one holds.
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "core/position.hpp"
#include "kv/checkpoint.hpp"
#include "kv/housekeeping.hpp"
#include "kv/lifecycle.hpp"
#include "kv/names.hpp"
#include "kv/properties.hpp"
#include "kv/request.hpp"
#include "kv/settled.hpp"
#include "log/scan.hpp"
#include "name/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace core = weir::core;
namespace kv = weir::kv;
namespace log_ = weir::log;
namespace name = weir::name;
namespace pg = weir::pg;

namespace {

struct listing {
    std::string_view pattern;
    kv::page page;
    pg::result_set rows;
    Snapshot snapshot;
    MemoryContext memory; // of one row
};

bool list(name::entry const &e, void *context) {
    auto &l = *static_cast<listing *>(context);
    if (!core::glob_matches(l.pattern, e.name))
        return true;
    MemoryContext before = MemoryContextSwitchTo(l.memory);
    if (kv::is_there(e.id, l.snapshot) && kv::has_room(l.page)) {
        Datum values[] = {pg::to_text(e.name)};
        bool nulls[] = {false};
        l.rows.add(values, nulls);
    }
    MemoryContextSwitchTo(before);
    MemoryContextReset(l.memory);
    return !l.page.cut;
}

// The oldest change that is there.
int64 first_change(int64 bucket_id, Snapshot snapshot) {
    int64 first = -1;
    log_::table t = log_::open(kv::log_source, AccessShareLock);
    log_::scan s;
    log_::begin(s, t, bucket_id, -1, core::greatest, ForwardScanDirection, snapshot);
    while (first < 0 && log_::next(s) == log_::step::frame)
        first = kv::is_change(kv::prefix_of(s.slot)) ? s.id : -1;
    log_::end(s);
    log_::close(t);
    return first;
}

} // namespace

WEIR_FUNCTION(weir_list_buckets) {
    enum { pattern_at, after_at, max_at };
    listing l{};
    l.pattern = name::pattern_argument(fcinfo, pattern_at, "pattern");
    std::string_view after;
    if (!PG_ARGISNULL(after_at))
        after = pg::view_of(PG_GETARG_DATUM(after_at));
    l.page = kv::page_argument(fcinfo, max_at);
    l.rows = pg::begin_result_set(fcinfo, pg::result_of::values);
    l.memory = AllocSetContextCreate(CurrentMemoryContext, "weir bucket", ALLOCSET_DEFAULT_SIZES);
    l.snapshot = RegisterSnapshot(GetActiveSnapshot());
    name::for_each_open({&kv::buckets, GetUserId(), name::level::read, name::literal_part(l.pattern), after},
                        l.snapshot, list, &l);
    UnregisterSnapshot(l.snapshot);
    kv::say_cut(l.page, "Go on with after => the last name, or give max, up to 10000.");
    return Datum{0};
}

WEIR_FUNCTION(weir_bucket_info) {
    std::string_view bucket = kv::bucket_argument(fcinfo, name::level::read);
    pg::result_set rows = pg::begin_result_set(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 bucket_id = kv::find(bucket, snapshot);
    if (bucket_id != 0 && kv::is_there(bucket_id, snapshot)) {
        kv::checkpoint c = kv::account(bucket_id, snapshot);
        int64 first = first_change(bucket_id, snapshot), head = kv::find_frontier(bucket_id, snapshot).head;
        Datum values[] = {PG_GETARG_DATUM(0),
                          Int64GetDatum(c.keys),
                          Int64GetDatum(c.kept),
                          Int64GetDatum(c.bytes),
                          Int64GetDatum(first),
                          Int64GetDatum(head),
                          Int64GetDatum(c.changes_floor),
                          JsonbPGetDatum(kv::show_properties(kv::properties_of(bucket_id)))};
        bool nulls[8] = {};
        nulls[4] = first < 0;
        nulls[5] = first < 0;
        nulls[6] = c.changes_floor == 0;
        rows.add(values, nulls);
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}
