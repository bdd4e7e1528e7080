// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/marks.hpp"
#include "kv/checkpoint.hpp"
#include "kv/due.hpp"
#include "kv/housekeeping.hpp"
#include "kv/names.hpp"
#include "core/position.hpp"
#include "kv/properties.hpp"
#include "kv/versions.hpp"
#include "kv/writer.hpp"
#include "log/newest.hpp"
#include "log/ready.hpp"
#include "log/writer.hpp"
#include "pg/memory.hpp"
#include "pg/payload.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"

namespace weir::kv {

namespace {

int64 raw_size(Datum value) { return static_cast<int64>(pg::payload_size(value)); }

int64 size_at(request const &r, int i) {
    int64 size = r.keys == nullptr ? 0 : raw_size(r.keys[i]);
    if (r.values != nullptr)
        size += raw_size(r.values[i]);
    return size + (r.headers.isnull ? 0 : raw_size(r.headers.value));
}

HeapTuple make_tuple(log::table const &t, request const &r, int i) {
    Datum values[column::count] = {};
    bool nulls[column::count] = {};
    values[column::op - 1] = CharGetDatum(static_cast<char>(r.op));
    nulls[column::key - 1] = r.keys == nullptr;
    values[column::key - 1] = r.keys == nullptr ? Datum{0} : r.keys[i];
    nulls[column::value - 1] = nulls[column::bytes - 1] = true;
    if (r.values != nullptr) {
        int used = r.bytes ? column::bytes : column::value;
        values[used - 1] = log::compressed(t.heap, used, r.values[i]);
        nulls[used - 1] = false;
    }
    nulls[column::headers - 1] = r.headers.isnull;
    if (!r.headers.isnull)
        values[column::headers - 1] = log::compressed(t.heap, column::headers, r.headers.value);
    return heap_form_tuple(RelationGetDescr(t.heap), values, nulls);
}

HeapTuple make_guard(log::table const &t, HeapTuple const *tuples, int count) {
    if (!log::takes_long(tuples, count))
        return nullptr;
    request g{};
    g.op = op::guard;
    g.headers.isnull = true;
    return make_tuple(t, g, 0);
}

struct bucket_policy {
    int64 bucket_id;
    request const &r;
    log::table &t;
    int64 const *sizes;
    int64 size; // of all
    int64 ttl_ms;
    int64 max_written; // what the running count of bytes may come to
    log::rows const *rows = nullptr;
    prefix before = {}; // the newest row as of the last look

    int64 key() const { return bucket_id; }
    std::string_view name() const { return r.bucket; }
    void before_clock_moves() const {}

    void make_ready() const {
        log::until_ready([&] {
            log::make_ready(*rows);
            log::make_ready(t);
        });
    }

    log::judgement judge(log::last_assigned const &, int64) {
        log::entry e = log::newest(t, bucket_id);
        before = {};
        if (e.readable)
            before = *reinterpret_cast<prefix const *>(e.prefix);
        if (before.written > max_written - size)
            return {log::judgement::verdict::stop};
        return {log::judgement::verdict::assign, InvalidTransactionId, e.id, false};
    }

    void resolve() const {}

    int64 expires_at(log::assigned const &a) const {
        return r.op == op::put && ttl_ms > 0 ? a.now_us / 1000 + ttl_ms : 0;
    }

