// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
#include "pg/settings.hpp"
#include "worker/housekeeper.hpp"
#include "worker/requests.hpp"

namespace weir::worker {

namespace {

// Under the lock.
int put(request const &r) {
    request *into = nullptr;
    for (request &at : shared().requests) {
        if (at.database == r.database && at.job == r.job && at.key == r.key) {
            at.tries = at.tries > r.tries ? at.tries : r.tries;
            at.failures = at.failures > r.failures ? at.failures : r.failures;
            if (at.not_before == held)
                at.not_before = r.not_before;
            else if (r.not_before != held && r.not_before > at.not_before)
                at.not_before = r.not_before;
            at.asked += r.asked;
            return at.asked;
        }
        if (into == nullptr && at.database == InvalidOid)
            into = &at;
    }
    if (into != nullptr)
        *into = r;
    else if (database_slot *s = find_slot(r.database))
        s->everything |= uint32{1} << r.job;
    return r.asked;
}

int turn_of(int job, int after_job) { return (job - after_job - 1 + max_jobs) % max_jobs; }

} // namespace

bool take_request(int after_job, int only, request &out) {
    int64 now = pg::monotonic_us();
    request *best = nullptr;
    lock_shared();
    for (request &r : shared().requests) {
        if (r.database != MyDatabaseId || r.job >= job_count() || (only >= 0 ? r.job != only : r.not_before > now))
            continue;
        if (best == nullptr || turn_of(r.job, after_job) < turn_of(best->job, after_job) ||
            (r.job == best->job && r.not_before < best->not_before))
            best = &r;
    }
    if (best != nullptr) {
        out = *best;
        best->database = InvalidOid;
    }
    unlock_shared();
    return best != nullptr;
}

int put_request(request const &r) {
    lock_shared();
    int asked = put(r);
    unlock_shared();
    return asked;
}

bool take_everything_of(int job, bool also_held) {
    database_slot *s = own_slot();
    if (s == nullptr)
        return false;
    auto now = static_cast<uint64>(pg::monotonic_us());
    lock_shared();
    uint64 due = pg_atomic_read_u64(&s->due[job]);
    bool is_due = due != 0 && due <= now;
    uint32 bit = uint32{1} << job;
    bool taken = is_due || ((s->everything | (also_held ? s->held : 0)) & bit) != 0;
    s->everything &= ~bit;
    s->held &= also_held ? ~bit : ~uint32{0};
    if (is_due)
        pg_atomic_write_u64(&s->due[job], 0);
    unlock_shared();
    return taken;
}

int take_everything(int after_job) {
    for (int i = 1; i <= max_jobs; i++) {
        int job = (after_job + i) % max_jobs;
        if (job < job_count() && take_everything_of(job, false))
            return job;
    }
    return -1;
}

void put_everything(int job, int64 in_us) { ask_within(job, in_us); }

outlook outlook_of(int job) {
    outlook out{};
    lock_shared();
    for (request const &r : shared().requests)
        out.requests += r.database == MyDatabaseId && r.job == job;
    if (database_slot *s = find_slot(MyDatabaseId)) {
        out.everything = ((s->everything | s->held) >> job & 1) != 0;
        out.due = static_cast<int64>(pg_atomic_read_u64(&s->due[job]));
    }
    unlock_shared();
    return out;
}

void forget_requests() {
    lock_shared();
    for (request &r : shared().requests) {
        if (r.database == MyDatabaseId)
            r.database = InvalidOid;
    }
    if (database_slot *s = find_slot(MyDatabaseId)) {
        s->everything = at_first();
        for (auto &due : s->due)
            pg_atomic_write_u64(&due, 0);
        pg_atomic_write_u32(&s->idle_jobs, 0);
    }
    unlock_shared();
}

int64 next_housekeeping() {
    int64 next = -1;
    if (!pg::settings::housekeeping)
        return next;
    auto sooner = [&](int64 t) { next = next < 0 || t < next ? t : next; };
    lock_shared();
    for (request const &r : shared().requests) {
        if (r.database == MyDatabaseId && r.job < job_count() && r.not_before != held)
            sooner(r.not_before);
    }
    if (database_slot *s = find_slot(MyDatabaseId)) {
        for (int job = 0; job < job_count(); job++) {
            auto due = static_cast<int64>(pg_atomic_read_u64(&s->due[job]));
            if ((s->everything >> job & 1) != 0)
                sooner(0);
            else if (due != 0 && !job_of(job).patient)
                sooner(due);
        }
    }
    unlock_shared();
    return next;
}

} // namespace weir::worker
