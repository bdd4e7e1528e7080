// SPDX-License-Identifier: PostgreSQL
//
// The keeper: one thread asks the server, and may have to wait for it; the other one only looks at the clock.
#include "lease_keeper.hpp"

#include "quiet_thread.hpp"

#include <algorithm>
#include <ctime>

namespace weir::inline v0 {

using namespace internal;
using namespace std::chrono_literals;
using duration = lease_clock::duration;

lease_clock::duration lease_clock::now() noexcept {
#ifdef CLOCK_BOOTTIME
    constexpr clockid_t id = CLOCK_BOOTTIME;
#else
    constexpr clockid_t id = CLOCK_MONOTONIC;
#endif
    timespec t{};
    clock_gettime(id, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

namespace {

constexpr auto max_look = 1s; // waits are by a clock that may stand still while the machine sleeps

until after(duration time) { return until::clock::now() + std::chrono::duration_cast<until::clock::duration>(time); }

pool_options connections_of(lease_keeper_options const &o, std::stop_token stop) {
    pool_options p{.connect = o.connect};
    p.connect.stop = std::move(stop);
    return p;
}

} // namespace

lease_keeper::core::core(lease_keeper_options o)
    : options(std::move(o)), connections_(connections_of(options, ending_.get_token())) {}

void lease_keeper::core::start() {
    users_stop_.emplace(options.connect.stop, [this] { ending_.request_stop(); });
    renewer_ = quiet_thread([this] { renew_all(); });
    try {
        watcher_ = quiet_thread([this] { watch_all(); });
    } catch (...) {
        end();
        throw;
    }
}

void lease_keeper::core::end() {
    std::unordered_set<entry> left;
    {
        std::lock_guard const guard(lock_);
        ended_ = true;
        left = held_;
    }
    changed_.notify_all();
    ending_.request_stop();
    for (std::thread *t : {&renewer_, &watcher_})
        if (t->joinable())
            t->join();
    users_stop_.reset();
    for (entry const &e : left)
        lose(e, {refusal::reason::lease_expired, "lease \"" + e->name + "\" is not renewed any more",
                 "its keeper is gone"});
}

result<lease_guard> lease_keeper::core::ask(entry const &e, until const &limit) {
    duration const asked = lease_clock::now();
    pool::loan const db = connections_.acquire(limit);
    lease l(*db, e->name);
    lease_acquire_options o{.ttl = e->options.ttl};
    if (e->options.headers)
        o.headers = *e->options.headers;
    auto const answer = l.acquire(e->owner, o, limit);
    if (!answer)
        return answer.error();
    duration const deadline = asked + e->options.ttl;
    if (!answer->acquired)
        return refusal{refusal::reason::stale_lease,
                       "lease \"" + e->name + "\" is held by \"" + answer->held_by + "\""};
    if (lease_clock::now() >= deadline)
        return refusal{refusal::reason::lease_expired,
                       "lease \"" + e->name + "\" had expired before the answer came",
                       {},
                       "Give it a longer ttl."};
    e->epoch = answer->epoch;
    e->deadline = deadline;
    e->renew_at = asked + e->options.ttl / 3;
    e->held = true;
    keep(e);
    return lease_guard(e);
}

void lease_keeper::core::keep(entry const &e) {
    {
        std::lock_guard const guard(lock_);
        held_.insert(e);
    }
    changed_.notify_all();
}

bool lease_keeper::core::forget(entry const &e) {
    std::lock_guard const guard(lock_);
    e->held = false;
    return held_.erase(e) > 0;
}

void lease_keeper::core::lose(entry const &e, refusal why) {
    {
        std::lock_guard const guard(lock_);
        if (held_.erase(e) == 0)
            return;
        e->held = false;
        e->why = why;
    }
    e->ended.request_stop();
    e->on_lost(why);
}

result<bool> lease_keeper::core::release(lease_guard::state const &e, std::optional<std::string_view> reason,
                                         until const &limit) {
    pool::loan const db = connections_.acquire(limit);
    return lease(*db, e.name).release(e.owner, e.epoch, reason, limit);
}

std::optional<refusal> lease_keeper::core::why(lease_guard::state const &e) {
    std::lock_guard const guard(lock_);
    return e.why;
}

void lease_keeper::core::watch_all() {
    std::unique_lock guard(lock_);
    while (!ended_) {
        duration const now = lease_clock::now();
        duration next = now + max_look;
        entry due;
        for (entry const &e : held_) {
            if (e->deadline.load() <= now) {
                due = e;
                break;
            }
            next = std::min(next, e->deadline.load());
        }
        if (!due) {
            changed_.wait_for(guard, next - now);
            continue;
        }
        refusal const why{refusal::reason::lease_expired, "lease \"" + due->name + "\" was not renewed in time",
                          due->trouble};
        guard.unlock();
        lose(due, why);
        due.reset();
        guard.lock();
    }
}

void lease_keeper::core::renew_all() {
    std::unique_lock guard(lock_);
    while (!ended_) {
        duration const now = lease_clock::now();
        auto const sooner = [](entry const &a, entry const &b) { return a->renew_at < b->renew_at; };
        auto const first = std::min_element(held_.begin(), held_.end(), sooner);
        if (first == held_.end()) {
            changed_.wait(guard);
        } else if ((*first)->renew_at > now) {
            changed_.wait_for(guard, std::min<duration>((*first)->renew_at - now, max_look));
        } else {
            entry due = *first;
            guard.unlock();
            renew(due);
            due.reset();
            guard.lock();
        }
    }
}

// One that does not answer must not keep the others waiting for as long as it is held.
void lease_keeper::core::renew(entry const &e) {
    duration const asked = lease_clock::now();
    duration const patience = std::max<duration>(e->options.ttl / 6, 100ms);
    until const limit = after(std::min(patience, e->deadline.load() - asked));
    try {
        pool::loan const db = connections_.acquire(limit);
        auto const until_when = lease(*db, e->name).renew(e->owner, e->epoch, e->options.ttl, limit);
        if (until_when)
            renewed(e, asked);
        else if (until_when.error().why == refusal::reason::stream_closed)
            put_off(e, until_when.error().message);
        else
            lose(e, until_when.error());
    } catch (std::exception const &failure) {
        put_off(e, failure.what());
    }
}

void lease_keeper::core::renewed(entry const &e, duration asked) {
    {
        std::lock_guard const guard(lock_);
        if (held_.contains(e)) {
            e->deadline = asked + e->options.ttl;
            e->renew_at = asked + e->options.ttl / 3;
            e->pause.reset();
            e->trouble.clear();
            return;
        }
    }
    // Given up in the meantime, and its holder told so: nobody holds what the server has just prolonged.
    try {
        (void)release(*e, "lost by its holder", after(options.release_timeout));
    } catch (std::exception const &) {
        // It expires.
    }
}

void lease_keeper::core::put_off(entry const &e, std::string trouble) {
    std::lock_guard const guard(lock_);
    e->renew_at = lease_clock::now() + e->pause.next();
    e->trouble = std::move(trouble);
}

} // namespace weir::inline v0
