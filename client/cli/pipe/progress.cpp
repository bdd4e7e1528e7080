// SPDX-License-Identifier: PostgreSQL
#include "pipe/progress.hpp"

#include "screen/terminal.hpp"
#include "screen/text.hpp"

#include <unistd.h>
#include <utility>

namespace weir::command {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

progress::progress(std::string stream, bool quiet, std::string unit)
    : stream_(printable(stream, false)), unit_(std::move(unit)), shown_(standard_error().terminal && !quiet) {}

void progress::wipe_locked() {
    if (std::exchange(drawn_, false))
        write_fully(STDERR_FILENO, "\r\x1b[K");
}

// Where the program has left a line open, on a terminal.
void progress::end_line() {
    if (!std::exchange(at_line_start_, true))
        write_fully(STDERR_FILENO, "\n");
}

void progress::wipe() {
    std::lock_guard const guard(lock_);
    try {
        wipe_locked();
    } catch (...) {
        // Nobody sees it any more.
    }
}

void progress::pass(int fd, std::string_view bytes) {
    std::lock_guard const guard(lock_);
    bool const seen = (fd == STDERR_FILENO ? standard_error() : standard_output()).terminal;
    if (seen)
        wipe_locked();
    write_fully(fd, bytes);
    if (seen && shown_)
        at_line_start_ = bytes.ends_with('\n');
}

std::string progress::line(recorder::counts const &now) {
    screen const &s = standard_error();
    auto const elapsed = std::chrono::duration_cast<milliseconds>(clock::now() - started_);
    if (auto const since = clock::now() - rate_since_; since >= 1s) {
        rate_ = static_cast<double>(now.recorded - rate_from_) / std::chrono::duration<double>(since).count();
        rate_from_ = now.recorded;
        rate_since_ = clock::now();
    }
    std::string const dot = unicode() ? " · " : " - ";
    std::string text = paint(s, style::bold, stream_) + "  " + plural(now.recorded, unit_, unit_ + "s");
    if (now.on_stderr > 0)
        text += dot + paint(s, style::red, show_count(now.on_stderr) + " stderr");
    text += dot + show_bytes(now.bytes) + dot + show_rate(rate_) + "/s" + dot + show_clock(elapsed);
    if (now.in_trouble)
        text += "  " + paint(s, style::yellow, "server away, " + show_count(now.taken - now.recorded) + " waiting");
    return cut(text, s.columns() - 1);
}

void progress::draw(recorder::counts const &now) {
    std::lock_guard const guard(lock_);
    if (!shown_ || !at_line_start_ || (drawn_ && clock::now() < next_))
        return;
    next_ = clock::now() + 100ms;
    write_fully(STDERR_FILENO, "\r" + line(now) + "\x1b[K");
    drawn_ = true;
}

void progress::last_word(recorder::counts const &now, std::string const &how) {
    if (!shown_)
        return;
    message([&] {
        screen const &s = standard_error();
        auto const elapsed = std::chrono::duration_cast<milliseconds>(clock::now() - started_);
        std::string text = plural(now.recorded, unit_, unit_ + "s");
        if (now.on_stderr > 0)
            text += " (" + show_count(now.on_stderr) + " on stderr)";
        text += ", " + show_bytes(now.bytes) + " in " + show_duration(elapsed) + ", " + how;
        write_fully(s.fd, paint(s, style::bold, stream_) + paint(s, style::dim, "  " + text) + "\n");
    });
}

} // namespace weir::command
