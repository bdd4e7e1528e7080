// SPDX-License-Identifier: PostgreSQL
//
// Any text: parse_position answers without a fault, and what it accepts comes
// back from format_position and reads to the same integer.
#include "core/position.hpp"

#include <cstdlib>

using namespace weir::core;

extern "C" int LLVMFuzzerTestOneInput(unsigned char const *data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const *>(data), size);
    position p = -1;
    failure why{};
    if (!parse_position(text, p, why)) {
        if (why.code != errc::malformed && why.code != errc::out_of_range)
            std::abort();
        if (why.message[0] == '\0' || why.message[sizeof why.message - 1] != '\0')
            std::abort();
        return 0;
    }
    if (p < 0 || why.code != errc::none)
        std::abort();
    char buffer[position_text_size];
    std::size_t const n = format_position(p, buffer);
    position again = -1;
    if (n >= sizeof buffer || !parse_position({buffer, n}, again, why) || again != p)
        std::abort();
    return 0;
}
