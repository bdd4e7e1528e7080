// SPDX-License-Identifier: PostgreSQL
//
// Builds a jsonb root container, byte for byte what Postgres (jsonb_util.c,
// convertToJsonb) makes of the same value. For .cpp files of the core:
// it throws error (too_large) and std::bad_alloc.
//
//     writer out(memory, expected_size);
//     auto object = out.open(flag_object, 1);
//     out.key(object, "a");           // all keys first, in order, unique
//     auto array = out.open(flag_array, 1);
//     out.put(array, element);
//     out.close(object, array);       // then the values
//     result = out.finish();
//
// The buffer comes from the memory resource and starts with room for the
// varlena header; when it grows, the old one is left to the resource.
#pragma once

#include "core/guarded.hpp"
#include "core/jsonb.hpp"

#include <memory_resource>

namespace weir::core::jsonb {

class writer {
public:
    // An open container: where it starts, and the next JEntry to fill in.
    struct frame {
        std::uint32_t start;
        std::uint32_t entries;
        std::uint32_t next;
        std::uint64_t total;
        bool object;
    };

    writer(std::pmr::memory_resource &memory, std::size_t expected);

    [[nodiscard]] frame open(std::uint32_t flag, std::size_t members);
    void key(frame &object, std::string_view text);
    void string(frame &in, std::string_view text);
    void put(frame &in, value const &v); // as it is, of any depth
    void close(frame &parent, frame const &child);

    [[nodiscard]] jsonb_result finish() const;
    [[nodiscard]] jsonb_result finish(value const &root); // nothing opened before

private:
    void add(frame &f, kind type, std::uint32_t length);
    void pad();
    std::byte *grow(std::size_t n);
    void reserve(std::size_t capacity);
    static void store(std::byte *at, std::uint32_t n) noexcept;
    [[noreturn]] static void throw_too_large(bool object);

    std::pmr::memory_resource &memory_;
    std::byte *data_ = nullptr;
    std::uint32_t used_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace weir::core::jsonb
