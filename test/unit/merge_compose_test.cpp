// SPDX-License-Identifier: PostgreSQL
//
// Defends: merge_diff and merge_patches give a patch that does exactly what was
// asked, or an error that names the member; never a patch that lies.
#include "catch.hpp"
#include "merge_helpers.hpp"

using namespace weir::core;
using namespace weir::test;

namespace {
json operator""_j(char const *text, std::size_t n) { return json::parse(text, text + n); }
} // namespace

TEST_CASE("a difference holds what changed and nothing else", "[diff]") {
    CHECK(difference(R"({"a":1,"b":2})"_j, R"({"a":1,"b":2})"_j) == R"({})"_j);
    CHECK(difference(R"({"a":1,"b":2})"_j, R"({"a":3,"c":4})"_j) == R"({"a":3,"b":null,"c":4})"_j);
    CHECK(difference(R"({"a":{"b":{"c":1,"d":2},"e":3}})"_j, R"({"a":{"b":{"c":1},"e":3}})"_j) ==
          R"({"a":{"b":{"d":null}}})"_j);
    CHECK(difference(R"({"a":[1,2]})"_j, R"({"a":[1,3]})"_j) == R"({"a":[1,3]})"_j);
    CHECK(difference(R"({"a":[1,null]})"_j, R"({"a":[null]})"_j) == R"({"a":[null]})"_j);
    CHECK(difference(R"({"a":1})"_j, R"({"a":{}})"_j) == R"({"a":{}})"_j);
    CHECK(difference(R"({"a":{"b":1}})"_j, R"({"a":{}})"_j) == R"({"a":{"b":null}})"_j);
    CHECK(difference(R"({"a":{"b":1}})"_j, R"({"a":7})"_j) == R"({"a":7})"_j);
}

TEST_CASE("a difference at the root", "[diff]") {
    for (json const &to : {json(nullptr), json(7), json("x"), json(true), R"([null,{"a":null}])"_j}) {
        CHECK(difference(R"({"a":1})"_j, to) == to);
        CHECK(difference(to, to) == to);
        CHECK(difference(to, R"({"a":1})"_j) == R"({"a":1})"_j);
        CHECK(difference(to, R"({})"_j) == R"({})"_j);
    }
}

TEST_CASE("nulls that are there already need no patch", "[diff]") {
    CHECK(difference(R"({"a":null,"b":{"c":null,"d":1}})"_j, R"({"a":null,"b":{"c":null,"d":2}})"_j) ==
          R"({"b":{"d":2}})"_j);
    CHECK(difference(R"({"a":null})"_j, R"({})"_j) == R"({"a":null})"_j);
}

TEST_CASE("a new null has no patch without a sentinel", "[diff]") {
    for (char const *to : {R"({"a":{"b":null}})", R"({"a":{"b":{"c":null}}})"}) {
        auto const refused = difference(R"({"a":1})"_j, json::parse(to));
        CHECK(refused.code() == errc::unrepresentable);
    }
    auto const refused = difference(R"({"a":{"b":1}})"_j, R"({"a":{"b":null}})"_j);
    CHECK(refused.code() == errc::unrepresentable);
    CHECK(std::string(refused.why.message) == "no merge patch can set a member to null");
    CHECK(std::string(refused.why.detail) == "Member \"a.b\" of \"to\" is null.");
    CHECK(std::string(refused.why.hint).find("null_sentinel") != std::string::npos);
}

TEST_CASE("a sentinel stands for a new null", "[diff][sentinel]") {
    CHECK(difference(R"({"a":1})"_j, R"({"a":null,"b":{"c":null}})"_j, "S") == R"({"a":"S","b":{"c":"S"}})"_j);
    CHECK(difference(R"({"a":1})"_j, nullptr, "S") == json(nullptr));
    CHECK(difference(R"({})"_j, R"({"a":null})"_j, "") == R"({"a":""})"_j);
}

TEST_CASE("a sentinel that is a value of the document is refused", "[diff][sentinel]") {
    std::pair<json, char const *> const documents[] = {
        {R"({"a":"S"})"_j, "Member \"a\" of \"to\" holds the string that stands for null."},
        {R"({"a":{"b":[1,{"c":"S"}]}})"_j, "Member \"a.b\" of \"to\" holds the string that stands for null."},
        {R"(["S"])"_j, "The root of \"to\" holds the string that stands for null."},
        {"S", "The root of \"to\" holds the string that stands for null."}};
    for (auto const &[to, detail] : documents) {
        auto const refused = difference(R"({"z":1})"_j, to, "S");
        CHECK(refused.code() == errc::unrepresentable);
        CHECK(std::string(refused.why.detail) == detail);
    }
    // As a key, as a part of a string, or where nothing changes it does no harm.
    CHECK(difference(R"({})"_j, R"({"S":["xS"]})"_j, "S") == R"({"S":["xS"]})"_j);
    CHECK(difference(R"({"a":"S"})"_j, R"({"a":"S","b":1})"_j, "S") == R"({"b":1})"_j);
}

