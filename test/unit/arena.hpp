// SPDX-License-Identifier: PostgreSQL
//
// Memory for tests of the core: freed as a whole, counted, exhausted on
// demand, and never aligned to more than the 8 bytes that are promised.
#pragma once

#include "core/arena.hpp"

#include <cstdlib>
#include <limits>
#include <vector>

namespace weir::test {

class arena {
public:
    // Fails the call after `calls` successful ones.
    explicit arena(std::size_t calls = std::numeric_limits<std::size_t>::max()) : left_(calls) {}
    arena(arena const &) = delete;
    arena &operator=(arena const &) = delete;
    ~arena() {
        for (void *block : blocks_)
            std::free(block);
    }

    core::allocator get() noexcept { return {&arena::allocate, this}; }
    [[nodiscard]] std::size_t calls() const noexcept { return blocks_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    static void *allocate(void *context, std::size_t n) noexcept {
        auto &self = *static_cast<arena *>(context);
        if (self.left_ == 0)
            return nullptr;
        --self.left_;
        self.bytes_ += n;
        // malloc aligns to 16: 8 beyond that is 8-aligned and no more. The
        // end of the block stays where it is, for the address sanitizer.
        void *block = std::malloc(n + 8);
        if (block == nullptr)
            return nullptr;
        self.blocks_.push_back(block);
        return static_cast<char *>(block) + 8;
    }

    std::size_t left_;
    std::size_t bytes_ = 0;
    std::vector<void *> blocks_;
};

} // namespace weir::test
