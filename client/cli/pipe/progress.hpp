// SPDX-License-Identifier: PostgreSQL
//
// The line at the bottom of the terminal while weir pipe runs. It shares the terminal with what the program prints:
// it is wiped before that, and comes back where a line has ended. Messages go through it as well.
#pragma once

#include "pipe/recorder.hpp"

#include <chrono>
#include <mutex>
#include <string>

namespace weir::command {

class progress {
public:
    // Shows nothing where standard error is no terminal, or quiet.
    progress(std::string stream, bool quiet, std::string unit);
    ~progress() { wipe(); }

    bool shown() const noexcept { return shown_; }
    // The program's output, to standard output or standard error.
    void pass(int fd, std::string_view bytes);
    // At most ten times a second.
    void draw(recorder::counts const &now);
    // A message of ours, on lines of its own.
    template <class F> void message(F &&say) {
        std::lock_guard const guard(lock_);
        wipe_locked();
        end_line();
        say();
    }
    void last_word(recorder::counts const &now, std::string const &how);
    void wipe();

private:
    void wipe_locked();
    void end_line();
    std::string line(recorder::counts const &now);

    std::string stream_, unit_;
    bool shown_;
    std::mutex lock_;
    bool drawn_ = false, at_line_start_ = true;
    std::chrono::steady_clock::time_point const started_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point next_{}, rate_since_ = started_;
    std::int64_t rate_from_ = 0;
    double rate_ = 0;
};

} // namespace weir::command
