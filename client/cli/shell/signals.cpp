// SPDX-License-Identifier: PostgreSQL
#include "shell/signals.hpp"

#include "shell/exit.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace weir::command::signals {

namespace {

std::stop_source source;
std::atomic<int> first = 0;
int event = -1;
sigset_t before, ours;
void (*pipe_before)(int) = SIG_DFL;
std::mutex lock; // of the handler
std::function<bool(int, bool)> handler;

void take() {
    for (;;) {
        siginfo_t info{};
        int const number = sigwaitinfo(&ours, &info);
        if (number < 0)
            continue;
        {
            std::lock_guard const guard(lock);
            if (handler && handler(number, info.si_code == SI_USER))
                continue;
        }
        int none = 0;
        if (!first.compare_exchange_strong(none, number))
            die_of(number);
        source.request_stop();
        std::uint64_t const one = 1;
        [[maybe_unused]] ssize_t const n = write(event, &one, sizeof one);
    }
}

} // namespace

void set_up() {
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        throw std::system_error(errno, std::generic_category(), "eventfd");
    sigemptyset(&ours);
    for (int const number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction now{};
        if (sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&ours, number);
    }
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    pipe_before = std::signal(SIGPIPE, SIG_IGN);
    std::thread(take).detach();
}

std::stop_token stop() { return source.get_token(); }
int descriptor() { return event; }
int caught() noexcept { return first; }

void on_signal(std::function<bool(int, bool)> f) {
    std::lock_guard const guard(lock);
    handler = std::move(f);
}

as_before::as_before() {
    posix_spawnattr_init(&attributes_);
    sigset_t by_default;
    sigemptyset(&by_default);
    if (pipe_before != SIG_IGN)
        sigaddset(&by_default, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &by_default);
    posix_spawnattr_setsigmask(&attributes_, &before);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

as_before::~as_before() { posix_spawnattr_destroy(&attributes_); }

void die_of(int number) {
    // No second core file, where a child has left one.
    rlimit const none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    std::signal(number, SIG_DFL);
    sigset_t just;
    sigemptyset(&just);
    sigaddset(&just, number);
    pthread_sigmask(SIG_UNBLOCK, &just, nullptr);
    kill(getpid(), number);
    raise(number);
    _exit(128 + number);
}

void die_of_closed_pipe() {
    if (pipe_before != SIG_IGN)
        die_of(SIGPIPE);
    report(failure(failed, "could not write to standard output: Broken pipe"));
    _exit(failed);
}

} // namespace weir::command::signals
