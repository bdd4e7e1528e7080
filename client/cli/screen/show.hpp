// SPDX-License-Identifier: PostgreSQL
//
// How frames are printed. For people: time, type, and what is in the frame, made fit for a
// terminal. As JSON: one object a line with every field. Raw: what was appended and nothing else, so that
// what went in through pipe comes out byte for byte.
//
// Raw, by the form of the frame: text and JSON are lines, and end in a newline unless a header "eol" is false; bytes
// are just bytes, unless a header "eol" is true. Patches and close marks are no content and are left out.
#pragma once

#include "weir/frame.hpp"

#include <string>
#include <string_view>

namespace weir::command {

enum class frame_form { people, json, raw };

class frame_printer {
public:
    struct options {
        frame_form form = frame_form::people;
        bool ids = false;              // positions in place of times
        std::size_t streams_width = 0; // columns for the name of the stream; 0: not shown
    };
    explicit frame_printer(options o) : options_(o) {}

    // Gathered by write(); flush() is the caller's.
    void print(std::string_view stream, frame const &f);

private:
    void for_people(std::string_view stream, frame const &f);

    options options_;
    std::string date_;
    int type_width_ = 0;
};

// The header that tells whether a newline belongs to a frame; of the other frames it goes without saying.
inline constexpr std::string_view eol_header = "eol";

// Sets a type in a colour of its own.
std::string paint_type(std::string_view type, int columns);

} // namespace weir::command
