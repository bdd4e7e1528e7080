// SPDX-License-Identifier: PostgreSQL
//
//     begin: subscribe, learn the streams, listen -> fetch -+- events -> handle, ack
//                                                    ^     +- none -> rest -+
//                                                    +------------------------+
//
// No wakeup is lost: what is notified after a fetch has begun is due after it, and once LISTEN has come into
// force there is one more fetch, for what was committed before. See rest().
#include "weir/subscriber.hpp"

#include "backoff.hpp"
#include "core/glob.hpp"
#include "decode.hpp"
#include "failure.hpp"
#include "json_text.hpp"
#include "notifier/core.hpp"
#include "session.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace weir::inline v0 {

using namespace internal;
using namespace std::chrono_literals;
using clock = until::clock;

namespace {

constexpr std::size_t max_channels = 8; // of one subscription; with more streams, the database-wide one
constexpr char database_channel[] = "weir";

// Woken by the notifier's thread.
struct alarm {
    std::mutex lock;
    std::condition_variable_any changed;
    bool due = false;
    bool deaf = true; // LISTEN has to come into force, for the first time or again

    void ring(bool missed) {
        {
            std::lock_guard const guard(lock);
            due = true;
            deaf = deaf || missed;
        }
        changed.notify_all();
    }
};

// An empty payload means that anything may be new.
bool concerns(std::vector<std::string> const &streams, std::string_view payload) {
    bool found = payload.empty();
    bool const understood = for_each_member(payload, [&](std::string_view name, std::string_view) {
        found = found || std::any_of(streams.begin(), streams.end(),
                                     [&](std::string const &t) { return core::glob_matches(t, name); });
    });
    return found || !understood;
}

bool given_up(error const &e, until const &limit) { return limit.over() && (e.timed_out() || e.stopped()); }

} // namespace

struct subscriber::state {
    state(notifier &n, pool &p, std::string called, subscriber_options o)
        : by(n), connections(p), name(std::move(called)), options(std::move(o)) {}

    notifier &by;
    pool &connections;
    std::string const name;
    subscriber_options const options;
    std::shared_ptr<alarm> news = std::make_shared<alarm>();
    std::vector<channel> channels;
    bool begun = false;
    std::deque<event> ready;  // fetched, to be given out
    std::vector<event> given; // given out; without their payloads
    waker bell;

    notifier_options const &settings() const { return by.internals()->options; }
    // A statement that takes longer is asked after: it waits for another consumer, or the connection is dead.
    until step(until const &limit) const { return limit.sooner(clock::now() + settings().answer_timeout); }

    template <class T, class F> std::optional<T> patiently(until const &limit, F &&attempt);
    std::optional<refusal> begin(connection &db);
    void listen(connection &db, std::vector<std::string> streams);
    result<std::vector<event>> fetch(connection &db, until const &limit);
    bool rest(until const &limit);
    result<std::size_t> handle_once(connection &db, handler const &f, until const &limit, bool &final);
};

// Does it on a connection of the pool, again and again where that may help. Nothing where the time is over or a stop
// was requested. `final` set: whatever is thrown goes to the caller.
template <class T, class F> std::optional<T> subscriber::state::patiently(until const &limit, F &&attempt) {
    backoff pause(settings().first_backoff, settings().max_backoff);
    for (bool was_cancelled = false;;) {
        bool final = false;
        try {
            pool::loan const db = connections.acquire(limit);
            return attempt(*db, final);
        } catch (error const &e) {
            if (final)
                throw;
            if (given_up(e, limit))
                return {};
            if (e.timed_out())
                continue; // of a step
            if (!may_pass(e) || (cut_short(e) && std::exchange(was_cancelled, true)))
                throw;
        }
        sleep_until(limit.sooner(clock::now() + pause.next()), {}, bell);
        if (limit.over())
            return {};
    }
}

std::optional<refusal> subscriber::state::begin(connection &db) {
    if (begun)
        return {};
    subscription s(db, name);
    if (!options.streams.empty())
        if (auto made = s.subscribe(options.streams, options.subscribe); !made)
            return made.error();
    if (auto const now = s.info()) { // else the fetch says what is wrong
        listen(db, now->streams);
        begun = true;
    }
    return {};
}

void subscriber::state::listen(connection &db, std::vector<std::string> streams) {
    bool const wide = streams.size() > max_channels ||
                      std::any_of(streams.begin(), streams.end(), [](auto const &t) { return core::is_glob(t); });
    if (wide) {
        channels.push_back(by.listen(database_channel, [n = news, streams = std::move(streams)](auto payload) {
            if (!payload || concerns(streams, *payload))
                n->ring(!payload);
        }));
        return;
    }
    for (std::string const &pattern : streams) {
        std::string stream(pattern.size(), '\0');
        stream.resize(core::glob_prefix(pattern, stream.data()));
        rows const r = db.query("SELECT weir.channel($1)", {stream});
        channels.push_back(by.listen(r.at(0, 0).value_or(""), [n = news](auto payload) { n->ring(!payload); }));
    }
}

result<std::vector<event>> subscriber::state::fetch(connection &db, until const &limit) {
    {
        std::lock_guard const guard(news->lock);
        news->due = false;
    }
    return subscription(db, name).fetch(options.batch, step(limit));
}

