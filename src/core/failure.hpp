// SPDX-License-Identifier: PostgreSQL
//
// What a failed call of the core leaves behind: a code for the SQLSTATE, and
// message, detail and hint in Postgres' style, NUL-terminated, empty where
// there is nothing to say. Plain bytes, so that raising an error may jump over
// it. Text too long for its field ends in "..." at a character boundary
// of UTF-8; in another server encoding the last character may be cut.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace weir::core {

enum class errc : int {
    none,
    malformed,       // text or bytes that are no such value
    out_of_range,    // well formed, but outside of the type
    too_deep,        // nests deeper than allowed
    too_large,       // beyond a limit of the jsonb format
    not_an_object,   // a JSON object is required at the root
    unrepresentable, // no RFC 7396 patch does this
    out_of_memory,   // the allocator returned nothing
    internal,        // a defect
};

struct failure {
    errc code;
    char message[192];
    char detail[192];
    char hint[192];
};
static_assert(std::is_trivially_copyable_v<failure>);
static_assert(std::is_trivially_destructible_v<failure>);

// Writes the parts one after another into a field of fixed size.
template <std::size_t N, class... Parts> constexpr void compose(char (&field)[N], Parts... parts) noexcept {
    static_assert(N > 4);
    std::size_t used = 0;
    bool cut = false;
    [[maybe_unused]] auto put = [&](std::string_view part) {
        for (char c : part) {
            if (used == N - 1) {
                cut = true;
                return;
            }
            field[used++] = c;
        }
    };
    (put(std::string_view{parts}), ...);
    if (cut) {
        used = N - 4;
        while (used > 0 && (static_cast<unsigned char>(field[used]) & 0xC0) == 0x80)
            --used;
        for (int i = 0; i < 3; ++i)
            field[used++] = '.';
    }
    field[used] = '\0';
}

} // namespace weir::core
