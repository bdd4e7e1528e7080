// SPDX-License-Identifier: PostgreSQL
//
// Any bytes: decode_cursor answers without a fault, and what it accepts
// encodes to the same bytes.
#include "core/cursor.hpp"

#include <cstdlib>
#include <cstring>

using namespace weir::core;

extern "C" int LLVMFuzzerTestOneInput(unsigned char const *data, std::size_t size) {
    std::int64_t p = -1;
    failure why{};
    if (!decode_cursor({reinterpret_cast<std::byte const *>(data), size}, p, why)) {
        if (why.code != errc::malformed || p != 0)
            std::abort();
        return 0;
    }
    std::byte again[cursor_size];
    encode_cursor(p, again);
    if (p < 0 || size != cursor_size || std::memcmp(again, data, size) != 0)
        std::abort();
    return 0;
}