    void fill(log::assigned const &a, log::rows &into) const {
        // Before the rows are there, in case that fails.
        doorbell::note(bucket_id, r.bucket, a.first, a.first + r.count - 1);
        int64 written = before.written;
        bool counts = r.keys != nullptr;
        for (int i = 0; i < log::positions(into); i++) {
            bool is_guard = i == into.count;
            auto *row = log::prefix_of<prefix>(is_guard ? into.guard : into.tuples[i]);
            written += is_guard ? 0 : sizes[i];
            row->bucket_id = bucket_id;
            row->revision = a.first + i;
            row->ordinal = ((before.ordinal & log::count_mask) + (!counts    ? 0
                                                                  : is_guard ? i
                                                                             : i + 1)) |
                           (into.guard != nullptr ? log::place_in_range(i) : 0);
            row->written = written;
            row->expires_at = is_guard ? 0 : expires_at(a);
        }
    }
};

struct outcome {
    log::assigned a;
    int64 expires_at;
    int64 ordinal; // of the last
};

struct sizes {
    int64 *each;
    int64 all;
};

sizes sizes_of(request const &r) {
    sizes s{pg::palloc_array_of<int64>(static_cast<std::size_t>(r.count)), 0};
    for (int i = 0; i < r.count; i++)
        s.all += s.each[i] = size_at(r, i);
    return s;
}

outcome write_rows(int64 bucket_id, request const &r, sizes const &s, int64 ttl_ms, int64 max_written) {
    log::table t = log::open(log_source, RowExclusiveLock);
    (void)GetCurrentTransactionId(); // may wait or write, so not under the lock
    doorbell::prepare();
    auto *tuples = pg::palloc_array_of<HeapTuple>(static_cast<std::size_t>(r.count));
    for (int i = 0; i < r.count; i++)
        tuples[i] = make_tuple(t, r, i);
    bool may_be_guarded = r.keys != nullptr;
    log::rows rows = log::prepare(t, tuples, r.count, may_be_guarded ? make_guard(t, tuples, r.count) : nullptr);
    bucket_policy policy{bucket_id, r, t, s.each, s.all, ttl_ms, max_written, &rows};
    outcome out{log::append(policy, t, rows), 0, 0};
    out.expires_at = policy.expires_at(out.a);
    out.ordinal = (policy.before.ordinal & log::count_mask) + r.count;
    log::release(rows);
    log::close(t);
    return out;
}

// Bytes that the changes of the request will make superfluous.
int64 freed_by(int64 bucket_id, request const &r, int64 history, Snapshot snapshot) {
    int64 freed = 0;
    versions v;
    open_versions(v);
    for (int i = 0; i < r.count; i++) {
        seek(v, bucket_id, r.keys[i], core::greatest, snapshot);
        int64 n = 0;
        while (n < history && next_older(v))
            n++;
        freed += n == history ? kv::size_of(v.slot) : 0;
    }
    close_versions(v);
    return freed;
}

// Of one that keeps no more than max_bytes: the running count of bytes that fills it, and what it holds by now. What is
// known without looking is an upper bound, which mostly does.
int64 max_written(int64 bucket_id, request const &r, properties const &p, int64 size, int64 *held) {
    if (r.op != op::put || !p.is_set(property::max_bytes) || p.integer(property::evict) != 0)
        return PG_INT64_MAX;
    int64 limit = p.integer(property::max_bytes), freed = 0;
    log::table t = log::open(log_source, AccessShareLock);
    log::entry e = log::newest(t, bucket_id);
    log::close(t);
    int64 written = e.readable ? reinterpret_cast<prefix const *>(e.prefix)->written : 0;
    Snapshot latest = pg::take_snapshot();
    checkpoint c = checkpoint_of(bucket_id, latest);
    *held = c.bytes + written - c.written;
    if (*held + size > limit) {
        c = account(bucket_id, latest);
        *held = c.bytes + written - c.written; // of what is not settled all counts
        freed = freed_by(bucket_id, r, p.integer(property::history), latest);
    }
    UnregisterSnapshot(latest);
    return written + limit - *held + freed;
}

[[noreturn]] void raise_full(request const &r, properties const &p, int64 held) {
    ereport(ERROR,
            (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
             errmsg("bucket \"%.*s\" is full", pg::shown(r.bucket), r.bucket.data()),
             errdetail("It holds " INT64_FORMAT " bytes of keys, values and headers, the limit is " INT64_FORMAT ".",
                       held, p.integer(property::max_bytes)),
             errhint("Delete keys, or alter max_bytes, or let the oldest keys go with evict => true, by "
                     "weir.alter_bucket().")));
    pg_unreachable();
}

void check_value_size(request const &r, properties const &p) {
    int64 limit = p.integer(property::max_value_bytes);
    for (int i = 0; limit != none && r.values != nullptr && i < r.count; i++) {
        if (raw_size(r.values[i]) > limit)
            ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                            errmsg("value is too large for bucket \"%.*s\"", pg::shown(r.bucket), r.bucket.data()),
                            errdetail("It has " INT64_FORMAT " bytes, the limit is " INT64_FORMAT ".",
                                      raw_size(r.values[i]), limit),
                            errhint("Split it, or raise max_value_bytes with weir.alter_bucket().")));
    }
}

