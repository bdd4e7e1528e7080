// SPDX-License-Identifier: PostgreSQL
//
// The command that weir pipe runs: standard output and standard error come through pipes, all else is as
// it would be without weir in between. Interrupts that were sent to weir alone are passed on to it.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace weir::command {

class child {
public:
    // Throws failure with the status of a shell where it cannot be started.
    explicit child(std::vector<std::string> const &words);
    ~child();
    child(child const &) = delete;
    child &operator=(child const &) = delete;

    int output() const noexcept { return output_; }
    int errors() const noexcept { return errors_; }
    // Closes the end of a pipe, so that the command gets SIGPIPE when it writes on.
    void close_output() noexcept { shut(output_); }
    void close_errors() noexcept { shut(errors_); }
    // What waitpid() says, once it has ended.
    int wait();

private:
    static void shut(int &fd) noexcept;

    pid_t pid_ = 0;
    int output_ = -1, errors_ = -1;
};

} // namespace weir::command
