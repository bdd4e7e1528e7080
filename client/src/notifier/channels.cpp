// SPDX-License-Identifier: PostgreSQL
//
// What the listener is to hear: who uses which channel, and whether streams have
// channels of their own or share the database's.
#include "notifier/listener.hpp"
#include "notifier/loop.hpp"

#include <algorithm>
#include <utility>

namespace weir::inline v0 {
namespace internal {

namespace {
constexpr char database_channel[] = "weir";
constexpr std::string_view channel_prefix = "weir:";
constexpr std::size_t max_channel = 63; // of a server with names of the usual length
} // namespace

spot &listener::use(std::string const &name) {
    auto &s = spots_[name];
    if (!s) {
        s = std::make_unique<spot>();
        s->name = name;
    }
    if (s->uses++ == 0)
        queue(*s);
    return *s;
}

void listener::leave(spot &s) {
    if (--s.uses > 0)
        return;
    if (s.in_force || s.changing) {
        queue(s);
    } else {
        std::erase(changed_, &s);
        spots_.erase(spots_.find(s.name));
    }
}

// What is changing already is looked at again when the server has answered.
void listener::queue(spot &s) {
    if (!s.changing && !std::exchange(s.queued, true))
        changed_.push_back(&s);
}

void listener::place(followed_stream &s) {
    if (channel_prefix.size() + s.name.size() > max_channel) {
        unnamed_.push_back(&s);
        return;
    }
    spot &own = use(std::string(channel_prefix) + s.name);
    own.streams.push_back(&s);
    s.at = &own;
    if (own.heard())
        loop_.cover(s, true);
}

void listener::add(followed_stream &s) {
    if (wide_) {
        s.at = everything_;
    } else if (loop_.streams().size() > loop_.options().max_channels) {
        widen();
    } else {
        place(s);
    }
}

void listener::forget(follower &f) {
    std::replace(waited_.begin(), waited_.end(), &f, static_cast<follower *>(nullptr));
}

void listener::remove(followed_stream &s) {
    std::erase(unnamed_, &s);
    std::replace(naming_.begin(), naming_.end(), &s, static_cast<followed_stream *>(nullptr));
    spot *const at = std::exchange(s.at, nullptr);
    if (at != nullptr && at != everything_) {
        std::erase(at->streams, &s);
        leave(*at);
    }
    // This one is still counted.
    if (wide_ && loop_.streams().size() - 1 <= loop_.options().max_channels / 2)
        narrow();
}

// One transaction of the server takes the place of all the channels.
void listener::widen() {
    wide_ = true;
    unnamed_.clear();
    std::fill(naming_.begin(), naming_.end(), nullptr);
    everything_ = &use(database_channel);
    for (auto const &[name, s] : loop_.streams()) {
        if (spot *const own = std::exchange(s->at, everything_)) {
            std::erase(own->streams, s.get());
            leave(*own);
        }
    }
    if (listens()) {
        how_ = wakeup::database;
        publish();
    }
}

void listener::narrow() {
    wide_ = false;
    spot *const before = std::exchange(everything_, nullptr);
    for (auto const &[name, s] : loop_.streams())
        if (!s->followers.empty() && std::exchange(s->at, nullptr) == before)
            place(*s);
    leave(*before);
    if (listens()) {
        how_ = wakeup::channels;
        publish();
    }
}

void listener::add(std::shared_ptr<channel::state> const &c) {
    channels_.emplace(c.get(), c);
    spot &s = use(c->name);
    s.users.push_back(c.get());
    if (connected() && !listens())
        c->set(channel::state::hearing::useless);
    else if (s.heard())
        c->set(channel::state::hearing::yes);
}

void listener::remove(channel::state *c) {
    if (channels_.erase(c) == 0)
        return;
    spot &s = *spots_.at(c->name);
    std::erase(s.users, c);
    leave(s);
}

void listener::detach_channels() {
    for (auto const &[key, c] : channels_)
        c->set(channel::state::hearing::gone);
}

} // namespace internal
} // namespace weir::inline v0
