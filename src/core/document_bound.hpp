// SPDX-License-Identifier: PostgreSQL
//
// How large a summary document can be, told from its patches alone: each makes the
// document larger by no more than its own measure. Numbers and containers are padded to
// multiples of 4 in jsonb, by how much depends on what lies in front; so a measure
// counts the bytes with the most padding that there could be, and never less than there are.
//
// What a writer hands on from patch to patch is one integer, which holds
//
//     the version     36 bits, of the document
//     the generation   3 bits, another one where the bound was set anew, not added to
//     the bound       24 bits, in units of 64 bytes, rounded up
#pragma once

#include "core/jsonb.hpp"

#include <cstdint>

namespace weir::core {

struct document_bound {
    static constexpr int version_bits = 36, generation_bits = 3;
    static constexpr std::int64_t unit = 64, greatest = (std::int64_t{1} << 24) - 1;

    std::int64_t version;
    std::int64_t generation;
    std::int64_t units;

    [[nodiscard]] constexpr std::int64_t pack() const noexcept {
        return version | generation << version_bits | units << (version_bits + generation_bits);
    }
    [[nodiscard]] static constexpr document_bound unpack(std::int64_t packed) noexcept {
        return {packed & ((std::int64_t{1} << version_bits) - 1), packed >> version_bits & ((1 << generation_bits) - 1),
                packed >> (version_bits + generation_bits)};
    }
    // The same bound and the next version, with so much more.
    [[nodiscard]] constexpr document_bound plus(std::int64_t more) const noexcept {
        return {version + 1, generation, units + more < greatest ? units + more : greatest};
    }
    // The next version, with a bound that does not come from the one before.
    [[nodiscard]] constexpr document_bound set(std::int64_t to) const noexcept {
        return {version + 1, (generation + 1) & ((1 << generation_bits) - 1), to < greatest ? to : greatest};
    }
};

// In units, rounded up.
constexpr std::int64_t in_units(std::int64_t bytes) noexcept {
    return (bytes + document_bound::unit - 1) / document_bound::unit;
}

// Of a document or a patch, in bytes with the varlena header.
[[nodiscard]] std::int64_t measure(jsonb_bytes bytes) noexcept;

} // namespace weir::core