TEST_CASE("numbers of another scale are a difference", "[diff]") {
    // json compares 1 and 1.0 equal, so this looks at bytes.
    bytes const one = to_jsonb(R"({"a":1})");
    bytes const same = to_jsonb(R"({"a":1.0})");
    REQUIRE(one != same);
    arena memory;
    failure why{};
    merge_result patch{};
    merge_result result{};
    REQUIRE(merge_diff(memory.get(), one, same, {}, 64, patch, why));
    REQUIRE(merge_patch(memory.get(), one, {patch.data, patch.size}, {}, 64, result, why));
    CHECK(std::equal(result.data, result.data + result.size, same.begin(), same.end()));
}

TEST_CASE("two patches that compose", "[compose]") {
    CHECK(composed(R"({"a":1})"_j, R"({"b":2})"_j) == R"({"a":1,"b":2})"_j);
    CHECK(composed(R"({"a":1})"_j, R"({"a":null})"_j) == R"({"a":null})"_j);
    CHECK(composed(R"({"a":null})"_j, R"({"a":1})"_j) == R"({"a":1})"_j);
    CHECK(composed(R"({"a":{"b":1,"c":2}})"_j, R"({"a":{"b":null,"d":3}})"_j) == R"({"a":{"b":null,"c":2,"d":3}})"_j);
    CHECK(composed(R"({"a":{"b":1}})"_j, R"({"a":7})"_j) == R"({"a":7})"_j);
    CHECK(composed(R"({"a":{"b":1}})"_j, R"({"a":{}})"_j) == R"({"a":{"b":1}})"_j);
    CHECK(composed(R"({"a":1})"_j, R"([1])"_j) == R"([1])"_j);
    CHECK(composed(R"([1])"_j, 7) == json(7));
    CHECK(composed(R"([1])"_j, nullptr) == json(nullptr));
}

TEST_CASE("an object over something else has no single patch", "[compose]") {
    for (char const *a : {R"({"k":{"a":null}})", R"({"k":{"a":1}})", R"({"k":{"a":[1]}})", R"({"k":{"a":"x"}})"})
        for (char const *b : {R"({"k":{"a":{"b":1}}})", R"({"k":{"a":{}}})"}) {
            auto const refused = composed(json::parse(a), json::parse(b));
            CHECK(refused.code() == errc::unrepresentable);
            CHECK(std::string(refused.why.message) == "no single merge patch does what these two do");
            CHECK(std::string(refused.why.detail) ==
                  "Member \"k.a\" is an object in \"b\" and something else in \"a\".");
        }
    auto const refused = composed(R"([1])"_j, R"({})"_j);
    CHECK(refused.code() == errc::unrepresentable);
    CHECK(std::string(refused.why.detail) == "The root is an object in \"b\" and something else in \"a\".");
}

TEST_CASE("the member at fault is named, shortened where its path is long", "[diff]") {
    json to = R"({"last":null})"_j;
    for (int i = 0; i < 100; ++i)
        to = json{{"\xC3\xA9\xC3\xA9" + std::to_string(i), to}};
    auto const refused = difference(R"({})"_j, to);
    CHECK(refused.code() == errc::unrepresentable);
    std::string const detail = refused.why.detail;
    CHECK(detail.substr(0, 8) == "Member \"");
    CHECK(detail.find("...\" of \"to\" is null.") != std::string::npos);
    CHECK_NOTHROW(json(detail).dump()); // valid UTF-8
}

TEST_CASE("difference and composition are bounded in depth", "[depth]") {
    for (nest kind : {nest::objects, nest::arrays}) {
        json const fits = nested(kind, 64);
        json const over = nested(kind, 65);
        CHECK(difference(1, fits, {}, 64) == fits);
        CHECK(difference(1, over, {}, 64).code() == errc::too_deep);
        CHECK(composed(fits, R"([])"_j, 64) == R"([])"_j);
        CHECK(composed(over, R"([])"_j, 64).code() == errc::too_deep);
        CHECK(composed(R"({})"_j, json{{"a", fits}}, 64).code() == errc::too_deep);

        bytes const deep = nested_bytes(kind, 10000);
        bytes const deeper = nested_bytes(kind, 10001);
        bytes const one = to_jsonb("1");
        arena memory;
        merge_result r{};
        failure why{};
        auto too_deep = [&](bool done) { return !done && why.code == errc::too_deep; };
        CHECK(too_deep(merge_diff(memory.get(), one, deep, {}, 512, r, why)));
        CHECK(too_deep(merge_diff(memory.get(), deep, deeper, {}, 512, r, why)));
        CHECK(too_deep(merge_patches(memory.get(), deep, deeper, 512, r, why)));
        // What is the same on both sides may be of any depth.
        REQUIRE(merge_diff(memory.get(), beside(deep, 1), beside(deep, 2), {}, 64, r, why));
        CHECK(checked(r) == R"({"b":2})"_j);
    }
}
