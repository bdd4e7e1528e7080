// SPDX-License-Identifier: PostgreSQL
//
// Follows a durable subscription: hands out what is there, then what comes, across restarts of the server, from where
// the subscription stands. Woken by the notifier; its slow poll backs that. Parked, it holds no connection of
// the pool.
//
//   handle(), run()       a handler gets events and a connection in a transaction in which they are acknowledged:
//                         what it writes there happens exactly once. Workers of one name take turns.
//   next(), next_batch()  give events out, and acknowledge them when asked for the next ones, or by ack(): at
//                         least once. Workers of one name would get the same ones.
//
// Construction does not block. One thread at a time. Being disconnected is not an error: it waits.
#pragma once

#include "weir/notifier.hpp"
#include "weir/pool.hpp"
#include "weir/subscription.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::inline v0 {

struct subscriber_options {
    // Subscribes to these before the first fetch; none: the subscription is there already. What is refused then comes
    // out of the first call.
    std::vector<std::string> streams = {};
    subscribe_options subscribe = {};
    int batch = 100; // events of one fetch, 1 to 10000
};

class WEIR_CLIENT_API subscriber {
public:
    // Both have to outlive it.
    subscriber(notifier &by, pool &connections, std::string name, subscriber_options options = {});
    ~subscriber(); // acknowledges nothing
    subscriber(subscriber &&) noexcept;
    subscriber &operator=(subscriber &&) noexcept;

    // Called with the events of one batch, on a connection that is in a transaction, which it must not end. What it
    // throws ends the call, and the events come again; but where the transaction was lost with its connection, was
    // in a deadlock or could not be serialized, all of it is done again. It may so be called more than once for what is
    // committed once.
    using handler = std::function<void(connection &, std::span<event const>)>;

    // Waits for events and handles a batch; how many. 0 where the time is over or a stop was requested. Refused:
    // cursor_expired, and what subscribing is refused for. Throws what the handler throws, and where the server refuses
    // for good, as to a tail (42704: no such subscription).
    result<std::size_t> handle(handler const &f, until const &limit = {});
    // The same, again and again, until the time is over or a stop is requested; how many altogether.
    result<std::uint64_t> run(handler const &f, until const &limit = {});

    // The next event; nothing where the time is over or a stop was requested. Refused as handle(). Says that the one
    // before has been dealt with, and tells the server so with the last one of a batch.
    result<std::optional<event>> next(until const &limit = {});
    // The same, as many as are there, up to options.batch.
    result<std::vector<event>> next_batch(until const &limit = {});
    // What was given out has been dealt with: tells the server now. False where the time was over first. Refused:
    // cursor_ahead, where the server lost positions that it had assigned.
    result<bool> ack(until const &limit = {});

    // What was given out and not acknowledged is forgotten; the next call gives what follows here.
    result<std::monostate> seek(start const &to, std::optional<std::string_view> stream = {});

    // Asks the server; nothing where the subscription is not there.
    std::optional<subscription_info> info(until const &limit = {});

    std::string const &name() const noexcept;

    // next() as a range. A refusal is thrown.
    class iterator;
    class range;
    range events(until const &limit = {});

    struct state;

private:
    std::unique_ptr<state> state_;
};

class subscriber::iterator {
public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = event;
    using difference_type = std::ptrdiff_t;

    iterator(subscriber &of, until limit) : of_(&of), limit_(std::move(limit)) { ++*this; }

    event const &operator*() const noexcept { return *now_; }
    event const *operator->() const noexcept { return &*now_; }
    iterator &operator++() {
        now_ = of_->next(limit_).value();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(iterator const &i, std::default_sentinel_t) noexcept { return !i.now_; }

private:
    subscriber *of_;
    until limit_;
    std::optional<event> now_;
};

class subscriber::range {
public:
    iterator begin() const { return {*of_, limit_}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    friend class subscriber;
    range(subscriber &of, until limit) : of_(&of), limit_(std::move(limit)) {}
    subscriber *of_;
    until limit_;
};

} // namespace weir::inline v0