// After a fetch that found nothing: until there may be something. False where the time is over or a stop was requested.
bool subscriber::state::rest(until const &limit) {
    auto pause = settings().slow_poll;
    bool deaf;
    {
        std::lock_guard const guard(news->lock);
        deaf = news->deaf;
        news->deaf = false;
    }
    if (deaf) {
        until const poll = limit.sooner(clock::now() + pause);
        if (std::all_of(channels.begin(), channels.end(), [&](channel const &c) { return c.listening(poll); }))
            return !limit.over(); // with the fetch that follows now, nothing is missed
        std::lock_guard const guard(news->lock);
        news->deaf = true;
        pause = settings().poll;
    }
    auto const when = std::min(limit.when(), clock::now() + pause);
    std::unique_lock guard(news->lock);
    news->changed.wait_until(guard, limit.stop(), when, [this] { return news->due; });
    return !limit.over();
}

result<std::size_t> subscriber::state::handle_once(connection &db, handler const &f, until const &limit, bool &final) {
    static constexpr statement begin_statement{"BEGIN ISOLATION LEVEL READ COMMITTED"}, commit_statement{"COMMIT"};
    if (auto refused = begin(db))
        return *std::move(refused);
    // A transaction that is left open here is rolled back by the pool.
    session &s = db.session();
    s.run(begin_statement, {}, repeat::allowed, step(limit));
    auto const events = fetch(db, limit);
    if (!events)
        return events.error();
    if (!events->empty()) {
        try {
            f(db, *events);
        } catch (error const &e) {
            // Where it is this transaction that failed, it is done again.
            bool const lost = db.backend_pid() == 0 && e.from() == error::source::connection;
            final = !lost && e.sqlstate() != "40001" && e.sqlstate() != "40P01";
            throw;
        }
        if (!db.in_transaction()) {
            final = true;
            misuse("the handler has ended the transaction it was called in", "25000");
        }
        // Also refuses where the handler has ended the transaction and begun another.
        if (auto const acked = subscription(db, name).ack(step({})); !acked)
            return acked.error();
    }
    // A stop no longer matters. In doubt or not, what the subscription says next is the truth.
    pg_result const r = s.run(commit_statement, {}, repeat::never, step({}));
    if (std::string_view(PQcmdStatus(r.get())).starts_with("ROLLBACK")) {
        final = true;
        throw error(
            {.message = "the transaction was rolled back, because a statement in it had failed", .sqlstate = "25P02"});
    }
    return events->size();
}

result<std::size_t> subscriber::handle(handler const &f, until const &limit) {
    state &s = *state_;
    for (;;) {
        auto const done = s.patiently<result<std::size_t>>(
            limit, [&](connection &db, bool &final) { return s.handle_once(db, f, limit, final); });
        if (!done)
            return std::size_t{0};
        if (!*done || **done > 0)
            return *done;
        if (!s.rest(limit))
            return std::size_t{0};
    }
}

result<std::uint64_t> subscriber::run(handler const &f, until const &limit) {
    std::uint64_t n = 0;
    while (!limit.over()) {
        auto const some = handle(f, limit);
        if (!some)
            return some.error();
        n += *some;
    }
    return n;
}

result<bool> subscriber::ack(until const &limit) {
    state &s = *state_;
    if (s.given.empty())
        return true;
    auto const done = s.patiently<result<std::int64_t>>(
        limit, [&](connection &db, bool &) { return subscription(db, s.name).ack(s.given, s.step(limit)); });
    if (!done)
        return false;
    s.given.clear();
    if (!*done)
        return done->error();
    return true;
}

result<std::vector<event>> subscriber::next_batch(until const &limit) {
    state &s = *state_;
    std::vector<event> batch(std::make_move_iterator(s.ready.begin()), std::make_move_iterator(s.ready.end()));
    s.ready.clear();
    while (batch.empty()) {
        auto const acked = ack(limit);
        if (!acked)
            return acked.error();
        if (!*acked)
            return batch;
        auto found =
            s.patiently<result<std::vector<event>>>(limit, [&](connection &db, bool &) -> result<std::vector<event>> {
                if (auto refused = s.begin(db))
                    return *std::move(refused);
                return s.fetch(db, limit);
            });
        if (!found)
            return batch;
        if (!*found)
            return *std::move(found);
        batch = std::move(**found);
        if (batch.empty() && !s.rest(limit))
            return batch;
    }
    for (event const &e : batch)
        s.given.push_back({e.stream, {.id = e.frame.id}});
    return batch;
}

result<std::optional<event>> subscriber::next(until const &limit) {
    state &s = *state_;
    if (s.ready.empty()) {
        auto batch = next_batch(limit);
        if (!batch)
            return batch.error();
        s.ready.assign(std::make_move_iterator(batch->begin()), std::make_move_iterator(batch->end()));
        s.given.clear(); // nothing of it was given out yet
    }
    if (s.ready.empty())
        return std::optional<event>();
    std::optional<event> e(std::move(s.ready.front()));
    s.ready.pop_front();
    s.given.push_back({e->stream, {.id = e->frame.id}});
    return e;
}

result<std::monostate> subscriber::seek(start const &to, std::optional<std::string_view> stream) {
    state &s = *state_;
    s.ready.clear();
    s.given.clear();
    pool::loan const db = s.connections.acquire();
    return subscription(*db, s.name).seek(to, stream);
}

std::optional<subscription_info> subscriber::info(until const &limit) {
    state &s = *state_;
    pool::loan const db = s.connections.acquire(limit);
    return subscription(*db, s.name).info();
}

subscriber::subscriber(notifier &by, pool &connections, std::string name, subscriber_options options)
    : state_(std::make_unique<state>(by, connections, std::move(name), std::move(options))) {}
subscriber::~subscriber() = default;
subscriber::subscriber(subscriber &&) noexcept = default;
subscriber &subscriber::operator=(subscriber &&) noexcept = default;
std::string const &subscriber::name() const noexcept { return state_->name; }
subscriber::range subscriber::events(until const &limit) { return {*this, limit}; }

} // namespace weir::inline v0
