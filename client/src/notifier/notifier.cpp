// SPDX-License-Identifier: PostgreSQL
#include "weir/notifier.hpp"

#include "failure.hpp"
#include "notifier/core.hpp"
#include "notifier/loop.hpp"
#include "quiet_thread.hpp"

namespace weir::inline v0 {

using namespace internal;

std::string_view to_string(wakeup how) noexcept {
    switch (how) {
    case wakeup::none:
        return "none";
    case wakeup::channels:
        return "channels";
    case wakeup::database:
        return "database";
    case wakeup::wait:
        return "wait";
    case wakeup::poll:
        return "poll";
    }
    return "";
}

bool notifier::core::post(command what) {
    {
        std::lock_guard const guard(lock_);
        if (ending_)
            return false;
        inbox_.push_back(std::move(what));
        if (inbox_.size() > 1)
            return true; // it has been woken already
    }
    bell.ring();
    return true;
}

bool notifier::core::collect(std::vector<command> &into) {
    std::lock_guard const guard(lock_);
    into.swap(inbox_);
    return !ending_;
}

void notifier::core::set_status(notifier_status const &now) {
    {
        std::lock_guard const guard(status_lock_);
        if (status_.how == now.how && status_.standby == now.standby && status_.pooler == now.pooler &&
            status_.why == now.why && status_.lasting == now.lasting)
            return;
        status_ = now;
    }
    try {
        if (options.on_change)
            options.on_change(now);
    } catch (...) { // the caller's own
    }
}

notifier_status notifier::core::get_status() const {
    std::lock_guard const guard(status_lock_);
    return status_;
}

notifier::notifier(notifier_options options) : core_(std::make_shared<core>(std::move(options))) {
    conninfo const checked(core_->options.conninfo, core_->options.application_name); // throws here, not there
    core_->thread = quiet_thread([c = core_.get()] {
        surroundings around;
        loop(*c, around).run();
    });
}

notifier::~notifier() {
    {
        std::lock_guard const guard(core_->lock_);
        core_->ending_ = true;
    }
    core_->bell.ring();
    core_->thread.join();
}

notifier_status notifier::status() const { return core_->get_status(); }

notifier_counts notifier::counts() const {
    figures const &f = core_->counts;
    return {.tails = f.tails,
            .channels = f.channels,
            .connections = f.connections,
            .connects = f.connects,
            .lost = f.lost,
            .notifications = f.notifications,
            .reads = f.reads,
            .frames = f.frames,
            .polls = f.polls};
}

channel notifier::listen(std::string_view name, std::function<void(std::optional<std::string_view>)> on_payload,
                         std::function<void(error const &)> on_failure) {
    if (name.empty() || name.find('\0') != name.npos)
        misuse("a channel has a name, without NUL bytes", "42602");
    auto s = std::make_shared<channel::state>(std::string(name), std::move(on_payload), std::move(on_failure), core_);
    core_->post([s](loop &l) { l.add(s); });
    return channel(std::move(s));
}

void notifier::wake_all() {
    core_->post([](loop &l) { l.ring_all(); });
}

channel::state::state(std::string n, std::function<void(std::optional<std::string_view>)> heard,
                      std::function<void(error const &)> failed, std::shared_ptr<notifier::core> c)
    : name(std::move(n)), by(std::move(c)),
      on_payload(std::make_unique<revocable<std::optional<std::string_view>>>(std::move(heard))),
      on_failure(std::make_unique<revocable<error const &>>(std::move(failed))) {}
channel::state::~state() = default;

void channel::state::set(hearing now) {
    {
        std::lock_guard const guard(lock_);
        now_ = now;
        if (now != hearing::not_yet)
            failure_.reset();
    }
    changed_.notify_all();
}

void channel::state::refuse(error const &why) {
    {
        std::lock_guard const guard(lock_);
        if (failure_)
            return;
        failure_ = why;
    }
    changed_.notify_all();
    (*on_failure)(why);
}

bool channel::state::wait(until const &limit) {
    std::unique_lock guard(lock_);
    auto const decided = [this] { return now_ != hearing::not_yet || failure_; };
    if (limit.when() == until::never)
        changed_.wait(guard, limit.stop(), decided);
    else
        changed_.wait_until(guard, limit.stop(), limit.when(), decided);
    if (failure_)
        throw *failure_;
    return now_ == hearing::yes;
}

channel::channel(std::shared_ptr<state> s) : state_(std::move(s)) {}
channel::channel(channel &&) noexcept = default;
channel &channel::operator=(channel &&other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}
channel::~channel() {
    if (!state_)
        return;
    state_->on_payload->forget();
    state_->on_failure->forget();
    state_->by->post([s = state_](loop &l) { l.remove(s.get()); });
}
bool channel::listening(until const &limit) const { return state_->wait(limit); }

} // namespace weir::inline v0
