// SPDX-License-Identifier: PostgreSQL
//
// Takes a stream of bytes apart into the pieces that become frames: lines without their newlines, or chunks as
// they were read. What a piece holds and whether a newline followed it is all that is needed to put the bytes together
// again.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace weir::command {

enum class channel_of { standard_output, standard_error };

struct piece {
    channel_of from = channel_of::standard_output;
    bool text = true; // valid UTF-8 without NUL
    bool eol = true;  // a newline followed
    std::string data = {};
};

class splitter {
public:
    using sink = std::function<void(piece)>;

    // No piece is larger than max bytes: a longer line comes as several, all but the last without eol.
    splitter(channel_of from, bool lines, std::size_t max, sink to)
        : from_(from), lines_(lines), max_(max), to_(std::move(to)) {}

    void feed(std::string_view bytes);
    // What is left is a piece without eol.
    void finish();

private:
    void emit(std::string_view data, bool eol);
    void emit_parts(std::string_view &rest);

    channel_of from_;
    bool lines_;
    std::size_t max_;
    sink to_;
    std::string held_ = {}; // the beginning of a line, or of a character
};

} // namespace weir::command
