// SPDX-License-Identifier: PostgreSQL
//
// kv_watch(): the changes of a bucket in the order of their revisions, settled, as a reader of a stream gets its
// frames (log/README.md). Without a cursor it begins with what is there: the rows of the log up to the frontier that
// are the newest of their keys. That may take many calls; who goes on in the middle says where it began (head() from
// before the first call), and is given what is there up to that, and every change behind.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/names.hpp"
#include "kv/request.hpp"
#include "kv/rows.hpp"
#include "kv/settled.hpp"
#include "kv/versions.hpp"
#include "log/clock.hpp"
#include "log/scan.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace core = weir::core;
namespace kv = weir::kv;
namespace pg = weir::pg;
namespace log_ = weir::log;

namespace {

constexpr int max_prefixes = 10000;
constexpr int max_looked_at = 100000; // with a bookmark

enum { bucket_at, prefixes_at, after_at, began_at, max_at, bookmark_at };

struct wanted {
    bool everything;
    pg::text_array prefixes;
    int64 after;
    int64 began; // up to it only what is there as of now
    kv::page page;
    bool bookmark;
};

wanted take(FunctionCallInfo fcinfo) {
    wanted w{};
    w.everything = PG_ARGISNULL(prefixes_at);
    if (!w.everything)
        w.prefixes = pg::text_array_argument(fcinfo, prefixes_at, "prefixes", max_prefixes);
    w.after = kv::revision_argument(fcinfo, after_at, -1);
    w.began = kv::revision_argument(fcinfo, began_at, -1);
    w.page = kv::page_argument(fcinfo, max_at);
    if (PG_ARGISNULL(bookmark_at))
        pg::null_argument("bookmark");
    w.bookmark = PG_GETARG_BOOL(bookmark_at);
    return w;
}

bool matches(wanted const &w, std::string_view key) {
    if (w.everything)
        return true;
    for (int i = 0; i < w.prefixes.count; i++) {
        std::string_view prefix = pg::view_of(w.prefixes.values[i]);
        if (key.substr(0, prefix.size()) == prefix)
            return true;
    }
    return false;
}

// Whether the change says what its key is at the frontier.
bool is_newest(kv::versions &v, int64 bucket_id, kv::prefix const &row, std::string_view key, int64 frontier,
               int64 now_ms, Snapshot snapshot) {
    return kv::is_alive(row, now_ms) && kv::find_newest(v, bucket_id, pg::to_text(key), frontier, snapshot) &&
           kv::prefix_of(v.slot).revision == row.revision;
}

// Returns the position up to which everything was looked at.
int64 read(pg::result_set const &rows, wanted &w, int64 bucket_id, int64 frontier, Snapshot snapshot) {
    kv::versions v;
    kv::open_versions(v);
    log_::table t = log_::open(kv::log_source, AccessShareLock);
    log_::track_reading(t, snapshot);
    log_::scan s;
    log_::begin(s, t, bucket_id, w.after, core::greatest, ForwardScanDirection, snapshot);
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir change", ALLOCSET_DEFAULT_SIZES);
    int64 passed = w.after < 0 ? 0 : w.after, now_ms = log_::clock::now_us() / 1000;
    for (int room = w.bookmark ? max_looked_at : INT_MAX; room > 0 && log_::next(s) == log_::step::frame; room--) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(per_row);
        kv::prefix const row = kv::prefix_of(s.slot);
        std::string_view key = kv::key_of(s.slot);
        bool is_wanted = kv::is_change(row) && matches(w, key) &&
                         (row.revision > w.began || is_newest(v, bucket_id, row, key, frontier, now_ms, snapshot));
        bool has_room = !is_wanted || kv::has_room(w.page);
        if (is_wanted && has_room)
            kv::add_change(rows, s.slot);
        if (has_room)
            passed = s.id;
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
        if (!has_room || (w.page.left == 0 && w.bookmark))
            break;
    }
    log_::end(s);
    log_::close(t);
    kv::close_versions(v);
    MemoryContextDelete(per_row);
    return passed;
}

} // namespace

WEIR_FUNCTION(weir_kv_watch) {
    std::string_view bucket = kv::bucket_argument(fcinfo, weir::name::level::read);
    wanted w = take(fcinfo);
    pg::result_set rows = pg::begin_result_set(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 bucket_id = kv::find(bucket, snapshot), passed = w.after < 0 ? 0 : w.after;
    kv::checkpoint c{};
    if (bucket_id != 0)
        c = kv::checkpoint_of(bucket_id, snapshot);
    if (w.after >= 0)
        kv::check_cursor(bucket, bucket_id, w.after > w.began ? w.after : w.began, c, snapshot);
    bool nothing_wanted = !w.everything && w.prefixes.count == 0;
    if (bucket_id != 0 && (!nothing_wanted || w.bookmark)) {
        int64 settled = core::greatest;
        if (w.after < 0 || w.after < w.began) {
            kv::frontier f = kv::find_frontier(bucket_id, snapshot);
            settled = f.unsettled >= 0 ? f.unsettled - 1 : core::greatest;
            if (w.after < 0)
                w.began = settled;
        }
        passed = read(rows, w, bucket_id, settled, snapshot);
    }
    if (w.bookmark)
        kv::add_bookmark(rows, passed);
    else
        kv::say_cut(w.page, "Go on with after => the last revision, or give max, up to 10000.");
    UnregisterSnapshot(snapshot);
    return Datum{0};
}

WEIR_FUNCTION(weir_kv_head) {
    std::string_view bucket = kv::bucket_argument(fcinfo, weir::name::level::read);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 head = core::least;
    if (int64 bucket_id = kv::find(bucket, snapshot)) {
        int64 found = kv::find_frontier(bucket_id, snapshot).head;
        head = found < 0 ? core::least : found;
    }
    UnregisterSnapshot(snapshot);
    PG_RETURN_INT64(head);
}
