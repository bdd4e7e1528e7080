// SPDX-License-Identifier: PostgreSQL
//
// The caller's allocator as a std::pmr resource, for the .cpp files of the
// core only (it throws). Deallocation does nothing, so containers on it may be
// abandoned without running their destructors.
#pragma once

#include "core/arena.hpp"

#include <cstdint>
#include <memory_resource>
#include <new>

namespace weir::core {

class arena_resource final : public std::pmr::memory_resource {
public:
    explicit arena_resource(allocator source) noexcept : source_(source) {}

private:
    static constexpr std::size_t promised_alignment = 8;

    void *do_allocate(std::size_t n, std::size_t alignment) override {
        std::size_t slack = alignment > promised_alignment ? alignment - promised_alignment : 0;
        if (n > SIZE_MAX - slack)
            throw std::bad_alloc();
        void *p = source_.allocate(source_.context, n + slack > 0 ? n + slack : 1);
        if (p == nullptr)
            throw std::bad_alloc();
        if (slack == 0)
            return p;
        auto address = reinterpret_cast<std::uintptr_t>(p);
        auto aligned = (address + alignment - 1) & ~(static_cast<std::uintptr_t>(alignment) - 1);
        return static_cast<std::byte *>(p) + (aligned - address);
    }

    void do_deallocate(void *, std::size_t, std::size_t) override {}

    bool do_is_equal(memory_resource const &other) const noexcept override { return this == &other; }

    allocator source_;
};

} // namespace weir::core
