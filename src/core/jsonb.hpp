// SPDX-License-Identifier: PostgreSQL
//
// Reads Postgres' binary jsonb in place (utils/jsonb.h there has the format).
// A container is a uint32 of flags and member count, one JEntry a child (an
// object has all keys first, then all values), then the children's bytes.
// A JEntry holds the type and the length of its bytes, or at every 32nd child
// the offset of their end. Numbers and containers start at a multiple of 4
// from the container's start; the padding in front counts into their length.
// Keys are unique and ordered by length, then bytewise. A scalar at the root
// is an array of one with a flag.
//
// All is read with memcpy, so the bytes may lie at any address. The input is
// trusted: jsonb that the server itself made. Values are views into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace weir::core {

using jsonb_bytes = std::span<std::byte const>; // a root container, without the varlena header

// A root container from the allocator. The 4 bytes in front of data belong to
// it and are for the varlena header: SET_VARSIZE(varlena(), varlena_size()).
struct jsonb_result {
    std::byte const *data;
    std::size_t size;

    static constexpr std::size_t header_size = 4;
    [[nodiscard]] void *varlena() const noexcept { return const_cast<std::byte *>(data) - header_size; }
    [[nodiscard]] std::size_t varlena_size() const noexcept { return size + header_size; }
};
static_assert(std::is_trivially_destructible_v<jsonb_result>);

namespace jsonb {

inline constexpr std::uint32_t offlen_mask = 0x0FFFFFFF;
inline constexpr std::uint32_t type_mask = 0x70000000;
inline constexpr std::uint32_t has_offset = 0x80000000;
inline constexpr std::uint32_t offset_stride = 32;
inline constexpr std::uint32_t count_mask = 0x0FFFFFFF;
inline constexpr std::uint32_t flag_scalar = 0x10000000;
inline constexpr std::uint32_t flag_object = 0x20000000;
inline constexpr std::uint32_t flag_array = 0x40000000;
inline constexpr std::uint32_t size_limit = offlen_mask;

enum class kind : std::uint32_t {
    string = 0x00000000,
    numeric = 0x10000000,
    boolean_false = 0x20000000,
    boolean_true = 0x30000000,
    null = 0x40000000,
    container = 0x50000000,
};

constexpr std::uint32_t align4(std::uint32_t n) noexcept { return (n + 3) & ~std::uint32_t{3}; }

inline std::uint32_t load(std::byte const *at) noexcept {
    std::uint32_t n;
    std::memcpy(&n, at, sizeof n);
    return n;
}

// One JSON value: its type and its bytes without padding.
struct value {
    kind type;
    std::uint32_t size;
    std::byte const *data;

    [[nodiscard]] bool is_container() const noexcept { return type == kind::container; }
    [[nodiscard]] bool is_null() const noexcept { return type == kind::null; }
    [[nodiscard]] bool is_string() const noexcept { return type == kind::string; }
    [[nodiscard]] bool is_object() const noexcept { return is_container() && (load(data) & flag_object) != 0; }
    [[nodiscard]] bool is_array() const noexcept { return is_container() && (load(data) & flag_array) != 0; }
    // Members of an object, elements of an array.
    [[nodiscard]] std::uint32_t count() const noexcept { return load(data) & count_mask; }
    [[nodiscard]] std::string_view text() const noexcept { return {reinterpret_cast<char const *>(data), size}; }
    // The same bytes. Equal numbers of different scale (1 and 1.0) differ.
    [[nodiscard]] bool identical(value const &other) const noexcept {
        return type == other.type && size == other.size && (size == 0 || std::memcmp(data, other.data, size) == 0);
    }
};

// The order of keys in an object: by length, then by bytes.
inline int compare_keys(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size())
        return a.size() < b.size() ? -1 : 1;
    return a.empty() ? 0 : std::memcmp(a.data(), b.data(), a.size());
}

// Walks children of a container in order, from any index.
class walker {
public:
    walker(value const &container, std::uint32_t children, std::uint32_t first) noexcept
        : entries_(container.data + 4), bytes_(entries_ + std::size_t{4} * children) {
        // Lengths back to the nearest child that tells an offset.
        for (std::uint32_t i = first; i-- > 0;) {
            std::uint32_t const entry = load(entries_ + std::size_t{4} * i);
            end_ += entry & offlen_mask;
            if ((entry & has_offset) != 0)
                break;
        }
        entries_ += std::size_t{4} * first;
    }

    value next() noexcept {
        std::uint32_t const entry = load(entries_);
        entries_ += 4;
        std::uint32_t const start = end_;
        end_ = (entry & has_offset) != 0 ? entry & offlen_mask : end_ + (entry & offlen_mask);
        auto const type = static_cast<kind>(entry & type_mask);
        bool const padded = type == kind::numeric || type == kind::container;
        std::uint32_t const begin = padded ? align4(start) : start;
        return {type, end_ - begin, bytes_ + begin};
    }

private:
    std::byte const *entries_;
    std::byte const *bytes_;
    std::uint32_t end_ = 0;
};

class array_reader {
public:
    explicit array_reader(value const &array) noexcept : left_(array.count()), elements_(array, left_, 0) {}

    bool next(value &element) noexcept {
        if (left_ == 0)
            return false;
        --left_;
        element = elements_.next();
        return true;
    }

private:
    std::uint32_t left_;
    walker elements_;
};

class object_reader {
public:
    explicit object_reader(value const &object) noexcept
        : left_(object.count()), keys_(object, left_ * 2, 0), values_(object, left_ * 2, left_) {}

    bool next(std::string_view &key, value &member) noexcept {
        if (left_ == 0)
            return false;
        --left_;
        key = keys_.next().text();
        member = values_.next();
        return true;
    }

private:
    std::uint32_t left_;
    walker keys_;
    walker values_;
};

// The value of a root container; a raw scalar comes out of its array.
inline value root_of(jsonb_bytes bytes) noexcept {
    value const root{kind::container, static_cast<std::uint32_t>(bytes.size()), bytes.data()};
    if ((load(bytes.data()) & flag_scalar) == 0)
        return root;
    value scalar{};
    array_reader(root).next(scalar);
    return scalar;
}

// Whether objects and arrays in v nest at most `levels` deep; recurses no deeper.
bool nests_within(value const &v, int levels) noexcept;

} // namespace jsonb
} // namespace weir::core
