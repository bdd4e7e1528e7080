// SPDX-License-Identifier: PostgreSQL
//
// Defends: no document is larger than its measure, nor than the sum of the measures of
// the patches that it came from, whatever they are; version, generation and bound come out of
// one integer as they went in.
#include "catch.hpp"
#include "core/document_bound.hpp"
#include "generate.hpp"
#include "merge_helpers.hpp"

#include <random>

using namespace weir::core;
using namespace weir::test;

namespace {

std::int64_t size_of(bytes const &b) { return static_cast<std::int64_t>(b.size()) + 4; }

} // namespace

TEST_CASE("a document is no larger than the measures of its patches", "[bound]") {
    std::mt19937_64 engine(31);
    auto pick = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
    for (int i = 0; i < 2000; ++i) {
        json document = json::object();
        std::int64_t bound = measure(to_jsonb(document));
        for (std::size_t n = pick(12); n > 0; --n) {
            json patch = json::object();
            for (std::size_t k = pick(5); k > 0; --k)
                patch[std::string(1 + pick(3), static_cast<char>('a' + pick(6)))] = generate(pick, 3);
            bytes const binary = to_jsonb(patch);
            REQUIRE(size_of(binary) <= measure(binary));
            document = oracle::apply(document, patch, {});
            std::int64_t const grown = bound + measure(binary), own = measure(to_jsonb(document));
            INFO(document.dump());
            REQUIRE(size_of(to_jsonb(document)) <= own);
            REQUIRE(own <= grown);
            bound = pick(4) == 0 ? own : grown; // set anew now and then
        }
    }
}

TEST_CASE("deep documents are measured without walking them to the end", "[bound]") {
    json deep = 1;
    for (int i = 0; i < 1000; ++i)
        deep = json::array({deep});
    bytes const binary = to_jsonb(json::object({{"a", deep}}));
    CHECK(measure(binary) >= size_of(binary));
    CHECK(measure(binary) <= 2 * size_of(binary));
}

TEST_CASE("version, generation and bound in one integer", "[bound]") {
    document_bound const none = document_bound::unpack(0);
    CHECK((none.version == 0 && none.generation == 0 && none.units == 0 && none.pack() == 0));
    document_bound b = none.plus(in_units(65));
    CHECK((b.version == 1 && b.generation == 0 && b.units == 2));
    for (int i = 0; i < 9; ++i)
        b = b.set(7);
    b = document_bound::unpack(b.pack());
    CHECK((b.version == 10 && b.generation == 1 && b.units == 7));
    b = b.plus(document_bound::greatest);
    CHECK((b.units == document_bound::greatest && b.pack() > 0));
    b.version = (std::int64_t{1} << 36) - 2;
    b = document_bound::unpack(b.plus(1).pack());
    CHECK((b.version == (std::int64_t{1} << 36) - 1 && b.generation == 1 && b.units == document_bound::greatest));
}
