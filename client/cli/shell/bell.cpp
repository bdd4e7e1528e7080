// SPDX-License-Identifier: PostgreSQL
#include "shell/bell.hpp"

#include "shell/exit.hpp"
#include "shell/signals.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace weir::command {

bell::bell() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0)
        throw std::system_error(errno, std::generic_category(), "eventfd");
}

bell::~bell() { ::close(event_); }

void bell::ring() noexcept {
    std::uint64_t const one = 1;
    [[maybe_unused]] ssize_t const n = ::write(event_, &one, sizeof one);
}

void bell::wait(int timeout_ms, int input) {
    std::array<pollfd, 4> fds{{{.fd = event_, .events = POLLIN, .revents = 0},
                               {.fd = signals::descriptor(), .events = POLLIN, .revents = 0},
                               {.fd = STDOUT_FILENO, .events = 0, .revents = 0},
                               {.fd = input, .events = POLLIN, .revents = 0}}};
    poll(fds.data(), fds.size(), timeout_ms);
    std::uint64_t count;
    [[maybe_unused]] ssize_t const n = ::read(event_, &count, sizeof count);
    if ((fds[2].revents & POLLERR) != 0)
        throw reader_gone();
}

} // namespace weir::command
