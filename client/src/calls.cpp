// SPDX-License-Identifier: PostgreSQL
#include "calls.hpp"

#include <algorithm>
#include <limits>

namespace weir::inline v0 {
namespace internal {

namespace {

#define WEIR_DURABLE                                                                                                   \
    "type => $3::text, headers => $4::jsonb, idempotency_key => $5::text, lease => $6::text, epoch => $7::int8"
#define WEIR_BEST_EFFORT                                                                                               \
    WEIR_DURABLE ", ttl_ms => $8::int4, maxlen_floor => $9::int4, maxlen_ceiling => $10::int4, ema_alpha => "          \
                 "$11::float8"
#define WEIR_BATCH "SELECT first_id::bigint, last_id::bigint, frames FROM weir."

constexpr statement appends[] = {
    {"SELECT weir.append($1::text, $2::jsonb, " WEIR_DURABLE ")::bigint"},
    {"SELECT weir.append_text($1::text, $2::text, " WEIR_DURABLE ")::bigint"},
    {"SELECT weir.append_bytes($1::text, $2::bytea, " WEIR_DURABLE ")::bigint"},
};
constexpr statement best_efforts[] = {
    {"SELECT weir.append_best_effort($1::text, $2::jsonb, " WEIR_BEST_EFFORT ")::bigint"},
    {"SELECT weir.append_best_effort_text($1::text, $2::text, " WEIR_BEST_EFFORT ")::bigint"},
    {"SELECT weir.append_best_effort_bytes($1::text, $2::bytea, " WEIR_BEST_EFFORT ")::bigint"},
};
constexpr statement batches[] = {
    {WEIR_BATCH "append_batch($1::text, $2::jsonb[], " WEIR_DURABLE ")"},
    {WEIR_BATCH "append_text_batch($1::text, $2::text[], " WEIR_DURABLE ")"},
    {WEIR_BATCH "append_bytes_batch($1::text, $2::bytea[], " WEIR_DURABLE ")"},
};
constexpr statement best_effort_batches[] = {
    {WEIR_BATCH "append_best_effort_batch($1::text, $2::jsonb[], " WEIR_BEST_EFFORT ")"},
    {WEIR_BATCH "append_best_effort_text_batch($1::text, $2::text[], " WEIR_BEST_EFFORT ")"},
    {WEIR_BATCH "append_best_effort_bytes_batch($1::text, $2::bytea[], " WEIR_BEST_EFFORT ")"},
};

std::size_t index(payload::form form) noexcept { return static_cast<std::size_t>(form); }

} // namespace

statement const append_patch_statement{
    "SELECT id::bigint, summary_version FROM weir.append_patch($1::text, $2::jsonb, " WEIR_DURABLE ")"};

statement append_statement(payload::form form) noexcept { return appends[index(form)]; }
statement append_best_effort_statement(payload::form form) noexcept { return best_efforts[index(form)]; }
statement append_batch_statement(payload::form form) noexcept { return batches[index(form)]; }
statement append_best_effort_batch_statement(payload::form form) noexcept { return best_effort_batches[index(form)]; }

element element_of(payload::form form) noexcept {
    switch (form) {
    case payload::form::json:
        return element::jsonb;
    case payload::form::bytes:
        return element::bytes;
    default:
        return element::text;
    }
}

void add_texts_or_null(parameters &p, std::vector<std::string> const &values) {
    if (values.empty()) {
        p.null();
        return;
    }
    p.begin(element::text, values.size());
    for (std::string const &v : values)
        p.add(std::string_view(v));
    p.end();
}

void add_payload(parameters &p, payload what) {
    if (what.kind() == payload::form::json)
        p.jsonb(what.data());
    else
        p.raw(what.data());
}

namespace {
template <class Options> void add_common(parameters &p, Options const &o) {
    p.raw(o.type).jsonb(o.headers).raw(o.idempotency_key).raw(o.lease).bigint(o.epoch);
}
} // namespace

void add_options(parameters &p, append_options const &o) { add_common(p, o); }

void add_options(parameters &p, best_effort_options const &o) {
    // Out of the server's range stays out of it.
    auto const ttl = std::clamp<std::int64_t>(o.ttl.count(), -1, std::numeric_limits<std::int32_t>::max());
    add_common(p, o);
    p.integer(static_cast<std::int32_t>(ttl)).integer(o.maxlen_floor).integer(o.maxlen_ceiling).real(o.ema_alpha);
}

} // namespace internal
} // namespace weir::inline v0
