// SPDX-License-Identifier: PostgreSQL
#include "core/jsonb.hpp"

#include "core/jsonb_writer.hpp"

#include <algorithm>

namespace weir::core::jsonb {

bool nests_within(value const &v, int levels) noexcept {
    if (!v.is_container())
        return true;
    if (levels < 1)
        return false;
    std::uint32_t const members = v.count();
    bool const object = v.is_object();
    walker child(v, object ? members * 2 : members, object ? members : 0);
    for (std::uint32_t i = 0; i < members; ++i)
        if (!nests_within(child.next(), levels - 1))
            return false;
    return true;
}

writer::writer(std::pmr::memory_resource &memory, std::size_t expected) : memory_(memory) {
    reserve(std::min<std::size_t>(expected, size_limit));
}

writer::frame writer::open(std::uint32_t flag, std::size_t members) {
    if (members > count_mask)
        throw_too_large((flag & flag_object) != 0);
    frame f{};
    f.start = used_;
    f.object = (flag & flag_object) != 0;
    pad();
    store(grow(4), static_cast<std::uint32_t>(members) | flag);
    std::size_t const entries = members * (f.object ? 2 : 1) * 4;
    f.entries = used_;
    grow(entries);
    return f;
}

void writer::add(frame &f, kind type, std::uint32_t length) {
    f.total += length;
    if (f.total > size_limit)
        throw_too_large(f.object);
    std::uint32_t entry = static_cast<std::uint32_t>(type);
    if (f.next % offset_stride == 0)
        entry |= static_cast<std::uint32_t>(f.total) | has_offset;
    else
        entry |= length;
    store(data_ + f.entries + std::size_t{4} * f.next, entry);
    ++f.next;
}

void writer::key(frame &f, std::string_view text) { string(f, text); }

void writer::string(frame &f, std::string_view text) {
    if (text.size() > size_limit)
        throw_too_large(f.object);
    if (!text.empty())
        std::memcpy(grow(text.size()), text.data(), text.size());
    add(f, kind::string, static_cast<std::uint32_t>(text.size()));
}

void writer::put(frame &f, value const &v) {
    std::uint32_t const start = used_;
    if (v.type == kind::numeric || v.is_container())
        pad();
    if (v.size > 0)
        std::memcpy(grow(v.size), v.data, v.size);
    add(f, v.type, used_ - start);
}

void writer::close(frame &parent, frame const &child) { add(parent, kind::container, used_ - child.start); }

jsonb_result writer::finish() const {
    if (used_ > size_limit)
        throw_too_large(true);
    return {data_, used_};
}

jsonb_result writer::finish(value const &root) {
    if (root.is_container()) {
        std::memcpy(grow(root.size), root.data, root.size);
    } else {
        frame f = open(flag_array | flag_scalar, 1);
        put(f, root);
    }
    return finish();
}

void writer::pad() {
    std::uint32_t const n = align4(used_) - used_;
    if (n > 0)
        std::memset(grow(n), 0, n);
}

// Room for n more bytes; the place of the first. Offsets stay in 32 bits:
// one value is at most size_limit, and the sum is checked as it is added.
std::byte *writer::grow(std::size_t n) {
    if (n > 2 * std::size_t{size_limit} - used_)
        throw_too_large(true);
    if (n > capacity_ - used_)
        reserve(std::max(used_ + n, std::size_t{2} * capacity_));
    std::byte *const at = data_ + used_;
    used_ += static_cast<std::uint32_t>(n);
    return at;
}

void writer::reserve(std::size_t capacity) {
    auto *const block = static_cast<std::byte *>(memory_.allocate(jsonb_result::header_size + capacity, 8));
    std::byte *const data = block + jsonb_result::header_size;
    if (used_ > 0)
        std::memcpy(data, data_, used_);
    data_ = data;
    capacity_ = capacity;
}

void writer::store(std::byte *at, std::uint32_t n) noexcept { std::memcpy(at, &n, sizeof n); }

void writer::throw_too_large(bool object) {
    error e{};
    e.why.code = errc::too_large;
    compose(e.why.message, "total size of jsonb ", object ? "object" : "array",
            " elements exceeds the maximum of 268435455 bytes");
    throw e;
}

} // namespace weir::core::jsonb
