// SPDX-License-Identifier: PostgreSQL
//
// Wakes the thread that prints from another one, and from whatever else it has to notice: an interrupt, a key
// on the terminal, and that nobody reads standard output any more, though nothing is being written.
#pragma once

namespace weir::command {

class bell {
public:
    bell();
    ~bell();
    bell(bell const &) = delete;
    bell &operator=(bell const &) = delete;

    // From any thread.
    void ring() noexcept;
    // Until woken or interrupted, or the time is over (less than 0: never), or input, where given, can be read. Throws
    // reader_gone.
    void wait(int timeout_ms, int input = -1);

private:
    int event_;
};

} // namespace weir::command
