// SPDX-License-Identifier: PostgreSQL
#include "wait.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace weir::inline v0 {
namespace internal {

waker::waker() {
    if (pipe(ends_) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    for (int end : ends_) {
        fcntl(end, F_SETFD, FD_CLOEXEC);
        fcntl(end, F_SETFL, O_NONBLOCK);
    }
}

waker::~waker() {
    close(ends_[0]);
    close(ends_[1]);
}

void waker::ring() noexcept {
    // A full pipe is one that will wake anyway.
    [[maybe_unused]] ssize_t written = write(ends_[1], "", 1);
}

void waker::drain() noexcept {
    char bytes[64];
    while (read(ends_[0], bytes, sizeof bytes) > 0)
        ;
}

int poll_timeout(until::clock::time_point when) noexcept {
    if (when == until::never)
        return -1;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(when - until::clock::now()).count();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : static_cast<int>(left);
}

woken wait_for(int fd, short events, until const &limit, std::stop_token const &stop, waker &bell) {
    auto ring = [&bell] { bell.ring(); };
    std::stop_callback const one(limit.stop(), ring);
    std::stop_callback const other(stop, ring);
    for (;;) {
        if (limit.stop_requested() || stop.stop_requested()) {
            bell.drain();
            return woken::stop;
        }
        pollfd fds[2] = {{fd, events, 0}, {bell.fd(), POLLIN, 0}};
        int const n = poll(fds, 2, poll_timeout(limit.when()));
        if (n < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "poll");
        if (n > 0 && fds[0].revents != 0)
            return woken::ready;
        if (n > 0)
            bell.drain();
        else if (limit.passed())
            return woken::deadline;
    }
}

woken sleep_until(until const &limit, std::stop_token const &stop, waker &bell) {
    return wait_for(-1, 0, limit, stop, bell);
}

} // namespace internal
} // namespace weir::inline v0
