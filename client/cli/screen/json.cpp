// SPDX-License-Identifier: PostgreSQL
#include "screen/json.hpp"

#include "screen/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace weir::command::json {

namespace {

constexpr std::string_view spaces = " \t\r\n";

std::string_view skip_spaces(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    return text;
}

// Length of the string that text begins with, quotes included.
std::size_t string_length(std::string_view text) {
    std::size_t i = 1;
    while (i < text.size() && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return std::min(i + 1, text.size());
}

// Of one token: a string, a mark, or a number or word.
std::size_t token_length(std::string_view text) {
    if (text[0] == '"')
        return string_length(text);
    if (std::string_view("{}[],:").find(text[0]) != std::string_view::npos)
        return 1;
    return std::min(text.find_first_of("{}[],: \t\r\n"), text.size());
}

// Of the value that text begins with.
std::size_t value_length(std::string_view text) {
    std::size_t depth = 0, i = 0;
    do {
        i = text.size() - skip_spaces(text.substr(i)).size();
        if (i >= text.size())
            break;
        char const c = text[i];
        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= c == '}' || c == ']' ? 1 : 0;
        i += token_length(text.substr(i));
    } while (depth > 0);
    return i;
}

std::string_view colour_of(std::string_view token) {
    switch (token[0]) {
    case '"':
        return style::green;
    case 't':
    case 'f':
        return style::yellow;
    case 'n':
        return style::dim;
    default:
        return style::cyan;
    }
}

// The text of a string is JSON already, but may hold what a terminal obeys: C1 controls and DEL are not escaped in
// JSON.
std::string painted(screen const &where, std::string_view how, std::string_view token) {
    return paint(where, how, printable(token, false));
}

// What is short stays on a line.
constexpr std::size_t short_value = 60;

std::string format(std::string_view value, screen const &where, bool indent) {
    std::string out;
    std::size_t depth = 0;
    bool opened = false; // nothing is in the innermost object or array yet
    auto new_line = [&] {
        if (indent)
            out.append("\n").append(depth * 2, ' ');
    };
    for (value = skip_spaces(value); !value.empty(); value = skip_spaces(value)) {
        char const c = value[0];
        std::size_t const whole = indent && depth > 0 && (c == '{' || c == '[') ? value_length(value) : value.npos;
        if (whole <= short_value) {
            if (std::exchange(opened, false))
                new_line();
            out += format(value.substr(0, whole), where, false);
            value.remove_prefix(whole);
            continue;
        }
        std::string_view const token = value.substr(0, token_length(value));
        value.remove_prefix(token.size());
        if (c == '}' || c == ']') {
            depth--;
            if (!opened)
                new_line();
            opened = false;
            out += c;
            continue;
        }
        if (opened)
            new_line();
        opened = c == '{' || c == '[';
        if (opened) {
            depth++;
            out += c;
        } else if (c == ',') {
            out += indent ? "," : ", ";
            new_line();
        } else if (c == ':') {
            out += ": ";
        } else {
            bool const is_name = c == '"' && skip_spaces(value).starts_with(':');
            out += painted(where, is_name ? style::blue : colour_of(token), token);
        }
    }
    return out;
}

} // namespace

std::string quoted(std::string_view text) {
    std::string out = "\"";
    out.reserve(text.size() + 2);
    for (char const c : text) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                std::array<char, 8> code;
                std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
                out += code.data();
            } else {
                out += c;
            }
        }
    }
    return out += '"';
}

std::string quoted_or_null(std::optional<std::string> const &text) {
    return text ? quoted(std::string_view(*text)) : "null";
}

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "\"\\\\x";
    out.reserve(out.size() + bytes.size() * 2 + 1);
    for (char const c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out += '"';
}

std::optional<std::string_view> member(std::string_view object, std::string_view name) {
    std::string const wanted = quoted(name);
    object = skip_spaces(object);
    if (!object.starts_with('{'))
        return {};
    object.remove_prefix(1);
    for (object = skip_spaces(object); object.starts_with('"'); object = skip_spaces(object)) {
        std::string_view const key = object.substr(0, string_length(object));
        object = skip_spaces(object.substr(key.size()));
        if (!object.starts_with(':'))
            return {};
        object = skip_spaces(object.substr(1));
        std::string_view const value = object.substr(0, value_length(object));
        if (key == wanted)
            return value;
        object = skip_spaces(object.substr(value.size()));
        if (object.starts_with(','))
            object = skip_spaces(object.substr(1));
    }
    return {};
}

std::string with_member(std::string_view object, std::string_view name, std::string_view value) {
    std::string const fresh = quoted(name) + ": " + std::string(value);
    object = skip_spaces(object);
    std::size_t const end = object.rfind('}');
    if (object.empty() || end == object.npos)
        return "{" + fresh + "}";
    bool const was_empty = skip_spaces(object.substr(1)).starts_with('}');
    return std::string(object.substr(0, end)) + (was_empty ? "" : ", ") + fresh + "}";
}

std::string one_line(std::string_view value, screen const &where) { return format(value, where, false); }
std::string lines(std::string_view value, screen const &where) { return format(value, where, true); }

object &object::raw(std::string_view name, std::string_view value) {
    members_.append(members_.empty() ? "" : ", ").append(quoted(name)).append(": ").append(value);
    return *this;
}

object &object::number(std::string_view name, double value) {
    if (!std::isfinite(value))
        return null(name);
    std::array<char, 32> text;
    auto const end = std::to_chars(text.data(), text.data() + text.size(), value);
    return raw(name, std::string_view(text.data(), static_cast<std::size_t>(end.ptr - text.data())));
}

} // namespace weir::command::json
