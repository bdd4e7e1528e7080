// SPDX-License-Identifier: PostgreSQL
#include "notifier/surroundings.hpp"

#include "backoff.hpp"
#include "wait.hpp"

namespace weir::inline v0 {
namespace internal {

until::clock::time_point surroundings::now() { return until::clock::now(); }

void surroundings::wait(std::vector<pollfd> &fds, until::clock::time_point limit) {
    if (::poll(fds.data(), fds.size(), poll_timeout(limit)) <= 0)
        for (pollfd &p : fds)
            p.revents = 0;
}

std::chrono::milliseconds surroundings::any(std::chrono::milliseconds max) { return up_to(max, random_); }

} // namespace internal
} // namespace weir::inline v0
