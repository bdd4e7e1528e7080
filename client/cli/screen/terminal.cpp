// SPDX-License-Identifier: PostgreSQL
#include "screen/terminal.hpp"

#include "shell/exit.hpp"

#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace weir::command {

namespace {

constexpr std::size_t gather_bytes = 1 << 16;

screen out{.fd = STDOUT_FILENO}, err{.fd = STDERR_FILENO};
bool has_unicode = false;
std::string gathered;

bool is_set(char const *name) {
    char const *value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

winsize size_of(int fd) {
    winsize size{};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        size.ws_col = 80, size.ws_row = 24;
    return size;
}

} // namespace

void set_up_terminal(colours wanted) {
    std::setlocale(LC_CTYPE, "");
    has_unicode = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    char const *term = std::getenv("TERM");
    bool const able = !is_set("NO_COLOR") && (term == nullptr || std::strcmp(term, "dumb") != 0);
    for (screen *s : {&out, &err}) {
        s->terminal = isatty(s->fd) != 0;
        s->colour = wanted == colours::always || (wanted == colours::automatic && s->terminal && able);
    }
}

int screen::columns() const { return size_of(fd).ws_col; }
int screen::rows() const { return size_of(fd).ws_row; }

screen const &standard_output() { return out; }
screen const &standard_error() { return err; }
bool unicode() { return has_unicode; }

std::string paint(screen const &where, std::string_view how, std::string_view text) {
    if (!where.colour || text.empty() || how.empty())
        return std::string(text);
    return std::string("\x1b[").append(how).append("m").append(text).append("\x1b[0m");
}

void write_fully(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t const n = ::write(fd, bytes.data(), bytes.size());
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) { // somebody else made it non-blocking
            pollfd p{.fd = fd, .events = POLLOUT, .revents = 0};
            poll(&p, 1, -1);
        } else if (errno == EPIPE) {
            throw reader_gone();
        } else if (errno != EINTR) {
            throw failure(failed, std::string("could not write to ") +
                                      (fd == STDOUT_FILENO ? "standard output: " : "standard error: ") +
                                      std::strerror(errno));
        }
    }
}

void write(std::string_view text) {
    gathered += text;
    if (gathered.size() >= gather_bytes)
        flush();
}

void flush() {
    std::string const now = std::exchange(gathered, {});
    write_fully(STDOUT_FILENO, now);
}

} // namespace weir::command