int64 lock_number(int64 bucket_id, std::string_view key) {
    return static_cast<int64>(hash_bytes_extended(reinterpret_cast<unsigned char const *>(key.data()),
                                                  static_cast<int>(key.size()), static_cast<uint64>(bucket_id)));
}

int compare_numbers(const void *a, const void *b) {
    int64 x = *static_cast<int64 const *>(a), y = *static_cast<int64 const *>(b);
    return x < y ? -1 : x > y;
}

// In one order, whoever comes.
void lock_keys(int64 bucket_id, request const &r) {
    auto *numbers = pg::palloc_array_of<int64>(static_cast<std::size_t>(r.count));
    for (int i = 0; i < r.count; i++)
        numbers[i] = lock_number(bucket_id, pg::view_of(r.keys[i]));
    if (r.count > 1)
        qsort(numbers, static_cast<std::size_t>(r.count), sizeof(int64), compare_numbers);
    for (int i = 0; i < r.count; i++)
        pg::lock_key(pg::lock_class::kv_key, static_cast<Oid>(bucket_id), numbers[i], pg::hold::writing);
    pfree(numbers);
}

} // namespace

name::known find_or_create(std::string_view bucket) { return name::find_or_create(buckets, bucket); }

void lock_key(int64 bucket_id, std::string_view key, pg::hold how) {
    pg::lock_key(pg::lock_class::kv_key, static_cast<Oid>(bucket_id), lock_number(bucket_id, key), how);
}

bool try_lock_key(int64 bucket_id, std::string_view key, pg::hold how) {
    return pg::try_lock_key(pg::lock_class::kv_key, static_cast<Oid>(bucket_id), lock_number(bucket_id, key), how);
}

void lock_all_keys(int64 bucket_id) { pg::lock_space(pg::lock_class::kv_key, static_cast<Oid>(bucket_id)); }

int64 put(request const &r) {
    int64 bucket_id = find_or_create(r.bucket).id;
    lock_keys(bucket_id, r);
    return write(bucket_id, r);
}

int64 write(int64 bucket_id, request const &r) {
    properties p = properties_of(bucket_id);
    check_value_size(r, p);
    int64 held = 0, ttl_ms = r.ttl_ms > 0 ? r.ttl_ms : p.is_set(property::ttl) ? p.integer(property::ttl) : 0;
    sizes s = sizes_of(r);
    int64 most = max_written(bucket_id, r, p, s.all, &held);
    outcome done = write_rows(bucket_id, r, s, ttl_ms, most);
    if (done.a.stopped)
        raise_full(r, p, held);
    if (done.expires_at > 0)
        enter_due(done.expires_at, bucket_id, done.a.first, r.count);
    else if (r.op != op::put)
        enter_due(done.a.now_us / 1000 + tombstone_ms, bucket_id, done.a.first, r.count);
    if (done.expires_at > 0)
        ask_to_expire(done.expires_at * 1000 - done.a.now_us);
    if (r.op == op::purge)
        ask_at_once(bucket_id);
    else
        ask_to_keep_house(bucket_id, done.ordinal, r.count);
    return done.a.first;
}

int64 write_mark(int64 bucket_id, std::string_view bucket, enum op op) {
    request r{};
    r.bucket = bucket;
    r.op = op;
    r.count = 1;
    r.headers.isnull = true;
    return write_rows(bucket_id, r, sizes_of(r), 0, PG_INT64_MAX).a.first;
}

} // namespace weir::kv
