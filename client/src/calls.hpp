// SPDX-License-Identifier: PostgreSQL
//
// The calls that append, as statements with their parameters: once, for stream,
// pipeline and batch.
#pragma once

#include "parameters.hpp"
#include "session.hpp"
#include "weir/stream.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {
namespace internal {

// Each gives one row with the position as bigint; append_patch with the version beside it.
statement append_statement(payload::form form) noexcept;
statement append_best_effort_statement(payload::form form) noexcept;
extern statement const append_patch_statement;
// One row: first_id, last_id as bigint, frames.
statement append_batch_statement(payload::form form) noexcept;
statement append_best_effort_batch_statement(payload::form form) noexcept;

void add_payload(parameters &p, payload what);
// type, headers, idempotency_key; for best effort also ttl_ms, maxlen_floor, maxlen_ceiling, ema_alpha.
void add_options(parameters &p, append_options const &o);
void add_options(parameters &p, best_effort_options const &o);

// A text[]; NULL where there are none, which means all.
void add_texts_or_null(parameters &p, std::vector<std::string> const &values);

inline std::optional<std::string_view> view(std::optional<std::string> const &s) {
    return s ? std::optional<std::string_view>(*s) : std::nullopt;
}

element element_of(payload::form form) noexcept;

template <class Options> repeat repeatable(Options const &o) noexcept {
    return o.idempotency_key ? repeat::allowed : repeat::never;
}

} // namespace internal
} // namespace weir::inline v0
