// SPDX-License-Identifier: PostgreSQL
//
// JSON as text: what the server sends is shown and passed on as it is, so that no number loses digits. The reading
// functions take well-formed JSON, as jsonb gives out.
#pragma once

#include "screen/terminal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::command::json {

// A string with its quotes. Bytes that are not UTF-8 must not be in it.
std::string quoted(std::string_view text);
std::string quoted_or_null(std::optional<std::string> const &text);
// As Postgres gives bytea out: "\\x00ff".
std::string hex(std::string_view bytes);

// The value of an object's member, as JSON text.
std::optional<std::string_view> member(std::string_view object, std::string_view name);
// An object with one more member; object may be empty for {}.
std::string with_member(std::string_view object, std::string_view name, std::string_view value);

// On one line, and over several with members indented; in colours where the screen has them. Strings are made
// printable.
std::string one_line(std::string_view value, screen const &where);
std::string lines(std::string_view value, screen const &where);

// Builds an object: {"a": 1, "b": "x"}.
class object {
public:
    object &text(std::string_view name, std::string_view value) { return raw(name, quoted(value)); }
    object &text_or_null(std::string_view name, std::optional<std::string> const &value) {
        return raw(name, quoted_or_null(value));
    }
    object &number(std::string_view name, std::int64_t value) { return raw(name, std::to_string(value)); }
    object &number(std::string_view name, double value);
    object &boolean(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
    // JSON already.
    object &raw(std::string_view name, std::string_view value);
    object &null(std::string_view name) { return raw(name, "null"); }

    bool empty() const noexcept { return members_.empty(); }
    std::string str() const { return "{" + members_ + "}"; }

private:
    std::string members_;
};

} // namespace weir::command::json
