// SPDX-License-Identifier: PostgreSQL
//
// Defends, over seeded random documents and patches: the core agrees with the
// naive oracle; a fold is its patches one by one; composition and difference
// keep their equations wherever the oracle says that a patch exists, and only there; the
// sentinel never shows.
#include "catch.hpp"
#include "generate.hpp"
#include "merge_helpers.hpp"

#include <random>

using namespace weir::core;
using namespace weir::test;

namespace {

struct source {
    std::mt19937_64 engine;
    std::size_t operator()(std::size_t n) { return static_cast<std::size_t>(engine() % n); }
};

oracle::sentinel some_sentinel(source &pick) {
    switch (pick(3)) {
    case 0:
        return {};
    case 1:
        return "";
    default:
        return the_sentinel;
    }
}

} // namespace

TEST_CASE("merge_patch agrees with the oracle", "[property]") {
    source pick{std::mt19937_64(11)};
    for (int i = 0; i < 20000; ++i) {
        auto const s = some_sentinel(pick);
        json const target = generate(pick, 4);
        json const patch = generate(pick, 4);
        INFO(target.dump() << " <- " << patch.dump() << " sentinel " << (s ? *s : "none"));
        REQUIRE(patched(target, patch, s) == oracle::apply(target, patch, s));
    }
}

TEST_CASE("a fold is its patches one by one", "[property]") {
    source pick{std::mt19937_64(12)};
    for (int i = 0; i < 5000; ++i) {
        auto const s = some_sentinel(pick);
        bool const based = pick(3) != 0;
        json document = based ? generate(pick, 4) : json::object();
        json const base = document;
        json singly = document;
        std::vector<json> patches;
        for (std::size_t n = pick(8); n > 0; --n)
            patches.push_back(generate(pick, 4));
        for (json const &patch : patches) {
            document = oracle::apply(document, patch, s);
            singly = *patched(singly, patch, s).tree;
        }
        INFO(base.dump() << " <- " << json(patches).dump());
        REQUIRE(singly == document);
        REQUIRE(folded(based ? std::optional<json>(base) : std::nullopt, patches, s) == document);
    }
}

TEST_CASE("no document made of patches alone holds the sentinel", "[property]") {
    source pick{std::mt19937_64(13)};
    oracle::sentinel const s = the_sentinel;
    int seen = 0;
    for (int i = 0; i < 5000; ++i) {
        std::vector<json> patches;
        for (std::size_t n = 1 + pick(5); n > 0; --n)
            patches.push_back(generate(pick, 5));
        for (json const &patch : patches)
            seen += oracle::holds(patch, s) ? 1 : 0;
        auto const result = folded({}, patches, s);
        REQUIRE(result.tree);
        REQUIRE_FALSE(oracle::holds(*result.tree, s));
    }
    CHECK(seen > 1000); // the patches did
}

TEST_CASE("a composed patch does what the two do, and exists where it can", "[property]") {
    source pick{std::mt19937_64(14)};
    int there = 0;
    for (int i = 0; i < 20000; ++i) {
        json const a = generate(pick, 3);
        json const b = generate(pick, 3);
        auto const expected = oracle::compose(a, b);
        auto const both = composed(a, b);
        INFO(a.dump() << " then " << b.dump());
        if (!expected) {
            REQUIRE(both.code() == errc::unrepresentable);
            continue;
        }
        ++there;
        REQUIRE(both == *expected);
        for (int j = 0; j < 4; ++j) {
            json const document = generate(pick, 4);
            json const step = oracle::apply(oracle::apply(document, a), b);
            REQUIRE(patched(document, *both.tree) == step);
        }
    }
    CHECK(there > 5000);
    CHECK(there < 19000);
}

TEST_CASE("where composition is refused, no patch would do", "[property]") {
    // Any single patch that fits two documents fails a third: search small ones.
    std::vector<json> small;
    for (json const &leaf :
         {json(nullptr), json(1), json::object(), json::array(), json{{"b", 1}}, json{{"b", nullptr}}, json{{"c", 1}}})
        small.push_back(leaf);
    for (std::size_t i = 0, n = small.size(); i < n; ++i)
        small.push_back(json{{"a", small[i]}});
    for (json const &a : small)
        for (json const &b : small) {
            if (composed(a, b).tree)
                continue;
            for (json const &candidate : small) {
                bool always = true;
                for (json const &d : small)
                    always = always && oracle::apply(d, candidate) == oracle::apply(oracle::apply(d, a), b);
                INFO(a.dump() << " then " << b.dump() << " is " << candidate.dump());
                REQUIRE_FALSE(always);
            }
        }
}

TEST_CASE("a difference leads to its goal, and exists where it can", "[property]") {
    source pick{std::mt19937_64(15)};
    int there = 0;
    for (int i = 0; i < 20000; ++i) {
        auto const s = some_sentinel(pick);
        json const from = generate(pick, 4);
        json to = generate(pick, 4);
        // Often a near relative, so that there is something in common.
        if (pick(2) == 0)
            to = oracle::apply(from, to);
        auto const expected = oracle::diff(from, to, s);
        auto const patch = difference(from, to, s);
        INFO(from.dump() << " to " << to.dump() << " sentinel " << (s ? *s : "none"));
        if (!expected) {
            REQUIRE(patch.code() == errc::unrepresentable);
            continue;
        }
        ++there;
        REQUIRE(patch == *expected);
        REQUIRE(patched(from, *patch.tree, s) == to);
        if (from == to && to.is_object())
            REQUIRE(patch == json::object());
    }
    CHECK(there > 5000);
    CHECK(there < 19000);
}
