// SPDX-License-Identifier: PostgreSQL
#include "pipe/child.hpp"

#include "shell/exit.hpp"
#include "shell/signals.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace weir::command {

namespace {

// Whom signals are passed on to; 0: nobody.
std::atomic<pid_t> running = 0;

bool pass_on(int number, bool sent) {
    pid_t const pid = running;
    if (pid == 0)
        return false;
    if (sent) // what comes from the terminal goes to both anyway
        kill(pid, number);
    return true;
}

struct file_actions {
    file_actions() { posix_spawn_file_actions_init(&all); }
    ~file_actions() { posix_spawn_file_actions_destroy(&all); }
    posix_spawn_file_actions_t all;
};

} // namespace

child::child(std::vector<std::string> const &words) {
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    output_ = out[0], errors_ = err[0];
    std::vector<char *> arguments;
    for (std::string const &w : words)
        arguments.push_back(const_cast<char *>(w.c_str()));
    arguments.push_back(nullptr);
    file_actions actions;
    posix_spawn_file_actions_adddup2(&actions.all, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions.all, err[1], STDERR_FILENO);
    signals::as_before const attributes;
    int const why = posix_spawnp(&pid_, arguments[0], &actions.all, attributes.get(), arguments.data(), environ);
    close(out[1]);
    close(err[1]);
    if (why != 0) {
        close_output();
        close_errors();
        throw failure(why == ENOENT ? not_found : not_executable,
                      "could not run \"" + words[0] + "\": " + std::strerror(why));
    }
    running = pid_;
    signals::on_signal(pass_on);
}

child::~child() {
    close_output();
    close_errors();
    if (pid_ != 0) {
        try {
            wait();
        } catch (...) {
            // It will be nobody's.
        }
    }
}

void child::shut(int &fd) noexcept {
    if (fd >= 0)
        close(fd);
    fd = -1;
}

int child::wait() {
    // First see that it has ended, and free its number after nobody uses it any more.
    siginfo_t info;
    while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0)
        if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "waitid");
    running = 0;
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
}

} // namespace weir::command
