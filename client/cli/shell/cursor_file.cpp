// SPDX-License-Identifier: PostgreSQL
#include "shell/cursor_file.hpp"

#include "screen/json.hpp"
#include "shell/exit.hpp"
#include "weir/frame.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace weir::command {

namespace {

[[noreturn]] void fail(std::string const &what, std::string const &path, int why) {
    throw failure(failed, what + " cursor file \"" + path + "\": " + std::strerror(why));
}

// A name that would not fit in a line is a JSON string.
std::string line_of(std::string const &name) {
    return name.starts_with('"') || name.find('\n') != name.npos ? json::quoted(name) : name;
}
std::optional<std::string> name_of(std::string const &text) {
    return text.starts_with('"') ? frame{.payload = text}.text() : text;
}

} // namespace

cursor_file::cursor_file(std::string path) : path_(std::move(path)) {
    // A link stays one: it is what it points to that is replaced.
    if (char *real = realpath(path_.c_str(), nullptr)) {
        path_ = real;
        std::free(real);
    }
    std::ifstream in(path_, std::ios::binary);
    if (!in) {
        if (errno != ENOENT)
            fail("could not read", path_, errno);
        return;
    }
    for (std::string line; std::getline(in, line);) {
        std::size_t const space = line.find(' ');
        try {
            auto const name = space == line.npos ? std::nullopt : name_of(line.substr(space + 1));
            if (!name || name->empty())
                throw error({.message = "no name"});
            positions_[*name] = position::parse(std::string_view(line).substr(0, space));
        } catch (error const &) {
            throw failure(failed, "\"" + path_ + "\" is not a cursor file",
                          "Each line of one is a position and the name of a stream.");
        }
    }
    if (in.bad())
        fail("could not read", path_, EIO);
}

std::optional<position> cursor_file::find(std::string const &stream) const {
    auto const at = positions_.find(stream);
    return at == positions_.end() ? std::nullopt : std::optional(at->second);
}

void cursor_file::set(std::string const &stream, position at) {
    position &now = positions_[stream];
    changed_ = changed_ || now != at;
    now = at;
}

void cursor_file::save() {
    if (!changed_)
        return;
    std::string const beside = path_ + ".new." + std::to_string(getpid());
    // 0666: the umask says who may read it.
    int const fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        fail("could not write", beside, errno);
    std::string text;
    for (auto const &[name, at] : positions_)
        text.append(at.text()).append(" ").append(line_of(name)).append("\n");
    std::string_view rest = text;
    bool good = true;
    while (good && !rest.empty()) {
        ssize_t const n = ::write(fd, rest.data(), rest.size());
        if (n >= 0)
            rest.remove_prefix(static_cast<std::size_t>(n));
        else
            good = errno == EINTR;
    }
    good = good && fdatasync(fd) == 0;
    int why = errno;
    if (close(fd) != 0 && good)
        good = false, why = errno;
    if (good && rename(beside.c_str(), path_.c_str()) != 0)
        good = false, why = errno;
    if (!good) {
        unlink(beside.c_str());
        fail("could not write", path_, why);
    }
    changed_ = false;
}

} // namespace weir::command
