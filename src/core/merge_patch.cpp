// SPDX-License-Identifier: PostgreSQL
//
// The fold. Its overlay is a tree over member names, each node one of
//
//     erase     the member is gone
//     replace   a scalar or array of a patch stands there, as it is
//     rewrite   an array in which the sentinel has yet to become null
//     merge     an object: the document's with the children laid over it, or
//               from {} where `fresh` (something else was put there before)
//
// Objects of a patch always become merge nodes, for what they do depends on the
// document: their null members remove, and on anything but an object they
// start from {}. So the document itself is looked at only in fold_finish,
// where one walk merges the ordered members of an object with the ordered children.
//
// Nothing is destroyed: the fold, its maps and its scratch are arena memory.
#include "core/merge_patch.hpp"

#include "core/arena_resource.hpp"
#include "core/jsonb_writer.hpp"
#include "core/merge_common.hpp"

#include <map>
#include <vector>

#ifdef POSTGRES_H
#error "src/core is compiled without Postgres"
#endif

namespace weir::core {

using namespace jsonb;

namespace {

struct key_order {
    bool operator()(std::string_view a, std::string_view b) const noexcept { return compare_keys(a, b) < 0; }
};

enum class action : std::uint8_t { erase, replace, rewrite, merge };

struct node;
using children = std::pmr::map<std::string_view, node, key_order>;

struct node {
    action what = action::merge;
    bool fresh = false;        // merge
    value with{};              // replace, rewrite
    children *below = nullptr; // merge; nullptr: none yet
};

// A node that changes nothing of an object under it.
bool transparent(node const &n) noexcept { return n.what == action::merge && !n.fresh && n.below == nullptr; }

// One member of an object to write: the document's value, a node, or both.
struct member {
    std::string_view key;
    node const *over; // nullptr: the document's value as it is
    bool present;
    value base; // if present
};

using members = std::pmr::vector<member>; // a stack: each object's lie above its parent's

} // namespace

class fold {
public:
    fold(allocator source, std::string_view sentinel, int max_depth) noexcept
        : memory_(source), sentinel_(sentinel), max_depth_(clamp_depth(max_depth)) {}

    void apply(jsonb_bytes patch, patch_root required) {
        value const root = root_of(patch);
        if (required == patch_root::object && !root.is_object())
            throw not_an_object(root);
        overlay(root_, root, max_depth_);
        touched_ = true;
    }

    merge_result finish(jsonb_bytes base) {
        // What the patches add is guessed; a wrong guess costs one copy.
        writer out(memory_, base.size() + std::min(added_, base.size() + 8192) + 64);
        bool const given = !base.empty();
        value const document = given ? root_of(base) : value{};
        if (given && (!touched_ || (transparent(root_) && document.is_object())))
            return out.finish(document);
        if (root_.what == action::replace)
            return out.finish(root_.with);
        members stack(&memory_);
        if (root_.what == action::rewrite)
            (void)write_substituted(out, root_.with);
        else
            (void)write_object(out, stack, root_, document.is_object() ? &document : nullptr);
        return out.finish();
    }

private:
    void overlay(node &at, value const &patch, int levels) {
        if (patch.is_object()) {
            if (levels < 1)
                throw too_deep(max_depth_);
            if (at.what != action::merge)
                set(at, node{action::merge, true, {}, nullptr});
            object_reader reader(patch);
            std::string_view key;
            value v{};
            while (reader.next(key, v)) {
                node &child = child_of(at, key);
                if (v.is_null())
                    set(child, node{action::erase, false, {}, nullptr});
                else
                    overlay(child, v, levels - 1);
            }
            return;
        }
        if (!nests_within(patch, levels))
            throw too_deep(max_depth_);
        if (is_sentinel(patch, sentinel_))
            set(at, node{action::replace, false, null_value, nullptr});
        else if (patch.is_array() && may_hold(patch, sentinel_))
            set(at, node{action::rewrite, false, patch, nullptr});
        else
            set(at, node{action::replace, false, patch, nullptr});
    }

    void set(node &at, node const &to) noexcept {
        added_ += to.with.size;
        added_ -= at.with.size;
        at = to;
    }

    node &child_of(node &at, std::string_view key) {
        if (at.below == nullptr)
            at.below = new (nodes_.allocate(sizeof(children), alignof(children))) children(&nodes_);
        children &below = *at.below;
        std::size_t const before = below.size();
        // The keys of a patch come in order, so a first patch only ever appends.
        auto const found = below.try_emplace(below.end(), key);
        if (below.size() > before)
            added_ += key.size() + 12;
        return found->second;
    }

