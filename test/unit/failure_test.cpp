// SPDX-License-Identifier: PostgreSQL
//
// Defends: nothing thrown inside the core gets out, and no text overruns its
// field or is cut inside of a character.
#include "arena.hpp"
#include "catch.hpp"
#include "core/arena_resource.hpp"
#include "core/guarded.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

using namespace weir::core;

TEST_CASE("text that fits is kept, text that does not ends in dots", "[failure]") {
    char field[12];
    compose(field, "abc", "defgh", "ijk");
    CHECK(std::string(field) == "abcdefghijk");
    compose(field, "abc", "defgh", "ijkl");
    CHECK(std::string(field) == "abcdefgh...");
    compose(field);
    CHECK(std::string(field).empty());
}

TEST_CASE("a character of several bytes is kept or dropped as a whole", "[failure]") {
    for (std::size_t lead = 0; lead < 12; ++lead) {
        char field[12];
        std::string const text = std::string(lead, 'a') + "\xF0\x9F\x8C\x8A\xF0\x9F\x8C\x8A\xF0\x9F\x8C\x8A";
        compose(field, std::string_view(text));
        std::string const kept = field;
        REQUIRE(kept.size() <= 11);
        REQUIRE(kept.substr(kept.size() - 3) == "...");
        std::string const body = kept.substr(0, kept.size() - 3);
        REQUIRE(text.substr(0, body.size()) == body);
        REQUIRE((static_cast<unsigned char>(text[body.size()]) & 0xC0) != 0x80);
    }
}

TEST_CASE("every kind of exception becomes a failure", "[failure]") {
    failure why{};
    why.code = errc::internal;
    CHECK(guarded(why, [] {}));
    CHECK(why.code == errc::none);
    CHECK_FALSE(guarded(why, [] {
        error e{};
        e.why.code = errc::too_deep;
        compose(e.why.message, "too deep");
        throw e;
    }));
    CHECK(why.code == errc::too_deep);
    CHECK(std::string(why.message) == "too deep");
    CHECK_FALSE(guarded(why, [] { throw std::bad_alloc(); }));
    CHECK(why.code == errc::out_of_memory);
    CHECK_FALSE(guarded(why, [] { throw std::length_error("what"); }));
    CHECK(why.code == errc::internal);
    CHECK(std::string(why.message) == "what");
    CHECK_FALSE(guarded(why, [] { throw 42; }));
    CHECK(why.code == errc::internal);
}

TEST_CASE("memory is aligned beyond what the callback promises", "[arena]") {
    weir::test::arena memory;
    arena_resource resource(memory.get());
    for (std::size_t alignment : {1, 2, 4, 8, 16, 32, 64, 4096})
        for (std::size_t size : {0, 1, 7, 100}) {
            void *p = resource.allocate(size, alignment);
            REQUIRE(reinterpret_cast<std::uintptr_t>(p) % alignment == 0);
            if (size > 0)
                std::memset(p, 1, size);
        }
    volatile std::size_t most = SIZE_MAX - 4; // the compiler would warn of a constant
    CHECK_THROWS_AS(resource.allocate(most, 64), std::bad_alloc);
    weir::test::arena none(0);
    arena_resource empty(none.get());
    CHECK_THROWS_AS(empty.allocate(1, 1), std::bad_alloc);
}
