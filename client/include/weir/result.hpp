// SPDX-License-Identifier: PostgreSQL
//
// What a call came to: its value, or why weir refused it. A refusal is an outcome of
// the matter, which a program has to expect, so it is a value and not an exception;
// value() turns it into one for those who do not expect it. The spelling is that of
// std::expected.
#pragma once

#include "weir/error.hpp"

#include <string>
#include <utility>
#include <variant>

namespace weir::inline v0 {

struct refusal {
    enum class reason {
        stream_closed,        // WR001
        already_exists,       // WR002
        cursor_ahead,         // WR003  beyond everything in the log, as after a failover that lost frames
        cursor_expired,       // WR004
        idempotency_conflict, // WR005  another request under this key
        summary_expired,      // WR006
        lease_not_held,       // WR010
        lease_revoked,        // WR011
        lease_expired,        // WR012
        stale_lease,          // WR013  held by another, or at another epoch
    };
    reason why;
    std::string message = {};
    std::string detail = {};
    std::string hint = {};

    WEIR_CLIENT_API std::string_view sqlstate() const noexcept;
    // Throws it as a weir::error.
    [[noreturn]] WEIR_CLIENT_API void raise() const;
};

template <class T> class [[nodiscard]] result {
public:
    using value_type = T;
    using error_type = refusal;

    result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    result(refusal why) : held_(std::in_place_index<1>, std::move(why)) {}

    bool has_value() const noexcept { return held_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T &value() & { return checked(*this); }
    T const &value() const & { return checked(*this); }
    T value() && { return std::move(checked(*this)); }

    // Only where has_value().
    T &operator*() & noexcept { return *std::get_if<0>(&held_); }
    T const &operator*() const & noexcept { return *std::get_if<0>(&held_); }
    T *operator->() noexcept { return std::get_if<0>(&held_); }
    T const *operator->() const noexcept { return std::get_if<0>(&held_); }

    // Only where not has_value().
    refusal const &error() const noexcept { return *std::get_if<1>(&held_); }

private:
    template <class Self> static auto &checked(Self &self) {
        if (!self.has_value())
            self.error().raise();
        return *self;
    }
    std::variant<T, refusal> held_;
};

} // namespace weir::inline v0
