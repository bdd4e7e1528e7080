// SPDX-License-Identifier: PostgreSQL
//
// Patches made of documents and of patches: merge_diff and merge_patches.
//
// Not everything can be said in an RFC 7396 patch. It cannot set a member to
// null (null removes), and an object in it keeps what the target's object has
// beside. So a difference with a new null member needs the sentinel, and
// "remove, then merge an object" has no single patch. These are errors here:
// a patch that comes back does exactly what was asked.
//
// Equality is by bytes, so 1 and 1.0 differ and the result is "to" to the digit.
#include "core/merge_patch.hpp"

#include "core/arena_resource.hpp"
#include "core/jsonb_writer.hpp"
#include "core/merge_common.hpp"

#include <vector>

#ifdef POSTGRES_H
#error "src/core is compiled without Postgres"
#endif

namespace weir::core {

using namespace jsonb;

namespace {

// The way from the root to a member, on the stack of the recursion.
struct path {
    path const *up;
    std::string_view key;
};

// Names the member at fault: `Member "a.b"`, or `The root`, into a buffer.
struct place {
    explicit place(path const *at) noexcept {
        if (at == nullptr) {
            compose(text, "The root");
            return;
        }
        path const *way[depth_limit + 1];
        std::size_t n = 0;
        for (; at != nullptr && n <= depth_limit; at = at->up)
            way[n++] = at;
        char names[96] = {};
        std::size_t used = 0;
        while (n > 0 && used < sizeof names) {
            if (used > 0 && used < sizeof names)
                names[used++] = '.';
            for (char c : way[n - 1]->key)
                if (used < sizeof names)
                    names[used++] = c;
            --n;
        }
        char shortened[96];
        compose(shortened, std::string_view(names, used));
        compose(text, "Member \"", shortened, "\"");
    }
    char text[112];
};

// One member of the patch to write. Which of the two sides is there, and what to do
// with it, is the rule's to say.
struct member {
    std::string_view key;
    bool in_first;
    bool in_second;
    value first;
    value second;
};
using members = std::pmr::vector<member>;

// Pushes the members of two objects, each key once, in order; `wanted` chooses.
template <class Wanted> void pair_up(members &stack, value const &first, value const &second, Wanted wanted) {
    object_reader left(first);
    object_reader right(second);
    std::string_view left_key;
    std::string_view right_key;
    value left_value{};
    value right_value{};
    bool has_left = left.next(left_key, left_value);
    bool has_right = right.next(right_key, right_value);
    while (has_left || has_right) {
        int const order = !has_right ? -1 : !has_left ? 1 : compare_keys(left_key, right_key);
        member m{order <= 0 ? left_key : right_key, order <= 0, order >= 0, left_value, right_value};
        if (wanted(m))
            stack.push_back(m);
        if (order <= 0)
            has_left = left.next(left_key, left_value);
        if (order >= 0)
            has_right = right.next(right_key, right_value);
    }
}

// Both rules write an object from pairs of members; `write` does one member.
template <class Write> writer::frame write_pairs(writer &out, members &stack, std::size_t from, Write write) {
    std::size_t const to = stack.size();
    writer::frame object = out.open(flag_object, to - from);
    for (std::size_t i = from; i < to; ++i)
        out.key(object, stack[i].key);
    for (std::size_t i = from; i < to; ++i) {
        member const m = stack[i]; // a copy: the stack moves as it grows
        write(object, m);
    }
    stack.erase(stack.begin() + static_cast<std::ptrdiff_t>(from), stack.end());
    return object;
}

[[noreturn]] void throw_unrepresentable(std::string_view message, path const *at, std::string_view detail,
                                        std::string_view hint) {
    error e{};
    e.why.code = errc::unrepresentable;
    compose(e.why.message, message);
    compose(e.why.detail, std::string_view(place(at).text), detail);
    compose(e.why.hint, hint);
    throw e;
}

// What turns one document into another.
class difference {
public:
    difference(allocator source, std::string_view sentinel, int max_depth) noexcept
        : memory_(source), sentinel_(sentinel), max_depth_(clamp_depth(max_depth)) {}

    merge_result between(jsonb_bytes from_bytes, jsonb_bytes to_bytes) {
        value const from = root_of(from_bytes);
        value const to = root_of(to_bytes);
        writer out(memory_, to_bytes.size() + 64);
        if (!to.is_object()) { // at the root null is null
            check_copy(to, nullptr, max_depth_);
            return out.finish(to);
        }
        (void)(from.is_object() ? change(out, from, to, nullptr, max_depth_) : fill(out, to, nullptr, max_depth_));
        return out.finish();
    }

private:
    // From one object to another.
    writer::frame change(writer &out, value const &from, value const &to, path const *at, int levels) {
        if (levels < 1)
            throw too_deep(max_depth_);
        std::size_t const mark = stack_.size();
        pair_up(stack_, from, to,
                [](member const &m) { return !m.in_first || !m.in_second || !m.first.identical(m.second); });
        return write_pairs(out, stack_, mark, [&](writer::frame &object, member const &m) {
            path const here{at, m.key};
            if (!m.in_second)
                out.put(object, null_value);
            else if (m.in_first && m.first.is_object() && m.second.is_object())
                out.close(object, change(out, m.first, m.second, &here, levels - 1));
            else
                set(out, object, m.second, here, levels - 1);
        });
    }

