// SPDX-License-Identifier: PostgreSQL
//
// Position, cursor and frame: what can be said of them without a server. Their text
// and byte forms are those of the server half, from the same source.
#include "core/cursor.hpp"
#include "core/position.hpp"
#include "json_text.hpp"
#include "weir/cursor.hpp"
#include "weir/error.hpp"
#include "weir/frame.hpp"

namespace weir::inline v0 {

namespace {
[[noreturn]] void raise(core::failure const &why) {
    throw error({.from = error::source::caller,
                 .message = why.message,
                 .sqlstate = why.code == core::errc::out_of_range ? "22003" : "22P02",
                 .detail = why.detail,
                 .hint = why.hint});
}
} // namespace

position position::parse(std::string_view text) {
    core::failure why;
    std::int64_t value = 0;
    if (!core::parse_position(text, value, why))
        raise(why);
    return position(value);
}

std::string position::text() const {
    char buffer[core::position_text_size];
    return {buffer, core::format_position(value_, buffer)};
}

cursor cursor::parse(std::span<std::byte const> bytes) {
    core::failure why;
    std::int64_t value = 0;
    if (!core::decode_cursor(bytes, value, why))
        raise(why);
    return cursor(position(value));
}

std::array<std::byte, 9> cursor::bytes() const noexcept {
    std::byte encoded[core::cursor_size];
    core::encode_cursor(position_.value(), encoded);
    return std::to_array(encoded);
}

std::string_view to_string(frame_mode mode) noexcept {
    switch (mode) {
    case frame_mode::durable:
        return "durable";
    case frame_mode::summary:
        return "summary";
    case frame_mode::replace:
        return "replace";
    case frame_mode::best_effort:
        return "best_effort";
    case frame_mode::bookmark:
        return "bookmark";
    case frame_mode::close:
        return "close";
    }
    return "";
}

std::optional<std::string> frame::text() const {
    if (!payload)
        return {};
    std::string_view rest = *payload;
    auto value = internal::take_json_string(rest);
    if (!rest.empty())
        return {};
    return value;
}

} // namespace weir::inline v0
