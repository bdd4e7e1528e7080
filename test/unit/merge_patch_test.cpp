// SPDX-License-Identifier: PostgreSQL
//
// Defends: merge_patch and the fold do what RFC 7396 says, set nulls through the
// sentinel, refuse what is too deep, and copy what no patch touches.
#include "catch.hpp"
#include "merge_helpers.hpp"

using namespace weir::core;
using namespace weir::test;

namespace {
json operator""_j(char const *text, std::size_t n) { return json::parse(text, text + n); }
oracle::sentinel const null_string = "__weir_null__";
} // namespace

TEST_CASE("RFC 7396 appendix A", "[merge]") {
    struct vector {
        char const *original;
        char const *patch;
        char const *result;
    };
    for (vector const &v :
         std::initializer_list<vector>{{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                                       {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                                       {R"({"a":"b"})", R"({"a":null})", R"({})"},
                                       {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                                       {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                                       {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                                       {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                                       {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                                       {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
                                       {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
                                       {R"({"a":"foo"})", R"(null)", R"(null)"},
                                       {R"({"a":"foo"})", R"("bar")", R"("bar")"},
                                       {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                                       {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
                                       {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}}) {
        INFO(v.original << " <- " << v.patch);
        json const result = json::parse(v.result);
        CHECK(patched(json::parse(v.original), json::parse(v.patch)) == result);
        CHECK(patched(json::parse(v.original), json::parse(v.patch), null_string) == result);
        CHECK(folded(json::parse(v.original), {json::parse(v.patch)}) == result);
    }
}

TEST_CASE("the example of RFC 7396 section 3", "[merge]") {
    CHECK(patched(R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},
                      "tags":["example","sample"],"content":"This will be unchanged"})"_j,
                  R"({"title":"Hello!","phoneNumber":"+01-123-456-7890",
                      "author":{"familyName":null},"tags":["example"]})"_j) ==
          R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],
              "content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})"_j);
}

TEST_CASE("an empty object makes or keeps an object", "[merge]") {
    CHECK(patched(R"({})"_j, R"({"a":{}})"_j) == R"({"a":{}})"_j);
    CHECK(patched(R"({"a":1})"_j, R"({"a":{}})"_j) == R"({"a":{}})"_j);
    CHECK(patched(R"({"a":{"b":1}})"_j, R"({"a":{}})"_j) == R"({"a":{"b":1}})"_j);
    CHECK(patched(R"({"a":{"b":1}})"_j, R"({})"_j) == R"({"a":{"b":1}})"_j);
    CHECK(patched(R"([1])"_j, R"({})"_j) == R"({})"_j);
    CHECK(patched(nullptr, R"({})"_j) == R"({})"_j);
}

TEST_CASE("a rolling document keeps what later patches do not touch", "[merge][fold]") {
    oracle::sentinel const s = "__ff_null__";
    CHECK(folded({}, {R"({"a":1})"_j, R"({"b":2})"_j, R"({"a":42,"c":{"x":"__ff_null__"}})"_j}, s) ==
          R"({"a":42,"b":2,"c":{"x":null}})"_j);
    CHECK(folded({}, {R"({"a":1,"b":{"c":2}})"_j, R"({"a":null,"b":{"d":3}})"_j}, s) == R"({"b":{"c":2,"d":3}})"_j);
    CHECK(folded({}, {R"({"x":"__ff_null__"})"_j}, s) == R"({"x":null})"_j);
    CHECK(folded({}, {}) == R"({})"_j);
    CHECK(folded(R"([1])"_j, {}) == R"([1])"_j);
    CHECK(folded(7, {}) == json(7));
}

TEST_CASE("what was removed or replaced comes back empty", "[merge][fold]") {
    json const base = R"({"a":{"old":1},"b":2})"_j;
    CHECK(folded(base, {R"({"a":null})"_j, R"({"a":{"x":1}})"_j}) == R"({"a":{"x":1},"b":2})"_j);
    CHECK(folded(base, {R"({"a":7})"_j, R"({"a":{"x":null}})"_j}) == R"({"a":{},"b":2})"_j);
    CHECK(folded(base, {R"({"a":[1]})"_j, R"({"a":{}})"_j}) == R"({"a":{},"b":2})"_j);
    CHECK(folded(base, {R"({"a":{"x":1}})"_j, R"({"a":null})"_j, R"({"a":{"y":1}})"_j}) == R"({"a":{"y":1},"b":2})"_j);
}

TEST_CASE("a root that is no object replaces the document, and a later object starts anew", "[merge][fold]") {
    json const base = R"({"a":1})"_j;
    for (json const &root : {json(nullptr), json(true), json(1.5), json("x"), R"([1,{"a":2}])"_j, R"([])"_j}) {
        CHECK(folded(base, {root}) == root);
        CHECK(folded(base, {root, R"({"b":2})"_j}) == R"({"b":2})"_j);
        CHECK(folded(base, {R"({"b":2})"_j, root}) == root);
        CHECK(patched(root, R"({"b":2})"_j) == R"({"b":2})"_j);
        CHECK(patched(root, root) == root);
    }
}

TEST_CASE("where an object is required another root is refused and the fold goes on", "[merge][fold]") {
    std::pair<json, char const *> const roots[] = {{nullptr, "Its root is null."},
                                                   {true, "Its root is a boolean."},
                                                   {1, "Its root is a number."},
                                                   {"x", "Its root is a string."},
                                                   {R"([{"a":1}])"_j, "Its root is an array."}};
    for (auto const &[root, detail] : roots) {
        auto const refused = folded({}, {root}, {}, patch_root::object);
        CHECK(refused.code() == errc::not_an_object);
        CHECK(std::string(refused.why.message) == "merge patch must be a JSON object");
        CHECK(std::string(refused.why.detail) == detail);
    }
    arena memory;
    failure why{};
    fold *const state = fold_begin(memory.get(), {}, 64, why);
    bytes const good = to_jsonb(R"({"a":1})");
    bytes const bad = to_jsonb("[1]");
    REQUIRE(fold_apply(state, good, patch_root::object, why));
    REQUIRE_FALSE(fold_apply(state, bad, patch_root::object, why));
    merge_result r{};
    REQUIRE(fold_finish(state, {}, r, why));
    CHECK(checked(r) == R"({"a":1})"_j);
}

TEST_CASE("the sentinel becomes null wherever a value may stand", "[merge][sentinel]") {
    auto const s = null_string;
    CHECK(patched(R"({"a":1})"_j, R"({"a":"__weir_null__"})"_j, s) == R"({"a":null})"_j);
    CHECK(patched(R"({"a":1})"_j, "__weir_null__", s) == json(nullptr));
    CHECK(patched(1, R"(["__weir_null__",null,1])"_j, s) == R"([null,null,1])"_j);
    CHECK(patched(1, R"({"a":[{"b":["__weir_null__","x"],"c":"__weir_null__"},"__weir_null__"]})"_j, s) ==
          R"({"a":[{"b":[null,"x"],"c":null},null]})"_j);
    CHECK(patched(1, R"({"a":{"b":{"c":"__weir_null__"}}})"_j, s) == R"({"a":{"b":{"c":null}}})"_j);
}

TEST_CASE("only the whole string in a value is the sentinel", "[merge][sentinel]") {
    auto const s = null_string;
    json const near = R"({"a":"__weir_null_","b":["x__weir_null__","__weir_null__y"],"__weir_null__":1,
                          "c":[{"__weir_null__":"__weir_null"}]})"_j;
    CHECK(patched(R"({})"_j, near, s) == near);
    CHECK(patched(R"({})"_j, R"({"a":"__weir_null__","b":["__weir_null__"]})"_j) ==
          R"({"a":"__weir_null__","b":["__weir_null__"]})"_j);
    CHECK(patched(R"({})"_j, R"({"a":"","b":["",1]})"_j) == R"({"a":"","b":["",1]})"_j);
    CHECK(patched(R"({})"_j, R"({"a":"","b":["",1]})"_j, "") == R"({"a":null,"b":[null,1]})"_j);
    // Text of the sentinel that only the bytes of two neighbours make.
    CHECK(patched(1, R"(["__weir","_null__"])"_j, s) == R"(["__weir","_null__"])"_j);
}

TEST_CASE("the target's own strings and nulls stay", "[merge][sentinel]") {
    json const target = R"({"a":"__weir_null__","b":null,"c":{"d":null,"e":"__weir_null__"}})"_j;
    CHECK(patched(target, R"({"c":{"f":1}})"_j, null_string) ==
          R"({"a":"__weir_null__","b":null,"c":{"d":null,"e":"__weir_null__","f":1}})"_j);
}

TEST_CASE("arrays are replaced whole, with their nulls", "[merge]") {
    CHECK(patched(R"({"a":[1,2,3]})"_j, R"({"a":[null,{"b":null}]})"_j) == R"({"a":[null,{"b":null}]})"_j);
}

TEST_CASE("a patch deeper than the limit is refused, objects and arrays alike", "[merge][depth]") {
    for (nest kind : {nest::objects, nest::arrays})
        for (int limit : {1, 2, 16, 64, 512}) {
            CHECK(patched(1, nested(kind, limit), {}, limit) == nested(kind, limit));
            auto const refused = patched(1, nested(kind, limit + 1), {}, limit);
            CHECK(refused.code() == errc::too_deep);
            CHECK(std::string(refused.why.detail) ==
                  "Objects and arrays may nest " + std::to_string(limit) + " levels deep.");
        }
    CHECK(patched(1, nested(nest::objects, 513), {}, 100000).code() == errc::too_deep);
    CHECK(patched(1, R"({"a":[{"b":[]}]})"_j, {}, 3).code() == errc::too_deep);
    CHECK(patched(1, R"({"a":[{"b":[]}]})"_j, {}, 4) == R"({"a":[{"b":[]}]})"_j);
    CHECK(patched(1, 2, {}, 0) == json(2));
    CHECK(patched(1, R"({})"_j, {}, 0).code() == errc::too_deep);
    CHECK(patched(1, R"({})"_j, {}, -5).code() == errc::too_deep);
}

TEST_CASE("depth 10000 is an error in a patch and no matter in a target", "[merge][depth]") {
    for (nest kind : {nest::objects, nest::arrays}) {
        bytes const deep = nested_bytes(kind, 10000);
        bytes const target = beside(deep, 1);
        bytes const expected = beside(deep, 2);
        bytes const patch = to_jsonb(R"({"b":2})");
        arena memory;
        merge_result r{};
        failure why{};
        CHECK_FALSE(merge_patch(memory.get(), patch, deep, {}, 512, r, why));
        CHECK(why.code == errc::too_deep);
        CHECK_FALSE(merge_patch(memory.get(), patch, target, "S", 512, r, why));
        CHECK(why.code == errc::too_deep);
        REQUIRE(merge_patch(memory.get(), target, patch, {}, 64, r, why));
        CHECK(std::equal(r.data, r.data + r.size, expected.begin(), expected.end()));
    }
}

TEST_CASE("patch_check admits objects within the depth", "[merge][depth]") {
    auto code_of = [](bytes const &p, int depth) {
        failure why{};
        bool const done = patch_check(p, depth, why);
        CHECK(done == (why.code == errc::none));
        return why.code;
    };
    auto code = [&](json const &patch, int depth) { return code_of(to_jsonb(patch), depth); };
    CHECK(code(R"({})"_j, 64) == errc::none);
    CHECK(code(R"({"a":[1,{"b":2}]})"_j, 3) == errc::none);
    CHECK(code(R"({"a":[1,{"b":2}]})"_j, 2) == errc::too_deep);
    CHECK(code_of(nested_bytes(nest::objects, 64), 64) == errc::none);
    CHECK(code_of(nested_bytes(nest::objects, 65), 64) == errc::too_deep);
    CHECK(code_of(within(nested_bytes(nest::arrays, 63)), 64) == errc::none);
    CHECK(code_of(within(nested_bytes(nest::arrays, 64)), 64) == errc::too_deep);
    CHECK(code_of(nested_bytes(nest::objects, 513), 100000) == errc::too_deep);
    CHECK(code_of(nested_bytes(nest::objects, 10000), 512) == errc::too_deep);
    CHECK(code_of(nested_bytes(nest::objects, 1'000'000), 512) == errc::too_deep);
    for (json const &root : {json(nullptr), json(1), json("x"), json(false), R"([{"a":1}])"_j})
        CHECK(code(root, 64) == errc::not_an_object);
}

TEST_CASE("many distinct keys in any order cost no more than their number", "[merge][fold]") {
    constexpr int keys = 20000;
    std::vector<json> patches;
    json expected = json::object();
    for (int i = 0; i < keys; ++i) {
        std::string const key = "key" + std::to_string((i * 7919) % keys);
        patches.push_back(json{{key, i}});
        expected[key] = i;
    }
    patches.push_back(R"({"key1":null})"_j);
    expected.erase("key1");
    CHECK(folded({}, patches) == expected);
    CHECK(folded(expected, patches) == expected);
}

TEST_CASE("a fold may be finished more than once and go on", "[merge][fold]") {
    arena memory;
    failure why{};
    fold *const state = fold_begin(memory.get(), "S", 64, why);
    bytes const base = to_jsonb(R"({"z":1})");
    bytes const first = to_jsonb(R"({"a":["S"]})");
    bytes const second = to_jsonb(R"({"a":{"b":"S"}})");
    merge_result one{};
    merge_result two{};
    REQUIRE(fold_apply(state, first, patch_root::object, why));
    REQUIRE(fold_finish(state, base, one, why));
    REQUIRE(fold_apply(state, second, patch_root::object, why));
    REQUIRE(fold_finish(state, {}, two, why));
    CHECK(checked(one) == R"({"a":[null],"z":1})"_j);
    CHECK(checked(two) == R"({"a":{"b":null}})"_j);
}

TEST_CASE("a small patch takes memory for the result and little else", "[merge][fold]") {
    json document = json::object();
    for (int i = 0; i < 2000; ++i)
        document["member" + std::to_string(i)] = std::string(20, 'x');
    bytes const base = to_jsonb(document);
    bytes const patch = to_jsonb(R"({"member7":"y","new":1})");
    arena memory;
    merge_result r{};
    failure why{};
    REQUIRE(merge_patch(memory.get(), base, patch, {}, 64, r, why));
    CHECK(memory.bytes() < 4 * base.size());
    CHECK(memory.calls() < 16);
}

TEST_CASE("wherever memory ends, the answer is out_of_memory", "[merge][memory]") {
    json const target = R"({"a":{"b":1,"c":[1,2]},"d":"text","e":{"f":{"g":1}}})"_j;
    json const patch = R"({"a":{"b":null,"x":["S"]},"e":{"f":{"h":2}},"i":3})"_j;
    bytes const t = to_jsonb(target);
    bytes const p = to_jsonb(patch);
    auto exhaust = [](auto &&call) {
        for (std::size_t calls = 0;; ++calls) {
            arena memory(calls);
            merge_result r{};
            failure why{};
            if (call(memory.get(), r, why))
                return calls;
            REQUIRE(why.code == errc::out_of_memory);
            REQUIRE(calls < 1000);
        }
    };
    CHECK(exhaust([&](auto m, auto &r, auto &why) { return merge_patch(m, t, p, "S", 64, r, why); }) > 2);
    CHECK(exhaust([&](auto m, auto &r, auto &why) { return merge_diff(m, t, p, "N", 64, r, why); }) > 1);
    CHECK(exhaust([&](auto m, auto &r, auto &why) { return merge_patches(m, t, p, 64, r, why); }) > 1);
}

TEST_CASE("a result beyond the format is too_large", "[merge][large]") {
    std::string const large(150'000'000, 'x');
    auto object = [&](char const *key) { return to_jsonb(json{{key, large}}); };
    bytes const a = object("a");
    bytes const b = object("b");
    arena memory;
    merge_result r{};
    failure why{};
    CHECK_FALSE(merge_patch(memory.get(), a, b, {}, 64, r, why));
    CHECK(why.code == errc::too_large);
    CHECK(std::string(why.message) == "total size of jsonb object elements exceeds the maximum of 268435455 bytes");
    CHECK_FALSE(merge_patches(memory.get(), a, b, 64, r, why));
    CHECK(why.code == errc::too_large);
}