    [[nodiscard]] writer::frame write_object(writer &out, members &stack, node const &at, value const *document) {
        std::size_t const from = stack.size();
        collect(stack, at, at.fresh ? nullptr : document);
        std::size_t const to = stack.size();
        writer::frame object = out.open(flag_object, to - from);
        for (std::size_t i = from; i < to; ++i)
            out.key(object, stack[i].key);
        for (std::size_t i = from; i < to; ++i) {
            member const m = stack[i]; // a copy: the stack moves as it grows
            write_member(out, stack, object, m);
        }
        stack.erase(stack.begin() + static_cast<std::ptrdiff_t>(from), stack.end());
        return object;
    }

    void write_member(writer &out, members &stack, writer::frame &object, member const &m) {
        bool const onto_object = m.present && m.base.is_object();
        if (m.over == nullptr || (onto_object && transparent(*m.over))) {
            out.put(object, m.base);
        } else if (m.over->what == action::replace) {
            out.put(object, m.over->with);
        } else if (m.over->what == action::rewrite) {
            out.close(object, write_substituted(out, m.over->with));
        } else {
            out.close(object, write_object(out, stack, *m.over, onto_object ? &m.base : nullptr));
        }
    }

    // Pushes the members of the merged object, in order.
    static void collect(members &stack, node const &at, value const *document) {
        children::const_iterator child{};
        children::const_iterator end{};
        std::size_t expected = stack.size();
        if (at.below != nullptr) {
            child = at.below->begin();
            end = at.below->end();
            expected += at.below->size();
        }
        auto lay_over = [&](bool present, value const &base) {
            if (child->second.what != action::erase)
                stack.push_back({child->first, &child->second, present, base});
            ++child;
        };
        if (document != nullptr) {
            expected += document->count();
            if (stack.capacity() < expected)
                stack.reserve(std::max(expected, 2 * stack.capacity()));
            object_reader reader(*document);
            std::string_view key;
            value base{};
            while (reader.next(key, base)) {
                int order = 1;
                while (child != end && (order = compare_keys(child->first, key)) < 0)
                    lay_over(false, {});
                if (child != end && order == 0)
                    lay_over(true, base);
                else
                    stack.push_back({key, nullptr, true, base});
            }
        }
        while (child != end)
            lay_over(false, {});
    }

    // Writes a container of a patch with every sentinel in it made null.
    [[nodiscard]] writer::frame write_substituted(writer &out, value const &container) {
        bool const object = container.is_object();
        writer::frame f = out.open(object ? flag_object : flag_array, container.count());
        if (object) {
            object_reader reader(container);
            std::string_view key;
            for (value v{}; reader.next(key, v);)
                out.key(f, key);
        }
        std::uint32_t const count = container.count();
        walker child(container, object ? count * 2 : count, object ? count : 0);
        for (std::uint32_t i = 0; i < count; ++i) {
            value const v = child.next();
            if (is_sentinel(v, sentinel_))
                out.put(f, null_value);
            else if (v.is_container() && may_hold(v, sentinel_))
                out.close(f, write_substituted(out, v));
            else
                out.put(f, v);
        }
        return f;
    }

    arena_resource memory_;
    std::pmr::monotonic_buffer_resource nodes_{1024, &memory_};
    std::string_view sentinel_;
    int max_depth_;
    bool touched_ = false;
    std::size_t added_ = 0; // about what the overlay adds to the document, in bytes
    node root_{};
};

fold *fold_begin(allocator memory, std::string_view sentinel, int max_depth, failure &why) noexcept {
    void *place = nullptr;
    bool const done = guarded(why, [&] {
        arena_resource arena(memory);
        place = arena.allocate(sizeof(fold), alignof(fold));
        new (place) fold(memory, sentinel, max_depth);
    });
    return done ? static_cast<fold *>(place) : nullptr;
}

bool fold_apply(fold *state, jsonb_bytes patch, patch_root root, failure &why) noexcept {
    return guarded(why, [&] { state->apply(patch, root); });
}

bool fold_finish(fold *state, jsonb_bytes base, merge_result &out, failure &why) noexcept {
    return guarded(why, [&] { out = state->finish(base); });
}

bool merge_patch(allocator memory, jsonb_bytes target, jsonb_bytes patch, std::string_view sentinel, int max_depth,
                 merge_result &out, failure &why) noexcept {
    fold *const state = fold_begin(memory, sentinel, max_depth, why);
    return state != nullptr && fold_apply(state, patch, patch_root::any, why) && fold_finish(state, target, out, why);
}

bool patch_check(jsonb_bytes patch, int max_depth, failure &why) noexcept {
    return guarded(why, [&] {
        value const root = root_of(patch);
        if (!root.is_object())
            throw not_an_object(root);
        if (!nests_within(root, clamp_depth(max_depth)))
            throw too_deep(clamp_depth(max_depth));
    });
}

} // namespace weir::core
