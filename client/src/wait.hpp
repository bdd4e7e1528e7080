// SPDX-License-Identifier: PostgreSQL
//
// Waiting for a socket, a time, a stop, or a call from another thread, in one poll().
#pragma once

#include "weir/until.hpp"

#include <chrono>
#include <stop_token>

namespace weir::inline v0 {
namespace internal {

// A pipe to oneself. ring() may be called from any thread and from a stop callback.
class waker {
public:
    waker();
    ~waker();
    waker(waker const &) = delete;
    waker &operator=(waker const &) = delete;

    int fd() const noexcept { return ends_[0]; }
    void ring() noexcept;
    void drain() noexcept;

private:
    int ends_[2];
};

// Milliseconds for poll(), rounded up; -1: for ever.
int poll_timeout(until::clock::time_point when) noexcept;

enum class woken { ready, deadline, stop };

// Until the socket is ready for any of these events. The waker is only for this call's use.
woken wait_for(int fd, short events, until const &limit, std::stop_token const &stop, waker &bell);

// Until then, or a stop.
woken sleep_until(until const &limit, std::stop_token const &stop, waker &bell);

} // namespace internal
} // namespace weir::inline v0
