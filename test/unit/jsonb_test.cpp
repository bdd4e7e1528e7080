// SPDX-License-Identifier: PostgreSQL
//
// Defends: the writer's bytes are those of a Postgres server, and the reader
// finds in a server's bytes what the server was given. jsonb_vectors.txt has
// one document a line, a tab, and the container in hexadecimal as
// PostgreSQL 15 stored it (pageinspect on a column with STORAGE PLAIN).
#include "arena.hpp"
#include "catch.hpp"
#include "core/arena_resource.hpp"
#include "core/jsonb_writer.hpp"
#include "generate.hpp"
#include "json_text.hpp"

#include <fstream>
#include <random>

using namespace weir::core;
using namespace weir::test;
using jsonb::value;
using jsonb::writer;

namespace {

struct vector_line {
    std::string text;
    bytes container;
};

std::vector<vector_line> server_vectors() {
    char const *other = std::getenv("WEIR_JSONB_VECTORS"); // a larger file, for a longer look
    std::ifstream in(other ? other : WEIR_UNIT_DIR "/jsonb_vectors.txt");
    std::vector<vector_line> out;
    for (std::string line; std::getline(in, line);) {
        std::size_t const tab = line.rfind('\t');
        vector_line v{line.substr(0, tab), {}};
        for (std::size_t i = tab + 1; i + 1 < line.size(); i += 2)
            v.container.push_back(static_cast<std::byte>(std::stoi(line.substr(i, 2), nullptr, 16)));
        out.push_back(v);
    }
    return out;
}

bytes copy(jsonb_result const &r) { return {r.data, r.data + r.size}; }

void rebuild_members(writer &out, writer::frame &f, value const &container);

void rebuild(writer &out, writer::frame &in, value const &v) {
    if (!v.is_container())
        return out.put(in, v);
    auto f = out.open(v.is_object() ? jsonb::flag_object : jsonb::flag_array, v.count());
    rebuild_members(out, f, v);
    out.close(in, f);
}

void rebuild_members(writer &out, writer::frame &f, value const &container) {
    value v{};
    if (container.is_array()) {
        for (jsonb::array_reader r(container); r.next(v);)
            rebuild(out, f, v);
        return;
    }
    std::string_view key;
    for (jsonb::object_reader r(container); r.next(key, v);)
        out.key(f, key);
    for (jsonb::object_reader r(container); r.next(key, v);)
        rebuild(out, f, v);
}

// The same document member by member through the writer.
bytes rebuilt(bytes const &container, std::size_t expected) {
    arena memory;
    arena_resource resource(memory.get());
    writer out(resource, expected);
    value const root = jsonb::root_of(container);
    if (!root.is_container())
        return copy(out.finish(root));
    auto f = out.open(root.is_object() ? jsonb::flag_object : jsonb::flag_array, root.count());
    rebuild_members(out, f, root);
    return copy(out.finish());
}

json mixed(int depth) {
    json tree = 1;
    for (int i = 0; i < depth; ++i) {
        json outer = i % 2 == 0 ? json::array({nullptr}) : json{{"k", nullptr}};
        std::swap(*outer.begin(), tree);
        tree = std::move(outer);
    }
    return tree;
}

} // namespace

TEST_CASE("a server's bytes are read, and written again to the byte", "[jsonb]") {
    auto const vectors = server_vectors();
    REQUIRE(vectors.size() >= 40);
    for (auto const &v : vectors) {
        INFO(v.text);
        json const tree = json::parse(v.text);
        bool const exact = v.text.find("12345678901234567890.") == std::string::npos;
        REQUIRE((!exact || to_json(v.container) == tree));
        REQUIRE(rebuilt(v.container, 0) == v.container);
        REQUIRE(rebuilt(v.container, v.container.size()) == v.container);
        REQUIRE(to_jsonb(tree) == v.container); // the tests' own builder, too
    }
}

TEST_CASE("random documents survive reader and writer", "[jsonb]") {
    std::mt19937_64 engine(4);
    auto pick = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
    for (int i = 0; i < 5000; ++i) {
        json const tree = generate(pick, 5);
        bytes const container = to_jsonb(tree);
        REQUIRE(to_json(container) == tree);
        REQUIRE(rebuilt(container, 16) == container);
    }
}

