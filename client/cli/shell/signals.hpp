// SPDX-License-Identifier: PostgreSQL
//
// Interrupts. SIGINT, SIGTERM and SIGHUP are taken by a thread that waits for them: the first
// asks everything to stop (a token for the library's calls, a descriptor for poll()), so
// that cursor files and terminals are left in order; a second one ends the process at once.
// In the end the process dies of the signal, as its caller expects.
//
// SIGPIPE is ignored: a write fails instead, and the process dies of it then. What was ignored from the start,
// as under nohup, stays so. Children get everything as this process had it.
#pragma once

#include <functional>
#include <spawn.h>
#include <stop_token>

namespace weir::command::signals {

// Before there is any other thread.
void set_up();

// Stops as soon as a signal has come.
std::stop_token stop();
// Becomes readable then, and stays so.
int descriptor();
// The first signal that came, 0 for none.
int caught() noexcept;
// Called in the thread with each signal: its number, and whether another process sent it (not the terminal). Where it
// returns true that was all, and the signal is as if it had not come.
void on_signal(std::function<bool(int number, bool sent)> handler);

// For posix_spawn(): signals as this process had them.
class as_before {
public:
    as_before();
    ~as_before();
    as_before(as_before const &) = delete;
    as_before &operator=(as_before const &) = delete;
    posix_spawnattr_t const *get() const noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};
// Dies of a signal, or exits with 128 + it where that does not help.
[[noreturn]] void die_of(int number);
// As a process that writes to a pipe which nobody reads.
[[noreturn]] void die_of_closed_pipe();

} // namespace weir::command::signals
