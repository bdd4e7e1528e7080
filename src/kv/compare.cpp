// SPDX-License-Identifier: PostgreSQL
//
// Calls that depend on what is there: create, update, delete, purge, check. Each takes the key for itself until
// commit, and looks with a snapshot of now: whoever else wrote the key has ended, and whoever comes waits. So a call
// is decided by the changes that were committed before it, in READ COMMITTED as in the other levels; there a key that
// was changed behind the transaction's snapshot is a serialization failure, as it is for an UPDATE.
//
// A key that is not there has no revision, 0-0, whatever became of it: it never was, was deleted, purged, has expired.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/names.hpp"
#include "kv/versions.hpp"
#include "kv/writer.hpp"
#include "log/clock.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"

namespace core = weir::core;
namespace kv = weir::kv;
namespace pg = weir::pg;
using kv::form;
using kv::op;

namespace {

constexpr int64 nothing = core::least; // the revision of a key that is not there

struct present {
    int64 newest;   // change, whatever it is; -1: there is none
    bool purged;    // by it
    int64 revision; // of a key that is there, or nothing
    bool lapsed;    // its newest change is a put whose time is over
};

present look(int64 bucket_id, Datum key, Snapshot snapshot) {
    present out{-1, false, nothing, false};
    kv::versions v;
    kv::open_versions(v);
    if (kv::find_newest(v, bucket_id, key, core::greatest, snapshot)) {
        kv::prefix const &row = kv::prefix_of(v.slot);
        out.newest = row.revision;
        out.purged = kv::op_of(row) == op::purge;
        if (kv::is_alive(row, weir::log::clock::now_us() / 1000))
            out.revision = row.revision;
        else
            out.lapsed = kv::op_of(row) == op::put;
    }
    kv::close_versions(v);
    return out;
}

// With the key's lock.
present look_now(int64 bucket_id, Datum key) {
    Snapshot latest = pg::take_snapshot();
    present now = look(bucket_id, key, latest);
    UnregisterSnapshot(latest);
    if (IsolationUsesXactSnapshot()) {
        Snapshot own = RegisterSnapshot(GetTransactionSnapshot());
        if (look(bucket_id, key, own).newest != now.newest)
            ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                            errmsg("could not serialize access due to concurrent update"),
                            errdetail("The key was changed after the transaction's snapshot was taken."),
                            errhint("Repeat the transaction.")));
        UnregisterSnapshot(own);
    }
    return now;
}

// The id of a bucket that is not to come into being by this; 0: it is unknown.
int64 find_now(std::string_view bucket) {
    Snapshot latest = pg::take_snapshot();
    int64 bucket_id = kv::find(bucket, latest);
    UnregisterSnapshot(latest);
    return bucket_id;
}

Datum answer(FunctionCallInfo fcinfo, bool done, int64 revision) {
    Datum values[] = {BoolGetDatum(done), Int64GetDatum(revision)};
    bool nulls[2] = {};
    return pg::make_row(fcinfo, values, nulls);
}

int64 expected_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        pg::null_argument("expected");
    return PG_GETARG_INT64(n);
}

// Who writes a key whose time is over before housekeeping has said so says it first.
void write_lapse(int64 bucket_id, kv::request const &r, present const &was) {
    if (!was.lapsed)
        return;
    kv::request lapse{};
    lapse.bucket = r.bucket;
    lapse.op = op::expire;
    lapse.count = 1;
    lapse.keys = r.keys;
    lapse.headers.isnull = true;
    (void)kv::write(bucket_id, lapse);
}

// Puts where the key is at a revision.
Datum put_at(FunctionCallInfo fcinfo, kv::request const &r, int64 expected) {
    int64 bucket_id = expected == nothing ? kv::find_or_create(r.bucket).id : find_now(r.bucket);
    if (bucket_id == 0)
        return answer(fcinfo, false, nothing);
    kv::lock_key(bucket_id, pg::view_of(r.keys[0]), pg::hold::alone);
    present is = look_now(bucket_id, r.keys[0]);
    if (is.revision != expected)
        return answer(fcinfo, false, is.revision);
    write_lapse(bucket_id, r, is);
    return answer(fcinfo, true, kv::write(bucket_id, r));
}

Datum create(FunctionCallInfo fcinfo, form value) {
    pg::require_writable("weir.kv_create()");
    constexpr int options_at = 3;
    return put_at(fcinfo, kv::put_request(fcinfo, value, options_at), nothing);
}

Datum update(FunctionCallInfo fcinfo, form value) {
    pg::require_writable("weir.kv_update()");
    constexpr int expected_at = 3, options_at = 4;
    kv::request r = kv::put_request(fcinfo, value, options_at);
    return put_at(fcinfo, r, expected_argument(fcinfo, expected_at));
}

Datum remove(FunctionCallInfo fcinfo, op how) {
    constexpr int expected_at = 2;
    kv::request r = kv::change_request(fcinfo, how);
    int64 bucket_id = find_now(r.bucket);
    if (bucket_id == 0)
        return answer(fcinfo, false, nothing);
    kv::lock_key(bucket_id, pg::view_of(r.keys[0]), pg::hold::alone);
    present is = look_now(bucket_id, r.keys[0]);
    bool is_there =
        is.revision != nothing || (how == op::purge && PG_ARGISNULL(expected_at) && is.newest >= 0 && !is.purged);
    if (!is_there || (!PG_ARGISNULL(expected_at) && PG_GETARG_INT64(expected_at) != is.revision))
        return answer(fcinfo, false, is.revision);
    return answer(fcinfo, true, kv::write(bucket_id, r));
}

} // namespace

WEIR_FUNCTION(weir_kv_create) { return create(fcinfo, form::json); }
WEIR_FUNCTION(weir_kv_create_text) { return create(fcinfo, form::text); }
WEIR_FUNCTION(weir_kv_create_bytes) { return create(fcinfo, form::bytes); }
WEIR_FUNCTION(weir_kv_update) { return update(fcinfo, form::json); }
WEIR_FUNCTION(weir_kv_update_text) { return update(fcinfo, form::text); }
WEIR_FUNCTION(weir_kv_update_bytes) { return update(fcinfo, form::bytes); }

WEIR_FUNCTION(weir_kv_delete) {
    pg::require_writable("weir.kv_delete()");
    return remove(fcinfo, op::remove);
}

WEIR_FUNCTION(weir_kv_purge) {
    pg::require_writable("weir.kv_purge()");
    return remove(fcinfo, op::purge);
}

WEIR_FUNCTION(weir_kv_check) {
    pg::require_writable("weir.kv_check()");
    constexpr int expected_at = 2;
    std::string_view bucket = kv::bucket_argument(fcinfo, weir::name::level::write);
    Datum key = kv::key_argument(fcinfo);
    int64 expected = expected_argument(fcinfo, expected_at);
    int64 bucket_id = kv::find_or_create(bucket).id; // so that there is something to hold
    pg::lock(pg::lock_class::kv_bucket, bucket_id, ShareLock);
    kv::lock_key(bucket_id, pg::view_of(key), pg::hold::reading);
    int64 revision = look_now(bucket_id, key).revision;
    return answer(fcinfo, revision == expected, revision);
}
