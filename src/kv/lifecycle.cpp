// SPDX-License-Identifier: PostgreSQL
//
// The turns in a bucket's life: create, alter, drop. Each takes the bucket's maintenance lock until commit, so that it
// and housekeeping do not work on the same checkpoint.
//
// A drop first lets those end who write or check, then takes every key (the gate of pg/key_lock.hpp), so that nothing
// is decided by a key that is about to go. Whoever comes waits for it, and finds a new bucket.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/checkpoint.hpp"
#include "kv/housekeeping.hpp"
#include "kv/lifecycle.hpp"
#include "kv/names.hpp"
#include "kv/properties.hpp"
#include "kv/request.hpp"
#include "kv/settled.hpp"
#include "kv/writer.hpp"
#include "log/newest.hpp"
#include "log/scan.hpp"
#include "name/argument.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/key_lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"

namespace kv = weir::kv;
namespace log_ = weir::log;
namespace name = weir::name;
namespace pg = weir::pg;

namespace weir::kv {

bool is_there(int64 bucket_id, Snapshot snapshot) {
    log_::table t = log_::open(log_source, AccessShareLock);
    log_::scan s;
    log_::begin(s, t, bucket_id, -1, core::greatest, BackwardScanDirection, snapshot);
    bool ends_dropped = log_::next(s) == log_::step::frame && op_of(prefix_of(s.slot)) == op::dropped;
    log_::end(s);
    log_::close(t);
    return !ends_dropped || !name::is_entered_as_dropped(bucket_id, snapshot);
}

} // namespace weir::kv

namespace {

bool is_there_now(int64 bucket_id) {
    Snapshot snapshot = pg::take_snapshot();
    bool there = kv::is_there(bucket_id, snapshot);
    UnregisterSnapshot(snapshot);
    return there;
}

// Looks a bucket up and takes its maintenance lock; 0 where the name is unknown.
int64 take_bucket(std::string_view bucket) {
    Snapshot snapshot = pg::take_snapshot();
    int64 bucket_id = name::look_up(kv::buckets, bucket, snapshot);
    UnregisterSnapshot(snapshot);
    if (bucket_id != 0)
        pg::lock_key(pg::lock_class::maintenance, 0, bucket_id);
    return bucket_id;
}

// On a busy bucket there is always somebody, so not for ever.
void wait_for_writers(int64 bucket_id) {
    for (int patience = 100; patience > 0; patience--) {
        Snapshot snapshot = pg::take_snapshot();
        TransactionId blocker = kv::find_frontier(bucket_id, snapshot).blocker;
        UnregisterSnapshot(snapshot);
        if (!TransactionIdIsValid(blocker))
            return;
        XactLockTableWait(blocker, nullptr, nullptr, XLTW_None);
    }
}

// Deletes what is settled below a position; returns who stood in the way.
TransactionId remove_below(int64 bucket_id, int64 below, Snapshot snapshot) {
    TransactionId blocker = InvalidTransactionId;
    log_::table t = log_::open(kv::log_source, RowExclusiveLock);
    log_::scan s;
    log_::begin(s, t, bucket_id, -1, below - 1, ForwardScanDirection, snapshot);
    log_::step at = log_::next(s);
    for (; at == log_::step::frame; at = log_::next(s)) {
        CHECK_FOR_INTERRUPTS();
        if (log_::remove(s) == log_::deletion::blocked)
            blocker = s.blocker;
    }
    if (at == log_::step::unsettled)
        blocker = s.blocker;
    log_::end(s);
    log_::close(t);
    return blocker;
}

int64 written_upto(int64 bucket_id) {
    log_::table t = log_::open(kv::log_source, AccessShareLock);
    log_::entry e = log_::newest(t, bucket_id);
    log_::close(t);
    return e.readable ? reinterpret_cast<kv::prefix const *>(e.prefix)->written : 0;
}

void drop(std::string_view bucket, int64 bucket_id) {
    wait_for_writers(bucket_id);
    pg::lock(pg::lock_class::kv_bucket, bucket_id);
    kv::lock_all_keys(bucket_id);
    int64 mark = kv::write_mark(bucket_id, bucket, kv::op::dropped);
    for (;;) {
        Snapshot snapshot = pg::take_snapshot();
        TransactionId blocker = remove_below(bucket_id, mark, snapshot);
        UnregisterSnapshot(snapshot);
        if (!TransactionIdIsValid(blocker))
            break;
        XactLockTableWait(blocker, nullptr, nullptr, XLTW_None);
    }
    kv::save_checkpoint(bucket_id, {mark, 0, 0, 0, written_upto(bucket_id), mark, mark});
    kv::keep_properties(bucket_id, kv::default_properties(), false);
    name::replace(kv::buckets, bucket, bucket_id, mark);
}

[[noreturn]] void raise_exists(std::string_view bucket) {
    ereport(ERROR, (errcode(pg::errcode_already_exists),
                    errmsg("bucket \"%.*s\" already exists", pg::shown(bucket), bucket.data()),
                    errhint("Properties of a bucket that is there are changed with weir.alter_bucket().")));
    pg_unreachable();
}

} // namespace

WEIR_FUNCTION(weir_create_bucket) {
    pg::require_writable("weir.create_bucket()");
    std::string_view bucket = kv::bucket_argument(fcinfo, name::level::write);
    kv::properties given = kv::take_properties(fcinfo, kv::change::create, kv::default_properties());
    int64 made = 0, bucket_id = 0;
    while (made == 0 && bucket_id == 0) {
        made = name::create(kv::buckets, bucket);
        bucket_id = made != 0 ? 0 : take_bucket(bucket);
    }
    if (made == 0) {
        if (is_there_now(bucket_id))
            raise_exists(bucket);
        name::replace(kv::buckets, bucket, bucket_id, -1);
    }
    kv::keep_properties(made != 0 ? made : bucket_id, given, made != 0);
    PG_RETURN_VOID();
}

WEIR_FUNCTION(weir_alter_bucket) {
    pg::require_writable("weir.alter_bucket()");
    std::string_view bucket = kv::bucket_argument(fcinfo, name::level::admin);
    int64 bucket_id = take_bucket(bucket);
    if (bucket_id == 0 || !is_there_now(bucket_id))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("bucket \"%.*s\" does not exist", pg::shown(bucket), bucket.data()),
                        errhint("Create it with weir.create_bucket(), which takes the same properties.")));
    kv::properties p = kv::take_properties(fcinfo, kv::change::alter, kv::properties_of(bucket_id));
    kv::keep_properties(bucket_id, p, false);
    kv::look_again(bucket_id);
    PG_RETURN_VOID();
}

WEIR_FUNCTION(weir_drop_bucket) {
    pg::require_writable("weir.drop_bucket()");
    std::string_view bucket = kv::bucket_argument(fcinfo, name::level::admin);
    int64 bucket_id = take_bucket(bucket);
    bool there = bucket_id != 0 && is_there_now(bucket_id);
    if (there)
        drop(bucket, bucket_id);
    PG_RETURN_BOOL(there);
}
