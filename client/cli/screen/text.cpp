// SPDX-License-Identifier: PostgreSQL
#include "screen/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <cwchar>

namespace weir::command {

namespace {

// Bytes of the well-formed character that text begins with (Unicode 15, table 3-7); 0 for none.
std::size_t character(std::string_view text) noexcept {
    auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
        return i < text.size() && at(i) >= low && at(i) <= high;
    };
    unsigned const first = at(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef)
        return follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
    if (first >= 0xf0 && first <= 0xf4)
        return follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
    return 0;
}

// Bytes of the colour sequence that text begins with: ESC [ digits and ; m.
std::size_t colour_sequence(std::string_view text) noexcept {
    if (!text.starts_with("\x1b["))
        return 0;
    std::size_t const end = text.find_first_not_of("0123456789;", 2);
    return end != text.npos && text[end] == 'm' ? end + 1 : 0;
}

bool is_control(std::string_view c) noexcept {
    auto const first = static_cast<unsigned char>(c[0]);
    if (c.size() == 1)
        return (first < 0x20 && c[0] != '\n' && c[0] != '\t') || first == 0x7f;
    return c.size() == 2 && first == 0xc2 && static_cast<unsigned char>(c[1]) < 0xa0;
}

template <class... Values> std::string print(char const *format, Values... values) {
    std::array<char, 64> text;
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

int character_width(std::string_view c) {
    std::mbstate_t state{};
    wchar_t wide;
    if (std::mbrtowc(&wide, c.data(), c.size(), &state) > c.size())
        return 1;
    return std::max(0, wcwidth(wide));
}

std::tm local(time_point t) {
    std::time_t const seconds = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return parts;
}

int millisecond(time_point t) { return static_cast<int>((t - std::chrono::floor<std::chrono::seconds>(t)).count()); }

} // namespace

bool is_text(std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        std::size_t const n = character(bytes);
        if (n == 0 || bytes[0] == '\0')
            return false;
        bytes.remove_prefix(n);
    }
    return true;
}

std::size_t unfinished_bytes(std::string_view text) noexcept {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); back++) {
        auto const c = static_cast<unsigned char>(text[text.size() - back]);
        if (c >= 0xc0)
            return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) > back ? back : 0;
        if (c < 0x80)
            return 0;
    }
    return 0;
}

