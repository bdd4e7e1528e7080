// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
#include "pg/settings.hpp"
#include "worker/housekeeper.hpp"
#include "worker/slot.hpp"
#include "worker/records.hpp"
#include "worker/requests.hpp"

namespace weir::worker {

namespace {

constexpr int64 first_retry_us = 100 * INT64CONST(1000);    // where something was in the way
constexpr int64 first_backoff_us = 1000 * INT64CONST(1000); // after a failure
constexpr int64 longest_backoff_us = 64 * USECS_PER_SEC;

int64 backoff(int64 first_us, int times) {
    int64 us = first_us << (times < 10 ? times : 10);
    return us < longest_backoff_us ? us : longest_backoff_us;
}

// A job that looks at everything, and how far it has come.
struct pass {
    bool under_way;
    int64 after;
    int32 failures; // to find the next key, in a row
};
pass passes[max_jobs];

// What is being done, to be put back should this process be made to leave.
request current;
bool is_current = false;
int last_job = -1;
bool requests_next = true;

Oid extension_seen = InvalidOid;

Oid extension() { return OidIsValid(get_namespace_oid("weir", true)) ? get_extension_oid("weir", true) : InvalidOid; }

enum class ending { well, failed, gone, no_more_keys };

// One step in a transaction of its own. Where no key is given it is the next one of the pass.
void run(job const &j, pass *over, ending &end, outcome &out) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    extension_seen = extension();
    end = OidIsValid(extension_seen) ? ending::well : ending::gone;
    if (end == ending::well) {
        pgstat_report_activity(STATE_RUNNING, j.name);
        PushActiveSnapshot(GetTransactionSnapshot());
        if (over != nullptr) {
            current.key = j.next_key == nullptr ? (over->after < 0 ? 0 : -1) : j.next_key(over->after);
            if (current.key < 0)
                end = ending::no_more_keys;
        }
        if (end == ending::well && !j.own_transactions)
            out = j.step(current.key);
        PopActiveSnapshot();
    }
    CommitTransactionCommand();
    if (end == ending::well && j.own_transactions)
        out = j.step(current.key);
}

// Once, until it has succeeded.
void log_failure(job const &j, ErrorData const *error) {
    if (current.failures > 0)
        return;
    ereport(LOG,
            (errcode(error->sqlerrcode), errmsg("housekeeping of weir failed: %s", error->message),
             error->detail != nullptr ? errdetail_internal("%s", error->detail) : 0,
             errcontext("job \"%s\", key " INT64_FORMAT " in database %u", j.name, current.key, MyDatabaseId),
             errhint("No call fails or waits for that. It is tried again, and weir.housekeeping says how that goes.")));
}

// Whether the extension was dropped, or made anew, under our hands: then it is no failure.
bool was_extension_dropped() {
    Oid before = extension_seen;
    StartTransactionCommand();
    extension_seen = extension();
    CommitTransactionCommand();
    return extension_seen != before;
}

ending attempt(job const &j, pass *over, outcome &out) {
    MemoryContext memory = CurrentMemoryContext;
    ErrorData *volatile error = nullptr;
    // All that is looked at after an error is static or volatile.
    static ending end;
    static outcome result;
    end = ending::well;
    result = {};
    PG_TRY();
    {
        run(j, over, end, result);
    }
    PG_CATCH();
    {
        HOLD_INTERRUPTS();
        MemoryContextSwitchTo(memory);
        error = CopyErrorData();
        FlushErrorState();
        AbortOutOfAnyTransaction();
        MemoryContextSwitchTo(memory);
        RESUME_INTERRUPTS();
    }
    PG_END_TRY();
    out = result;
    MemoryContextSwitchTo(memory);
    if (error != nullptr) {
        bool dropped = was_extension_dropped();
        end = !dropped ? ending::failed : OidIsValid(extension_seen) ? ending::well : ending::gone;
        if (!dropped) {
            log_failure(j, error);
            record_run(current.job, error->message);
        } else {
            out.what = outcome::what::not_now;
        }
        FreeErrorData(error);
    } else if (end == ending::well) {
        record_run(current.job, nullptr);
    }
    return end;
}

void note_success(job const &j) {
    if (current.failures > 0)
        ereport(LOG, (errmsg("housekeeping of weir goes on: job \"%s\", key " INT64_FORMAT ", after %d failures",
                             j.name, current.key, current.failures)));
}

// What becomes of the current step.
void settle(job const &j, ending end, outcome const &out) {
    int64 now = pg::monotonic_us();
    is_current = false;
    if (end == ending::failed) {
        current.not_before = now + backoff(first_backoff_us, current.failures++);
        put_request(current);
        return;
    }
    if (out.what == outcome::what::not_now) {
        current.not_before = now + backoff(first_retry_us, current.tries++);
        put_request(current);
        return;
    }
    note_success(j);
    if (out.what == outcome::what::more)
        put_request({MyDatabaseId, current.job, 0, 0, 0, current.key, now});
    if (out.due_us >= 0)
        ask_within(current.job, out.due_us);
}

bool do_request(ending &end) {
    if (!take_request(last_job, -1, current))
        return false;
    is_current = true;
    last_job = current.job;
    job const &j = job_of(current.job);
    outcome out;
    end = attempt(j, nullptr, out);
    if (end != ending::gone)
        settle(j, end, out);
    return true;
}

int next_pass() {
    for (int i = 1; i <= max_jobs; i++) {
        int job = (last_job + i) % max_jobs;
        if (passes[job].under_way)
            return job;
    }
    int job = take_everything(last_job);
    if (job >= 0)
        passes[job] = {true, -1, passes[job].failures};
    return job;
}

bool do_pass(ending &end) {
    int number = next_pass();
    if (number < 0)
        return false;
    last_job = number;
    job const &j = job_of(number);
    pass &p = passes[number];
    current = {MyDatabaseId, static_cast<int16>(number), 0, p.failures, 0, -1, 0};
    outcome out;
    end = attempt(j, &p, out);
    if (end == ending::failed && current.key < 0) { // to find out what there is
        p.under_way = false;
        put_everything(number, backoff(first_backoff_us, p.failures++));
        return true;
    }
    p.failures = 0;
    if (end == ending::no_more_keys) {
        p.under_way = false;
        return true;
    }
    p.after = current.key;
    if (end != ending::gone) {
        current.failures = 0;
        settle(j, end, out);
    }
    return true;
}

} // namespace

result housekeeper_round(int64 &) {
    if (!pg::settings::housekeeping)
        return result::nothing;
    ending end = ending::well;
    bool any = requests_next ? do_request(end) || do_pass(end) : do_pass(end) || do_request(end);
    requests_next = !requests_next;
    is_current = false;
    pgstat_report_stat(!any);
    if (end == ending::gone) {
        memset(passes, 0, sizeof passes);
        forget_requests();
        return result::gone;
    }
    if (any)
        forget_failures();
    else
        pgstat_report_activity(STATE_IDLE, nullptr);
    return any ? result::done : result::nothing;
}

void put_back_housekeeping() {
    if (is_current)
        put_request(current);
    for (int i = 0; i < job_count(); i++) {
        if (passes[i].under_way)
            put_everything(i, 0);
    }
}

} // namespace weir::worker
