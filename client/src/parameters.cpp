// SPDX-License-Identifier: PostgreSQL
#include "parameters.hpp"

#include "failure.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace weir::inline v0 {
namespace internal {

namespace {
constexpr char jsonb_version = 1;
constexpr std::size_t max_length = 0x3fffffff; // what the server takes in one value

std::int32_t in_int4(std::int64_t value) {
    using range = std::numeric_limits<std::int32_t>;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, range::min(), range::max()));
}
} // namespace

parameters &parameters::null() {
    slots_.push_back({.is_null = true});
    return *this;
}

parameters &parameters::raw(std::optional<std::string_view> value) {
    if (!value)
        return null();
    // An empty value is a value: its pointer must not be NULL.
    slots_.push_back({.outside = value->empty() ? "" : value->data(), .length = value->size()});
    return *this;
}

parameters &parameters::jsonb(std::optional<std::string_view> value) {
    if (!value)
        return null();
    slots_.push_back({.offset = built_.size(), .length = value->size() + 1});
    built_ += jsonb_version;
    built_ += *value;
    return *this;
}

parameters &parameters::integer(std::optional<std::int32_t> value) {
    if (!value)
        return null();
    slots_.push_back({.offset = built_.size(), .length = 4});
    number(static_cast<std::uint32_t>(*value), 4);
    return *this;
}

parameters &parameters::bigint(std::optional<std::int64_t> value) {
    if (!value)
        return null();
    slots_.push_back({.offset = built_.size(), .length = 8});
    number(static_cast<std::uint64_t>(*value), 8);
    return *this;
}

// Out of the range of the type stays out of any range that the server takes.
parameters &parameters::one(element type, std::optional<std::int64_t> value) {
    if (type != element::int4 || !value)
        return bigint(value);
    return integer(in_int4(*value));
}

parameters &parameters::real(std::optional<double> value) {
    return value ? bigint(std::bit_cast<std::int64_t>(*value)) : null();
}

parameters &parameters::begin(element type, std::size_t count) {
    slots_.push_back({.offset = built_.size()});
    type_ = type;
    has_null_ = false;
    number(count == 0 ? 0 : 1, 4); // dimensions
    number(0, 4);                  // whether there are NULLs, see end()
    number(static_cast<std::uint32_t>(type), 4);
    if (count != 0) {
        number(count, 4);
        number(1, 4); // lower bound
    }
    return *this;
}

parameters &parameters::add(std::optional<std::string_view> value) {
    if (!value)
        return add_null();
    if (value->size() > max_length)
        misuse("value is too long", "54000");
    bool const versioned = type_ == element::jsonb;
    number(value->size() + versioned, 4);
    if (versioned)
        built_ += jsonb_version;
    built_ += *value;
    return *this;
}

parameters &parameters::add(std::optional<std::int64_t> value) {
    if (!value)
        return add_null();
    bool const small = type_ == element::int4;
    number(small ? 4 : 8, 4);
    number(static_cast<std::uint64_t>(small ? in_int4(*value) : *value), small ? 4 : 8);
    return *this;
}

parameters &parameters::add_null() {
    number(0xffffffff, 4);
    has_null_ = true;
    return *this;
}

parameters &parameters::end() {
    slot &s = slots_.back();
    s.length = built_.size() - s.offset;
    if (has_null_)
        patch(s.offset + 4, 1);
    return *this;
}

parameters::view parameters::as_libpq() const {
    view v;
    v.values.reserve(slots_.size());
    v.lengths.reserve(slots_.size());
    v.formats.assign(slots_.size(), 1);
    for (slot const &s : slots_) {
        if (s.length > max_length)
            misuse("value is too long", "54000");
        v.values.push_back(s.is_null ? nullptr : s.outside != nullptr ? s.outside : built_.data() + s.offset);
        v.lengths.push_back(static_cast<int>(s.length));
    }
    return v;
}

void parameters::clear() noexcept {
    slots_.clear();
    built_.clear();
}

void parameters::number(std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        built_ += static_cast<char>((value >> shift) & 0xff);
}

void parameters::patch(std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; i++)
        built_[at + static_cast<std::size_t>(i)] = static_cast<char>((value >> (24 - 8 * i)) & 0xff);
}

} // namespace internal
} // namespace weir::inline v0
