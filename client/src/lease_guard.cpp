// SPDX-License-Identifier: PostgreSQL
#include "weir/lease_guard.hpp"

#include "lease_keeper.hpp"
#include "wait.hpp"

#include <algorithm>
#include <random>
#include <unistd.h>

namespace weir::inline v0 {

using namespace internal;
using namespace std::chrono_literals;

namespace {

std::string made_up_owner() {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    std::random_device random;
    return std::string(host) + ":" + std::to_string(getpid()) + ":" + std::to_string(random());
}

} // namespace

lease_guard::state::state(std::shared_ptr<lease_keeper::core> k, std::string called, lease_options o)
    : keeper(std::move(k)), name(std::move(called)), options(std::move(o)),
      owner(options.owner.empty() ? made_up_owner() : options.owner), on_lost(options.on_lost),
      pause(50ms, std::max(options.ttl / 10, 50ms)) {}

lease_guard::lease_guard(std::shared_ptr<state> s) : state_(std::move(s)) {}
lease_guard::lease_guard(lease_guard &&) noexcept = default;
lease_guard &lease_guard::operator=(lease_guard &&other) noexcept {
    swap(other);
    return *this;
}

lease_guard::~lease_guard() {
    if (!state_)
        return;
    state_->on_lost.forget();
    auto const time = std::min(left(), state_->keeper->options.release_timeout);
    if (!state_->keeper->forget(state_) || time == 0ms)
        return;
    try {
        (void)state_->keeper->release(*state_, {}, until(time));
    } catch (std::exception const &) {
        // It expires.
    }
}

std::string const &lease_guard::name() const noexcept { return state_->name; }
std::string const &lease_guard::owner() const noexcept { return state_->owner; }
std::int64_t lease_guard::epoch() const noexcept { return state_->epoch; }
std::stop_token lease_guard::lost() const noexcept { return state_->ended.get_token(); }
std::optional<refusal> lease_guard::why() const { return state_->keeper->why(*state_); }
bool lease_guard::held() const noexcept { return state_->held && lease_clock::now() < state_->deadline.load(); }

std::chrono::milliseconds lease_guard::left() const noexcept {
    if (!held())
        return 0ms;
    auto const time = state_->deadline.load() - lease_clock::now();
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(time), 0ms);
}

append_options lease_guard::fence(append_options o) const {
    o.lease = state_->name;
    o.epoch = state_->epoch;
    return o;
}

result<position::time_point> lease_guard::check(connection &db) const {
    return lease(db, state_->name).check(state_->epoch);
}

result<bool> lease_guard::release(std::optional<std::string_view> reason, until const &limit) {
    state_->on_lost.forget();
    if (!state_->keeper->forget(state_))
        if (auto lost = why())
            return *std::move(lost);
    return state_->keeper->release(*state_, reason, limit);
}

lease_keeper::lease_keeper(lease_keeper_options options) : core_(std::make_shared<core>(std::move(options))) {
    core_->start();
}

lease_keeper::~lease_keeper() { core_->end(); }

result<lease_guard> lease_keeper::try_acquire(std::string name, lease_options options, until const &limit) {
    return core_->ask(std::make_shared<lease_guard::state>(core_, std::move(name), std::move(options)), limit);
}

result<lease_guard> lease_keeper::acquire(std::string name, lease_options options, until const &limit) {
    auto const e = std::make_shared<lease_guard::state>(core_, std::move(name), std::move(options));
    std::stop_token const &stop = core_->options.connect.stop;
    backoff pause(50ms, 2s);
    waker bell;
    // What it was refused for last, for when the time is over.
    std::optional<refusal> held_by;
    for (;;) {
        auto wait = e->options.ask_every;
        try {
            auto g = core_->ask(e, limit);
            if (g || g.error().why == refusal::reason::stream_closed)
                return g;
            held_by = g.error();
            pause.reset();
        } catch (error const &failure) {
            if (held_by && limit.over() && (failure.timed_out() || failure.stopped()) && !failure.in_doubt())
                return *std::move(held_by);
            if (limit.over() || stop.stop_requested() || !failure.transient())
                throw;
            wait = pause.next();
        }
        sleep_until(limit.sooner(until::clock::now() + wait), stop, bell);
        if (held_by && (limit.over() || stop.stop_requested()))
            return *std::move(held_by);
    }
}

} // namespace weir::inline v0
