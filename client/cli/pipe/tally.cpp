// SPDX-License-Identifier: PostgreSQL
#include "pipe/tally.hpp"

#include "screen/json.hpp"
#include "screen/text.hpp"
#include "shell/exit.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <regex.h>
#include <utility>

namespace weir::command {

struct tally::watch {
    watch(what k, std::string n, std::string const &pattern) : kind(k), name(std::move(n)) {
        if (int const why = regcomp(&compiled, pattern.c_str(), REG_EXTENDED); why != 0) {
            std::array<char, 200> text;
            regerror(why, &compiled, text.data(), text.size());
            throw failure(usage, "pattern \"" + pattern + "\": " + text.data());
        }
    }
    ~watch() { regfree(&compiled); }
    watch(watch const &) = delete;
    watch &operator=(watch const &) = delete;

    void see(std::string_view line) {
        std::array<regmatch_t, 2> found{};
        found[0].rm_so = 0;
        found[0].rm_eo = static_cast<regoff_t>(line.size());
        if (regexec(&compiled, line.data(), found.size(), found.data(), REG_STARTEND) != 0)
            return;
        changed = true;
        matches++;
        regmatch_t const m = found[1].rm_so >= 0 ? found[1] : found[0];
        if (kind != what::count)
            value = line.substr(static_cast<std::size_t>(m.rm_so), static_cast<std::size_t>(m.rm_eo - m.rm_so));
    }

    what kind;
    std::string name, value = {};
    std::int64_t matches = 0;
    bool changed = false;
    regex_t compiled{};
};

std::string ending::reason() const {
    switch (how) {
    case kind::exited:
        return "exit status " + std::to_string(number);
    case kind::killed: {
        char const *name = sigabbrev_np(number);
        return "signal " + std::to_string(number) + (name ? std::string(" (SIG") + name + ")" : "");
    }
    case kind::interrupted:
        return "interrupted";
    default:
        return "end of input";
    }
}

void tally::add(what kind, std::string const &definition) {
    static constexpr std::string_view own[] = {"state", "command",    "lines",       "stderr_lines",
                                               "bytes", "elapsed_ms", "exit_status", "signal"};
    std::size_t const equals = definition.find('=');
    if (equals == 0 || equals == definition.npos || !is_text(definition))
        throw failure(usage, "\"" + definition + "\" is not NAME=PATTERN");
    std::string const name = definition.substr(0, equals);
    bool const taken = std::find(std::begin(own), std::end(own), name) != std::end(own) ||
                       std::any_of(watches_.begin(), watches_.end(), [&](auto const &w) { return w->name == name; });
    if (taken)
        throw failure(usage, "the name \"" + name + "\" is taken in the summary document");
    watches_.push_back(std::make_shared<watch>(kind, name, definition.substr(equals + 1)));
}

void tally::count(std::string const &definition) { add(what::count, definition); }
void tally::last(std::string const &definition) { add(what::last, definition); }
void tally::current(std::string const &definition) { add(what::current, definition); }
void tally::command(std::string_view text) { command_ = text; }

void tally::see(piece const &p) {
    bytes_ += static_cast<std::int64_t>(p.data.size()) + (p.eol ? 1 : 0);
    if (!std::exchange(in_line_[static_cast<std::size_t>(p.from)], !p.eol)) {
        lines_++;
        stderr_lines_ += p.from == channel_of::standard_error ? 1 : 0;
    }
    for (auto const &w : watches_)
        w->see(p.data);
}

void tally::changes(json::object &o, std::chrono::milliseconds elapsed, bool ended) {
    o.number("lines", lines_);
    if (std::exchange(told_stderr_lines_, stderr_lines_) != stderr_lines_)
        o.number("stderr_lines", stderr_lines_);
    o.number("bytes", bytes_).number("elapsed_ms", static_cast<std::int64_t>(elapsed.count()));
    for (auto const &w : watches_) {
        bool const changed = std::exchange(w->changed, false);
        if (ended && w->kind == what::current)
            o.null(w->name);
        else if (changed && w->kind == what::count)
            o.number(w->name, w->matches);
        else if (changed) // the server takes no NUL, and nothing but UTF-8
            o.text(w->name, is_text(w->value) ? w->value : printable(w->value, false));
    }
}

void tally::beginning(json::object &o) {
    if (!command_.empty())
        o.text("command", command_);
    for (auto const &w : watches_)
        if (w->kind == what::count)
            w->changed = true; // a zero says that it is counted
}

std::string tally::patch(std::chrono::milliseconds elapsed) {
    json::object o;
    if (!std::exchange(begun_, true)) {
        o.text("state", "running").null("exit_status").null("signal"); // of a run before
        beginning(o);
    }
    changes(o, elapsed, false);
    return o.str();
}

std::string tally::final_patch(std::chrono::milliseconds elapsed, ending const &how) {
    json::object o;
    o.text("state", how.how == ending::kind::interrupted ? "interrupted" : "finished");
    if (!std::exchange(begun_, true))
        beginning(o);
    if (how.how == ending::kind::exited)
        o.number("exit_status", static_cast<std::int64_t>(how.number));
    if (how.how == ending::kind::killed)
        o.number("signal", static_cast<std::int64_t>(how.number));
    changes(o, elapsed, true);
    return o.str();
}

} // namespace weir::command
