// SPDX-License-Identifier: PostgreSQL
//
// What goes along with a call by name, each described once: the name in SQL, the parameter, and the member that holds
// it. Statements, parameters, arrays and copies are made from these descriptions.
#pragma once

#include "parameters.hpp"
#include "weir/stream.hpp"

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {
namespace internal {

// Whose append: that decides how long a frame lives, and which options there are.
enum class keeping { durable, best_effort };

struct option {
    char const *name;
    element type;             // of the parameter
    char const *value = "%";  // what the function is given; % is the parameter
    bool best_effort = false; // only of best-effort appends
};

inline constexpr char interval_of_ms[] = "% * interval '1 ms'";

template <class F> void for_each_append_option(F &&f) {
    using o = append_options;
    f(option{"type", element::text}, &o::type);
    f(option{"headers", element::jsonb}, &o::headers);
    f(option{"idempotency_key", element::text}, &o::idempotency_key);
    f(option{"lease", element::text}, &o::lease);
    f(option{"epoch", element::int8}, &o::epoch);
    f(option{.name = "ttl", .type = element::int4, .value = interval_of_ms, .best_effort = true}, &o::ttl);
}

// create_stream() takes all of them, and so does alter_stream(). A test compares them with list_stream_properties().
template <class F> void for_each_property(F &&f) {
    using p = stream_properties;
    f(option{"null_sentinel", element::text}, &p::null_sentinel);
    f(option{"frame_ttl", element::int8, interval_of_ms}, &p::frame_ttl);
    f(option{"maxlen_floor", element::int4}, &p::maxlen_floor);
    f(option{"maxlen_ceiling", element::int4}, &p::maxlen_ceiling);
    f(option{"rate_alpha", element::float8}, &p::rate_alpha);
    f(option{"max_frame_bytes", element::int4}, &p::max_frame_bytes);
    f(option{"max_age", element::int8, interval_of_ms}, &p::max_age);
    f(option{"max_frames", element::int8}, &p::max_frames);
    f(option{"hold_age", element::int8, interval_of_ms}, &p::hold_age);
    f(option{"hold_frames", element::int8}, &p::hold_frames);
    f(option{"ttl", element::int8, interval_of_ms}, &p::ttl);
    f(option{"expires_at", element::int8, "timestamptz 'epoch' + % * interval '1 ms'"}, &p::expires_at);
}

// Those of this kind of append, in the order in which add_options() adds them.
template <class F> void for_each_option_of(keeping how, F &&f) {
    for_each_append_option([&](option const &o, auto member) {
        if (how == keeping::best_effort || !o.best_effort)
            f(o, member);
    });
}

// A text, a number or a time as the parameter that carries it.
template <class T> auto in_parameter(std::optional<T> const &v) {
    if constexpr (std::convertible_to<T, std::string_view>)
        return v ? std::optional<std::string_view>(*v) : std::nullopt;
    else if constexpr (std::floating_point<T>)
        return v;
    else if constexpr (requires { v->time_since_epoch(); })
        return v ? std::optional<std::int64_t>(v->time_since_epoch().count()) : std::nullopt;
    else if constexpr (std::integral<T>)
        return v ? std::optional<std::int64_t>(*v) : std::nullopt;
    else
        return v ? std::optional<std::int64_t>(v->count()) : std::nullopt;
}

inline std::string sql_type(element e) {
    switch (e) {
    case element::bytes:
        return "bytea";
    case element::int8:
        return "int8";
    case element::int4:
        return "int4";
    case element::float8:
        return "float8";
    case element::jsonb:
        return "jsonb";
    case element::text:
        break;
    }
    return "text";
}

// ", name => value", with the parameter put in.
inline std::string named(option const &o, std::string const &parameter) {
    std::string text = std::string(", ") + o.name + " => " + o.value;
    return text.replace(text.find('%'), 1, parameter);
}

} // namespace internal
} // namespace weir::inline v0
