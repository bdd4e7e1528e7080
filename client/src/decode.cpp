// SPDX-License-Identifier: PostgreSQL
#include "decode.hpp"

#include <algorithm>
#include <bit>

namespace weir::inline v0 {
namespace internal {

std::int64_t row::integer(int column) const noexcept {
    std::string_view const bytes = raw(column);
    std::uint64_t value = 0;
    for (char c : bytes)
        value = (value << 8) | static_cast<unsigned char>(c);
    // Shorter than eight bytes: extend the sign.
    int const unused = 64 - 8 * static_cast<int>(bytes.size());
    return unused <= 0 || unused == 64 ? static_cast<std::int64_t>(value)
                                       : static_cast<std::int64_t>(value << unused) >> unused;
}

double row::real(int column) const noexcept { return std::bit_cast<double>(integer(column)); }

std::optional<position> row::maybe_at(int column) const noexcept {
    if (is_null(column))
        return {};
    return at(column);
}

std::optional<std::string> row::text(int column) const {
    if (is_null(column))
        return {};
    return std::string(raw(column));
}

std::vector<std::string> row::texts(int column) const {
    std::vector<std::string> all;
    std::string_view rest = is_null(column) ? std::string_view() : raw(column);
    constexpr std::size_t header = 20; // dimensions, whether there are NULLs, element type, length, lower bound
    if (rest.size() < header)
        return all;
    rest.remove_prefix(header);
    while (rest.size() >= 4) {
        std::size_t length = 0;
        for (char c : rest.substr(0, 4))
            length = (length << 8) | static_cast<unsigned char>(c);
        all.emplace_back(rest.substr(4, length));
        rest.remove_prefix(std::min(rest.size(), 4 + length));
    }
    return all;
}

std::string row::jsonb(int column) const {
    std::string_view const versioned = raw(column);
    return std::string(versioned.substr(versioned.empty() ? 0 : 1));
}

std::optional<std::string> row::maybe_jsonb(int column) const {
    if (is_null(column))
        return {};
    return jsonb(column);
}

position::time_point row::time(int column) const noexcept {
    constexpr std::int64_t epoch_ms = 946'684'800'000; // 2000-01-01, from which the server counts microseconds
    return position::time_point(std::chrono::milliseconds(integer(column) / 1000 + epoch_ms));
}

namespace {
frame_mode mode_of(std::string_view name) noexcept {
    for (auto const each : {frame_mode::durable, frame_mode::best_effort, frame_mode::summary, frame_mode::replace,
                            frame_mode::close, frame_mode::bookmark})
        if (to_string(each) == name)
            return each;
    return frame_mode::durable;
}
} // namespace

weir::frame row::frame(int first) const {
    weir::frame f;
    f.id = at(first);
    f.mode = mode_of(raw(first + 1));
    f.type = text(first + 2);
    f.payload = maybe_jsonb(first + 3);
    if (!is_null(first + 4)) {
        std::string_view const bytes = raw(first + 4);
        auto const *data = reinterpret_cast<std::byte const *>(bytes.data());
        f.bytes.emplace(data, data + bytes.size());
    }
    f.headers = maybe_jsonb(first + 5);
    return f;
}

} // namespace internal
} // namespace weir::inline v0
