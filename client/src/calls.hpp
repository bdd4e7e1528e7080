// SPDX-License-Identifier: PostgreSQL
//
// The calls that append, as statements with their parameters: once, for stream,
// pipeline and batch.
#pragma once

#include "options.hpp"
#include "parameters.hpp"
#include "session.hpp"
#include "weir/stream.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {
namespace internal {

// $1 the stream, $2 the payload, then the options. One row: the position as bigint.
statement append_statement(keeping how, payload::form form);
// $2 an array of payloads, then the options, then what each has of its own (add_each). One row: first_id, last_id as
// bigint, frames.
statement append_batch_statement(keeping how, payload::form form);
// Arrays of everything; a row for each element.
statement append_rows_statement(keeping how, payload::form form);
// One row: the position as bigint, and the version.
statement append_patch_statement();

void add_payload(parameters &p, payload what);
// Throws weir::error (22023) where an option is not one of this kind of append.
void check_options(keeping how, append_options const &o);
void add_options(parameters &p, keeping how, append_options const &o);
void add_each(parameters &p, each_options const &each);

// ", max_age => …" for each property, the first of them from parameter n.
std::string properties_from(int n);
void add_properties(parameters &p, stream_properties const &all);

// A text[]; NULL where there are none.
void add_texts_or_null(parameters &p, std::span<std::string const> values);

inline std::optional<std::string_view> view(std::optional<std::string> const &s) { return in_parameter(s); }

element element_of(payload::form form) noexcept;

inline repeat repeatable(append_options const &o) noexcept {
    return o.idempotency_key ? repeat::allowed : repeat::never;
}

} // namespace internal
} // namespace weir::inline v0