std::string printable(std::string_view text, bool keep_colours) {
    std::string out;
    out.reserve(text.size());
    bool coloured = false;
    while (!text.empty()) {
        std::size_t n = colour_sequence(text);
        if (n != 0) {
            if (keep_colours) {
                out += text.substr(0, n);
                coloured = text.substr(0, n) != "\x1b[0m" && text.substr(0, n) != "\x1b[m";
            }
        } else if (n = character(text); n == 0 || is_control(text.substr(0, n))) {
            n = std::max<std::size_t>(n, 1);
            for (char const c : text.substr(0, n))
                out += print("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            out += text.substr(0, n);
        }
        text.remove_prefix(n);
    }
    if (coloured)
        out += "\x1b[0m";
    return out;
}

int width(std::string_view text) {
    int columns = 0;
    while (!text.empty()) {
        std::size_t n = colour_sequence(text);
        if (n == 0) {
            n = std::max<std::size_t>(character(text), 1);
            columns += character_width(text.substr(0, n));
        }
        text.remove_prefix(n);
    }
    return columns;
}

std::string cut(std::string_view text, int columns) {
    if (width(text) <= columns)
        return std::string(text);
    std::string out;
    bool coloured = false;
    for (int used = 0; !text.empty();) {
        std::size_t n = colour_sequence(text);
        if (n != 0) {
            coloured = true;
        } else {
            n = std::max<std::size_t>(character(text), 1);
            used += character_width(text.substr(0, n));
            if (used >= columns)
                break;
        }
        out += text.substr(0, n);
        text.remove_prefix(n);
    }
    if (columns > 0)
        out += "…";
    return coloured ? out + "\x1b[0m" : out;
}

std::string pad(std::string_view text, int columns) {
    return std::string(text) + std::string(static_cast<std::size_t>(std::max(0, columns - width(text))), ' ');
}

std::string pad_left(std::string_view text, int columns) {
    return std::string(static_cast<std::size_t>(std::max(0, columns - width(text))), ' ') + std::string(text);
}

std::optional<milliseconds> parse_duration(std::string_view text) {
    static constexpr std::pair<std::string_view, std::int64_t> units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    // A thousand years is enough, and does not overflow.
    constexpr double max = 1000.0 * 366 * 86'400'000;
    double sum = 0;
    if (text.empty())
        return {};
    while (!text.empty()) {
        std::size_t const digits = std::min(text.find_first_not_of("0123456789."), text.size());
        if (digits == 0 || digits > 15 || std::count(text.begin(), text.begin() + static_cast<long>(digits), '.') > 1)
            return {};
        double const n = std::strtod(std::string(text.substr(0, digits)).c_str(), nullptr);
        text.remove_prefix(digits);
        std::size_t const letters = std::min(text.find_first_of("0123456789."), text.size());
        auto const unit = std::find_if(std::begin(units), std::end(units),
                                       [&](auto const &u) { return u.first == text.substr(0, letters); });
        if (unit == std::end(units))
            return {};
        sum += n * static_cast<double>(unit->second);
        text.remove_prefix(letters);
    }
    if (sum > max)
        return {};
    return milliseconds(std::llround(sum));
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t n = 0;
    auto const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, n);
    return parsed.ec == std::errc() && parsed.ptr == end && !text.empty() ? std::optional(n) : std::nullopt;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
    static constexpr std::pair<std::string_view, std::int64_t> units[] = {
        {"", 1}, {"B", 1}, {"kB", 1000}, {"MB", 1'000'000}, {"GB", 1'000'000'000}};
    std::size_t const digits = std::min(text.find_first_not_of("0123456789"), text.size());
    auto const n = digits < 10 ? parse_number(text.substr(0, digits)) : std::nullopt;
    for (auto const &[unit, size] : units)
        if (n && text.substr(digits) == unit)
            return *n * size;
    return {};
}

std::string show_duration(milliseconds time) {
    std::int64_t const ms = time.count(), s = ms / 1000;
    if (ms < 0)
        return "0 ms";
    if (ms < 1000)
        return print("%lld ms", static_cast<long long>(ms));
    if (ms < 60'000)
        return print("%.1f s", std::floor(static_cast<double>(ms) / 100) / 10);
    auto two = [](std::int64_t big, char b, std::int64_t small, char c) {
        return print("%lld%c%02lld%c", static_cast<long long>(big), b, static_cast<long long>(small), c);
    };
    if (s < 3600)
        return two(s / 60, 'm', s % 60, 's');
    if (s < 86'400)
        return two(s / 3600, 'h', s / 60 % 60, 'm');
    return two(s / 86'400, 'd', s / 3600 % 24, 'h');
}

std::string show_clock(milliseconds time) {
    long long const s = std::max<std::int64_t>(0, time.count()) / 1000;
    return s < 3600 ? print("%lld:%02lld", s / 60, s % 60) : print("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

std::string show_count(std::int64_t n) {
    std::string text = std::to_string(n);
    for (std::size_t i = text.size(); i > 3 + (n < 0); i -= 3)
        text.insert(i - 3, ",");
    return text;
}

std::string show_bytes(std::int64_t n) {
    static constexpr char const *units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (n < 1000)
        return print("%lld B", static_cast<long long>(n));
    double value = static_cast<double>(n) / 1000;
    std::size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < std::size(units); unit++)
        value /= 1000;
    return print(value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

std::string show_rate(double r) {
    if (r < 0.005)
        return "0";
    if (r < 0.995)
        return print("%.2f", r);
    if (r < 9.95)
        return print("%.1f", r);
    return r < 99'999.5 ? show_count(std::llround(r)) : show_count(std::llround(r / 1000)) + "k";
}

std::string show_time(time_point t) {
    std::tm const p = local(t);
    return print("%02d:%02d:%02d.%03d", p.tm_hour, p.tm_min, p.tm_sec, millisecond(t));
}

std::string show_date(time_point t) {
    std::tm const p = local(t);
    return print("%04d-%02d-%02d", p.tm_year + 1900, p.tm_mon + 1, p.tm_mday);
}

std::string show_timestamp(time_point t) {
    std::time_t const seconds = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
    std::tm p{};
    gmtime_r(&seconds, &p);
    return print("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", p.tm_year + 1900, p.tm_mon + 1, p.tm_mday, p.tm_hour, p.tm_min,
                 p.tm_sec, millisecond(t));
}

std::string plural(std::int64_t n, std::string_view one, std::string_view many) {
    return show_count(n).append(" ").append(n == 1 ? one : many);
}

} // namespace weir::command
