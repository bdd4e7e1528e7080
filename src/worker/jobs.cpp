// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
#include "pg/settings.hpp"
#include "worker/jobs.hpp"
#include "worker/requests.hpp"

namespace weir::worker {

namespace {

constinit job jobs[max_jobs] = {};
int count = 0;

// What the running transaction asks for. One that asks for more looks at everything.
struct wanted {
    int16 job;
    int32 times;
    int64 key;
};
constexpr int max_wanted = 64;
wanted asked[max_wanted];
int asked_count = 0;
uint32 everything = 0;       // a bit a job
uint32 behind = 0;           // likewise
constexpr int max_times = 8; // that a step is asked for before it is taken
uint32 within = 0;           // likewise, of those who have a time in:
int64 within_us[max_jobs];

// Where it is switched off, what this session leaves to be done waits for weir.housekeep().
void wake_housekeeper() {
    if (pg::settings::housekeeping)
        (void)wake(kind::housekeeper);
}

void leave_requests() {
    database_slot *s = own_slot();
    if (s == nullptr)
        return;
    if (!pg::settings::housekeeping) { // a housekeeper that others keep running is not to come for it
        everything |= within;
        within = 0;
    }
    for (int i = 0; i < asked_count; i++) {
        wanted const &w = asked[i];
        int times = put_request({MyDatabaseId, w.job, 0, 0, w.times, w.key, pg::settings::housekeeping ? 0 : held});
        behind = times > max_times ? behind | uint32{1} << w.job : behind & ~(uint32{1} << w.job);
    }
    if (everything != 0) {
        lock_shared();
        if (database_of(*s) == MyDatabaseId)
            (pg::settings::housekeeping ? s->everything : s->held) |= everything;
        unlock_shared();
        pg_atomic_fetch_and_u32(&s->idle_jobs, ~everything);
    }
    for (int job = 0; job < count; job++) {
        if ((within >> job & 1) != 0)
            ask_within(job, within_us[job]);
    }
    if (asked_count > 0 || everything != 0)
        wake_housekeeper();
}

void at_end(XactEvent event, void *) {
    if (asked_count == 0 && everything == 0 && within == 0)
        return;
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        if (pg::settings::housekeeping)
            (void)available(kind::housekeeper); // says once where it is not, as could not be done later
        return;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE: // a step too early is one for nothing
        leave_requests();
        break;
    case XACT_EVENT_ABORT:
        break;
    default:
        return;
    }
    asked_count = 0;
    everything = within = 0;
}

} // namespace

int register_job(job const &j) {
    Assert(count < max_jobs);
    jobs[count] = j;
    return count++;
}

int job_count() { return count; }

job const &job_of(int number) { return jobs[number]; }

uint32 at_first() {
    uint32 bits = 0;
    for (int i = 0; i < count; i++)
        bits |= jobs[i].at_first ? uint32{1} << i : 0;
    return bits;
}

void ask(int job, int64 key) {
    prepare(); // where it can still fail
    for (int i = 0; i < asked_count; i++) {
        if (asked[i].job == job && asked[i].key == key) {
            asked[i].times++;
            return;
        }
    }
    if (asked_count == max_wanted)
        everything |= uint32{1} << job;
    else
        asked[asked_count++] = {static_cast<int16>(job), 1, key};
}

void ask_for_everything(int job) {
    prepare();
    everything |= uint32{1} << job;
}

void ask_for_everything_within(int job, int64 us) {
    prepare();
    bool known = (within >> job & 1) != 0;
    within |= uint32{1} << job;
    within_us[job] = known && within_us[job] < us ? within_us[job] : us;
}

void ask_within(int job, int64 us) {
    database_slot *s = own_slot();
    if (s == nullptr)
        return;
    auto now = static_cast<uint64>(pg::monotonic_us());
    uint64 wanted_at = now + static_cast<uint64>(us);
    uint64 due = pg_atomic_read_u64(&s->due[job]);
    while (due == 0 || due > wanted_at) {
        if (pg_atomic_compare_exchange_u64(&s->due[job], &due, wanted_at)) {
            wake_housekeeper();
            return;
        }
    }
    if (due <= now) // whoever asked before may have found no worker to wake
        wake_housekeeper();
}

bool falls_behind(int job) {
    if (!pg::settings::housekeeping)
        return false;
    return (behind >> job & 1) != 0 || !available(kind::housekeeper);
}

bool is_of_use(int job) {
    database_slot *s = own_slot();
    return s != nullptr && (pg_atomic_read_u32(&s->idle_jobs) >> job & 1) == 0;
}

void say_of_no_use(int job) {
    if (database_slot *s = own_slot())
        pg_atomic_fetch_or_u32(&s->idle_jobs, uint32{1} << job);
}

void say_of_use(int job) {
    if (database_slot *s = own_slot())
        pg_atomic_fetch_and_u32(&s->idle_jobs, ~(uint32{1} << job));
}

void watch_transactions() { RegisterXactCallback(at_end, nullptr); }

} // namespace weir::worker