TEST_CASE("bytes at any address are read", "[jsonb]") {
    bytes const container = to_jsonb(R"({"a":[1,"x",{"b":2.5}],"bb":null})");
    for (std::size_t shift = 0; shift < 8; ++shift) {
        bytes moved(shift);
        moved.insert(moved.end(), container.begin(), container.end());
        CHECK(to_json(jsonb_bytes(moved).subspan(shift)) == to_json(container));
    }
}

TEST_CASE("a walker may start at any child", "[jsonb]") {
    json tree = json::array();
    for (int i = 0; i < 200; ++i)
        tree.push_back(i % 3 == 0 ? json(i) : json(std::string(i % 7, 'x')));
    bytes const container = to_jsonb(tree);
    value const root = jsonb::root_of(container);
    for (std::uint32_t first = 0; first < 200; ++first) {
        jsonb::walker walker(root, 200, first);
        REQUIRE(text_detail::tree_of(walker.next()) == tree[first]);
    }
}

TEST_CASE("keys order by length, then by unsigned bytes", "[jsonb]") {
    CHECK(jsonb::compare_keys("", "") == 0);
    CHECK(jsonb::compare_keys("", "a") < 0);
    CHECK(jsonb::compare_keys("z", "aa") < 0);
    CHECK(jsonb::compare_keys("ab", "aa") > 0);
    CHECK(jsonb::compare_keys("a\x7F", "a\xC3") < 0);
}

TEST_CASE("depth counts objects and arrays from 1", "[jsonb]") {
    for (int depth : {0, 1, 2, 3, 63, 64, 511, 512}) {
        bytes const container = to_jsonb(mixed(depth));
        value const root = jsonb::root_of(container);
        CHECK(jsonb::nests_within(root, depth));
        CHECK_FALSE(jsonb::nests_within(root, depth - 1) != (depth == 0));
        CHECK(jsonb::nests_within(root, 512));
    }
    bytes const wide = to_jsonb(R"([[],{},[1,[2]],{"a":{"b":[]}},[]])");
    CHECK_FALSE(jsonb::nests_within(jsonb::root_of(wide), 3));
    CHECK(jsonb::nests_within(jsonb::root_of(wide), 4));
}

TEST_CASE("the result leaves room for the varlena header", "[jsonb]") {
    arena memory;
    arena_resource resource(memory.get());
    writer out(resource, 0);
    bytes const container = to_jsonb(R"({"a":1})");
    auto const r = out.finish(jsonb::root_of(container));
    CHECK(static_cast<std::byte *>(r.varlena()) + 4 == r.data);
    CHECK(r.varlena_size() == container.size() + 4);
    CHECK(reinterpret_cast<std::uintptr_t>(r.varlena()) % 8 == 0);
    std::memset(r.varlena(), 0xFF, 4);
    CHECK(copy(r) == container);
}

TEST_CASE("what does not fit the format is an error, before it is wrong", "[jsonb][large]") {
    arena memory;
    arena_resource resource(memory.get());
    std::string const large(100'000'000, 'x');
    auto too_large = [](auto &&body) {
        failure why{};
        return !guarded(why, body) && why.code == errc::too_large &&
               std::string_view(why.message).find("268435455") != std::string_view::npos;
    };
    CHECK(too_large([&] { // the sum of the elements
        writer out(resource, 0);
        auto f = out.open(jsonb::flag_array, 3);
        for (int i = 0; i < 3; ++i)
            out.string(f, large);
    }));
    CHECK(too_large([&] { // in a nested one
        writer out(resource, 0);
        auto f = out.open(jsonb::flag_array, 2);
        for (int i = 0; i < 2; ++i) {
            auto inner = out.open(jsonb::flag_object, 2);
            out.key(inner, "a");
            out.key(inner, "b");
            out.string(inner, large);
            out.string(inner, "");
            out.close(f, inner);
        }
        out.string(f, std::string_view(large).substr(0, 70'000'000));
    }));
    CHECK(too_large([&] { (void)writer(resource, 0).open(jsonb::flag_array, 0x10000000); }));
    CHECK(too_large([&] { (void)writer(resource, 0).open(jsonb::flag_object, 0x0FFFFFFF); }));
    CHECK(too_large([&] { // the entries do not count into the sum, but into the size
        writer out(resource, 0);
        auto f = out.open(jsonb::flag_array, 2);
        out.string(f, large);
        out.string(f, std::string(0x0FFFFFFF - 100'000'000, 'y'));
        (void)out.finish();
    }));
}
