// SPDX-License-Identifier: PostgreSQL
//
// The merge entries on JSON trees, for tests: each call checks that the result
// is, to the byte, the container that a server builds for the same document.
#pragma once

#include "arena.hpp"
#include "core/merge_patch.hpp"
#include "json_text.hpp"
#include "oracle.hpp"

#include <optional>
#include <stdexcept>
#include <string>

namespace weir::test {

inline std::string_view view(oracle::sentinel const &s) { return s ? std::string_view(*s) : std::string_view(); }

inline json checked(core::merge_result const &r) {
    core::jsonb_bytes const container(r.data, r.size);
    json tree = to_json(container);
    bytes const expected = to_jsonb(tree);
    if (!std::equal(container.begin(), container.end(), expected.begin(), expected.end()))
        throw std::logic_error("not the server's bytes: " + tree.dump());
    return tree;
}

// A tree, or the failure.
struct outcome {
    std::optional<json> tree;
    core::failure why{};

    [[nodiscard]] core::errc code() const { return why.code; }
    friend bool operator==(outcome const &a, json const &b) { return a.tree && *a.tree == b; }
};

template <class Call> outcome run(Call &&call) {
    arena memory;
    core::merge_result r{};
    outcome out;
    bool const done = call(memory.get(), r, out.why);
    if (done != (out.why.code == core::errc::none))
        throw std::logic_error("verdict and code differ");
    if (done)
        out.tree = checked(r);
    return out;
}

inline outcome patched(json const &target, json const &patch, oracle::sentinel const &s = {},
                       int depth = core::depth_limit) {
    bytes const t = to_jsonb(target);
    bytes const p = to_jsonb(patch);
    return run(
        [&](auto memory, auto &r, auto &why) { return core::merge_patch(memory, t, p, view(s), depth, r, why); });
}

inline outcome difference(json const &from, json const &to, oracle::sentinel const &s = {},
                          int depth = core::depth_limit) {
    bytes const f = to_jsonb(from);
    bytes const t = to_jsonb(to);
    return run([&](auto memory, auto &r, auto &why) { return core::merge_diff(memory, f, t, view(s), depth, r, why); });
}

inline outcome composed(json const &a, json const &b, int depth = core::depth_limit) {
    bytes const x = to_jsonb(a);
    bytes const y = to_jsonb(b);
    return run([&](auto memory, auto &r, auto &why) { return core::merge_patches(memory, x, y, depth, r, why); });
}

// Many patches over a base (none: from {}) in one fold.
inline outcome folded(std::optional<json> const &base, std::vector<json> const &patches, oracle::sentinel const &s = {},
                      core::patch_root root = core::patch_root::any, int depth = core::depth_limit) {
    bytes const b = base ? to_jsonb(*base) : bytes();
    std::vector<bytes> containers;
    for (json const &p : patches)
        containers.push_back(to_jsonb(p));
    return run([&](auto memory, auto &r, auto &why) {
        core::fold *const state = core::fold_begin(memory, view(s), depth, why);
        if (state == nullptr)
            return false;
        for (bytes const &c : containers)
            if (!core::fold_apply(state, c, root, why))
                return false;
        return core::fold_finish(state, b, r, why);
    });
}

enum class nest { objects, arrays };

// `levels` objects or arrays around a 1, as the container itself: a JSON tree
// of 10000 levels would be too much for the JSON library's own recursion.
inline bytes nested_bytes(nest kind, int levels) {
    bool const object = kind == nest::objects;
    bytes const inner = to_jsonb(object ? R"({"k":1})" : "[1]");
    std::size_t const step = object ? 16 : 8; // header, entries, and the key with its padding
    bytes out;
    auto put = [&](std::size_t n) {
        auto const word = static_cast<std::uint32_t>(n);
        text_detail::append(out, &word, 4);
    };
    for (int left = levels - 1; left > 0; --left) {
        std::size_t const size = inner.size() + step * static_cast<std::size_t>(left - 1);
        put(object ? 0x20000001U : 0x40000001U);
        if (object)
            put(0x80000001U);
        put(object ? 0x50000000U | (size + 3) : 0xD0000000U | size);
        if (object)
            put('k');
    }
    out.insert(out.end(), inner.begin(), inner.end());
    return out;
}

inline json nested(nest kind, int levels) { return to_json(nested_bytes(kind, levels)); }

// {"a": the container, "b": n}
inline bytes beside(bytes const &container, int n) {
    using namespace text_detail;
    return lay_out(0x20000002U, {part_of("a"), part_of("b"), {0x50000000U, container, true}, part_of(n)});
}

// {"a": the container}
inline bytes within(bytes const &container) {
    using namespace text_detail;
    return lay_out(0x20000001U, {part_of("a"), {0x50000000U, container, true}});
}

} // namespace weir::test
