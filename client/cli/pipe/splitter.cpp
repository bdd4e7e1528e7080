// SPDX-License-Identifier: PostgreSQL
#include "pipe/splitter.hpp"

#include "screen/text.hpp"

#include <utility>

namespace weir::command {

void splitter::emit(std::string_view data, bool eol) { to_({from_, is_text(data), eol, std::string(data)}); }

// Pieces of full size off the front, characters kept whole.
void splitter::emit_parts(std::string_view &rest) {
    while (rest.size() > max_) {
        std::string_view const part = rest.substr(0, max_ - unfinished_bytes(rest.substr(0, max_)));
        emit(part, false);
        rest.remove_prefix(part.size());
    }
}

void splitter::feed(std::string_view bytes) {
    if (!held_.empty()) {
        // Up to the end of the line that was begun; the rest need not be copied.
        std::size_t const end = lines_ ? bytes.find('\n') : bytes.npos;
        std::size_t const n = end == bytes.npos ? bytes.size() : end + 1;
        held_.append(bytes.substr(0, n));
        bytes.remove_prefix(n);
    }
    std::string const begun = std::exchange(held_, {});
    for (std::string_view rest : {std::string_view(begun), bytes}) {
        if (lines_)
            for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
                std::string_view line = rest.substr(0, end);
                std::size_t const whole = line.size();
                emit_parts(line);
                rest.remove_prefix(whole - line.size());
                end = line.size();
                emit(line, true);
            }
        emit_parts(rest);
        if (!lines_ && !rest.empty()) {
            std::size_t const unfinished = unfinished_bytes(rest);
            if (rest.size() > unfinished)
                emit(rest.substr(0, rest.size() - unfinished), false);
            rest.remove_prefix(rest.size() - unfinished);
        }
        held_.append(rest);
    }
}

void splitter::finish() {
    if (std::string const rest = std::exchange(held_, {}); !rest.empty())
        emit(rest, false);
}

} // namespace weir::command
