// SPDX-License-Identifier: PostgreSQL
//
// weir.housekeep(): the jobs' steps in the caller's own transaction, each in a savepoint
// of its own, for where no worker can be had and for tests. And what the view
// weir.housekeeping shows.
#include "pg/pg.hpp"

#include "name/access.hpp"
#include "pg/attempt.hpp"
#include "pg/function.hpp"
#include "pg/monotonic.hpp"
#include "pg/text.hpp"
#include "worker/records.hpp"
#include "worker/requests.hpp"

namespace weir::worker {

namespace {

constexpr int max_steps = 100000; // on one key: a job that is never done is left

struct account {
    int job;
    int64 steps;
    int64 failures;
    char *error; // the last one
};

struct one_step {
    job const &of;
    int64 key;
    outcome result;
};

bool try_step(account &a, int64 key, outcome &out) {
    one_step step{job_of(a.job), key, {}};
    ErrorData *error = pg::try_in_subtransaction(
        [](void *context) {
            auto *s = static_cast<one_step *>(context);
            s->result = s->of.step(s->key);
        },
        &step);
    out = step.result;
    a.steps++;
    record_run(a.job, error == nullptr ? nullptr : error->message);
    if (error == nullptr)
        return true;
    if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
        ReThrowError(error);
    a.failures++;
    a.error = error->message;
    return false;
}

void do_key(account &a, int64 key) {
    outcome out;
    for (int steps = 0; steps < max_steps; steps++) {
        CHECK_FOR_INTERRUPTS();
        bool well = try_step(a, key, out);
        if (!well || out.what == outcome::what::not_now) {
            put_request({MyDatabaseId, static_cast<int16>(a.job), 0, 0, 0, key, 0});
            return;
        }
        if (out.due_us >= 0)
            ask_within(a.job, out.due_us);
        if (out.what == outcome::what::done)
            return;
    }
}

void do_everything(account &a) {
    job const &j = job_of(a.job);
    if (j.next_key == nullptr) {
        do_key(a, 0);
        return;
    }
    for (int64 key = j.next_key(-1); key >= 0; key = j.next_key(key))
        do_key(a, key);
}

void do_requests(account &a) {
    request *taken = static_cast<request *>(palloc(sizeof(request) * request_count));
    int count = 0;
    while (count < request_count && take_request(-1, a.job, taken[count]))
        count++;
    for (int i = 0; i < count; i++)
        do_key(a, taken[i].key);
}

// everything: whether it is due or not.
account do_job(int job, bool everything) {
    account a{job, 0, 0, nullptr};
    if (job_of(job).own_transactions) {
        a.error = pstrdup("runs in transactions of its own only, by the worker");
        return a;
    }
    bool due = take_everything_of(job, true);
    do_requests(a);
    if (everything || due)
        do_everything(a);
    return a;
}

int find_job(std::string_view name) {
    for (int i = 0; i < job_count(); i++) {
        if (name == job_of(i).name)
            return i;
    }
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("there is no housekeeping job \"%.*s\"", pg::shown(name), name.data()),
                    errhint("The view weir.housekeeping lists them.")));
    pg_unreachable();
}

void add(pg::result_set const &rows, account const &a) {
    Datum values[] = {CStringGetTextDatum(job_of(a.job).name), Int64GetDatum(a.steps), Int64GetDatum(a.failures),
                      a.error != nullptr ? CStringGetTextDatum(a.error) : Datum{0}};
    bool nulls[] = {false, false, false, a.error == nullptr};
    rows.add(values, nulls);
}

} // namespace

void help(int job, int64 key) {
    static int64 logged_at = 0;
    account a{job, 0, 0, nullptr};
    outcome out;
    if (try_step(a, key, out))
        return;
    int64 now = pg::monotonic_us();
    if (logged_at != 0 && now - logged_at < 60 * USECS_PER_SEC)
        return;
    logged_at = now;
    ereport(LOG, (errmsg("housekeeping of weir failed: %s", a.error),
                  errcontext("job \"%s\", key " INT64_FORMAT ", by a session that helps", job_of(job).name, key)));
}

} // namespace weir::worker

WEIR_FUNCTION(weir_housekeep) {
    using namespace weir::worker;
    weir::pg::require_writable("weir.housekeep()");
    prepare();
    int only = PG_ARGISNULL(0) ? -1 : find_job(weir::pg::view_of(PG_GETARG_DATUM(0)));
    weir::pg::result_set rows = weir::pg::begin_result_set(fcinfo);
    for (int job = 0; job < job_count(); job++) {
        if (only >= 0 && job != only)
            continue;
        account a = do_job(job, only >= 0);
        if (only >= 0 || a.steps > 0)
            add(rows, a);
    }
    return Datum{0};
}

// A message may have names in it.
WEIR_FUNCTION(weir_housekeeping_status) {
    using namespace weir::worker;
    bool sees_errors = weir::name::may_monitor() || weir::name::may_all(weir::name::level::admin);
    weir::pg::result_set rows = weir::pg::begin_result_set(fcinfo);
    records known;
    bool any = read_records(known);
    int64 now = weir::pg::monotonic_us();
    TimestampTz clock = GetCurrentTimestamp();
    for (int job = 0; job < job_count(); job++) {
        record const r = any ? known.of[job] : record{};
        outlook next = outlook_of(job);
        Datum values[] = {CStringGetTextDatum(job_of(job).name),
                          TimestampTzGetDatum(r.last_run),
                          TimestampTzGetDatum(r.last_success),
                          Int64GetDatum(r.runs),
                          Int64GetDatum(r.failures),
                          CStringGetTextDatum(r.last_error),
                          TimestampTzGetDatum(clock + next.due - now),
                          Int64GetDatum(next.requests),
                          BoolGetDatum(next.everything)};
        bool nulls[] = {false,         r.last_run == 0, r.last_success == 0,
                        false,         false,           !sees_errors || r.last_error[0] == '\0',
                        next.due == 0, false,           false};
        rows.add(values, nulls);
    }
    return Datum{0};
}
