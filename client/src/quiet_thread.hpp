// SPDX-License-Identifier: PostgreSQL
//
// A thread of the library: the program's signals are the business of its own threads.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace weir::inline v0 {
namespace internal {

template <class F> std::thread quiet_thread(F &&run) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct restore {
        sigset_t const &to;
        ~restore() { pthread_sigmask(SIG_SETMASK, &to, nullptr); }
    } const at_the_end{before};
    return std::thread(std::forward<F>(run));
}

} // namespace internal
} // namespace weir::inline v0