    // A new object, or one in the place of something else.
    writer::frame fill(writer &out, value const &to, path const *at, int levels) {
        if (levels < 1)
            throw too_deep(max_depth_);
        writer::frame object = out.open(flag_object, to.count());
        std::string_view key;
        value v{};
        for (object_reader keys(to); keys.next(key, v);)
            out.key(object, key);
        for (object_reader values(to); values.next(key, v);)
            set(out, object, v, path{at, key}, levels - 1);
        return object;
    }

    void set(writer &out, writer::frame &object, value const &to, path const &at, int levels) {
        if (to.is_object()) {
            out.close(object, fill(out, to, &at, levels));
        } else if (!to.is_null()) {
            check_copy(to, &at, levels);
            out.put(object, to);
        } else if (sentinel_.data() != nullptr) {
            out.string(object, sentinel_);
        } else {
            throw_unrepresentable("no merge patch can set a member to null", &at, " of \"to\" is null.",
                                  "Give merge_diff and merge_patch a null_sentinel, "
                                  "a string that stands for null.");
        }
    }

    // A scalar or array that goes into the patch as it is.
    void check_copy(value const &v, path const *at, int levels) const {
        if (!nests_within(v, levels))
            throw too_deep(max_depth_);
        if (holds_sentinel(v))
            throw_unrepresentable("the null sentinel occurs as a value", at,
                                  " of \"to\" holds the string that stands for null.",
                                  "Choose a null_sentinel that the documents do not contain.");
    }

    bool holds_sentinel(value const &v) const noexcept {
        if (!v.is_container())
            return is_sentinel(v, sentinel_);
        if (!may_hold(v, sentinel_))
            return false;
        bool const object = v.is_object();
        std::uint32_t const count = v.count();
        walker child(v, object ? count * 2 : count, object ? count : 0);
        for (std::uint32_t i = 0; i < count; ++i)
            if (holds_sentinel(child.next()))
                return true;
        return false;
    }

    arena_resource memory_;
    std::string_view sentinel_;
    int max_depth_;
    members stack_{&memory_};
};

// Two patches in one.
class composition {
public:
    composition(allocator source, int max_depth) noexcept : memory_(source), max_depth_(clamp_depth(max_depth)) {}

    merge_result of(jsonb_bytes a_bytes, jsonb_bytes b_bytes) {
        value const a = root_of(a_bytes);
        value const b = root_of(b_bytes);
        if (!nests_within(a, max_depth_) || !nests_within(b, max_depth_))
            throw too_deep(max_depth_);
        writer out(memory_, a_bytes.size() + b_bytes.size() + 64);
        if (!b.is_object())
            return out.finish(b);
        if (!a.is_object())
            throw_no_single(nullptr);
        (void)merge(out, a, b, nullptr);
        return out.finish();
    }

private:
    writer::frame merge(writer &out, value const &a, value const &b, path const *at) {
        std::size_t const mark = stack_.size();
        pair_up(stack_, a, b, [](member const &) { return true; });
        return write_pairs(out, stack_, mark, [&](writer::frame &object, member const &m) {
            path const here{at, m.key};
            if (!m.in_second)
                out.put(object, m.first);
            else if (!m.in_first || !m.second.is_object())
                out.put(object, m.second);
            else if (m.first.is_object())
                out.close(object, merge(out, m.first, m.second, &here));
            else
                throw_no_single(&here);
        });
    }

    [[noreturn]] static void throw_no_single(path const *at) {
        throw_unrepresentable("no single merge patch does what these two do", at,
                              " is an object in \"b\" and something else in \"a\".",
                              "Apply the patches one after the other.");
    }

    arena_resource memory_;
    int max_depth_;
    members stack_{&memory_};
};

} // namespace

bool merge_diff(allocator memory, jsonb_bytes from, jsonb_bytes to, std::string_view sentinel, int max_depth,
                merge_result &out, failure &why) noexcept {
    return guarded(why, [&] { out = difference(memory, sentinel, max_depth).between(from, to); });
}

bool merge_patches(allocator memory, jsonb_bytes a, jsonb_bytes b, int max_depth, merge_result &out,
                   failure &why) noexcept {
    return guarded(why, [&] { out = composition(memory, max_depth).of(a, b); });
}

} // namespace weir::core
