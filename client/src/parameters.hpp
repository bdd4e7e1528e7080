// SPDX-License-Identifier: PostgreSQL
//
// The parameters of a statement, all in binary form: the bytes go out as they are, so
// that a NUL in a text is the server's error and not the end of it. Texts and bytes
// are views of what the caller holds; arrays, numbers and JSON are built here.
#pragma once

#include "weir/position.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {
namespace internal {

// Types of array elements, as in pg_type.
enum class element : std::uint32_t { bytes = 17, int8 = 20, int4 = 23, text = 25, float8 = 701, jsonb = 3802 };

class parameters {
public:
    parameters &null();
    // Of type text, bytea, or what else the server takes these bytes for.
    parameters &raw(std::optional<std::string_view> value);
    parameters &boolean(bool value) { return raw(value ? std::string_view("\1", 1) : std::string_view("\0", 1)); }
    parameters &jsonb(std::optional<std::string_view> value);
    parameters &integer(std::optional<std::int32_t> value);
    parameters &bigint(std::optional<std::int64_t> value);
    parameters &real(std::optional<double> value);
    parameters &at(std::optional<position> p) { return p ? bigint(p->value()) : null(); }

    // Of this type.
    parameters &one(element type, std::optional<std::string_view> value) {
        return type == element::jsonb ? jsonb(value) : raw(value);
    }
    parameters &one(element type, std::optional<std::int64_t> value);
    parameters &one(element, std::optional<double> value) { return real(value); }

    // An array, built with add() and its like, one call an element. end() before anything else.
    parameters &begin(element type, std::size_t count);
    parameters &add(std::optional<std::string_view> value); // text, bytes and jsonb
    parameters &add(std::optional<std::int64_t> value);     // int8 and int4
    parameters &end();

    // As libpq wants them. Throws weir::error (54000) where one is too long for the protocol.
    struct view {
        std::vector<char const *> values;
        std::vector<int> lengths, formats;
    };
    view as_libpq() const;
    int size() const noexcept { return static_cast<int>(slots_.size()); }
    void clear() noexcept;

private:
    struct slot {
        char const *outside = nullptr; // else built here, from `offset` on
        std::size_t offset = 0, length = 0;
        bool is_null = false;
    };
    parameters &add_null();
    void number(std::uint64_t value, int bytes);
    void patch(std::size_t at, std::uint32_t value);

    std::vector<slot> slots_;
    std::string built_;
    element type_ = element::text;
    bool has_null_ = false;
};

} // namespace internal
} // namespace weir::inline v0
