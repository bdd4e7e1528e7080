// SPDX-License-Identifier: PostgreSQL
#include "calls.hpp"
#include "decode.hpp"
#include "failure.hpp"
#include "weir/stream.hpp"

namespace weir::inline v0 {

namespace {

using namespace internal;

template <class Options>
result<position> append_one(connection &db, statement s, std::string_view name, payload what, Options const &o) {
    return refusable<position>([&] {
        parameters p;
        p.raw(name);
        add_payload(p, what);
        add_options(p, o);
        return row(db.session().run(s, p, repeatable(o)).get(), 0).at(0);
    });
}

template <class Elements, class Options> result<batch_result> append_many(connection &db, statement s,
                                                                          std::string_view name, element type,
                                                                          Elements const &elements, Options const &o) {
    return refusable<batch_result>([&] {
        parameters p;
        p.raw(name).begin(type, elements.size());
        for (auto const &e : elements)
            p.add(std::string_view(reinterpret_cast<char const *>(e.data()), e.size()));
        p.end();
        add_options(p, o);
        pg_result const r = db.session().run(s, p, repeatable(o));
        row const first(r.get(), 0);
        return batch_result{first.at(0), first.at(1), static_cast<int>(first.integer(2))};
    });
}

using form = payload::form;

} // namespace

result<position> stream::append(std::string_view value, append_options const &o) {
    return append_one(*db_, append_statement(form::json), name_, weir::json(value), o);
}
result<position> stream::append_text(std::string_view value, append_options const &o) {
    return append_one(*db_, append_statement(form::text), name_, weir::text(value), o);
}
result<position> stream::append_bytes(std::span<std::byte const> value, append_options const &o) {
    return append_one(*db_, append_statement(form::bytes), name_, weir::bytes(value), o);
}

result<position> stream::append_best_effort(std::string_view value, best_effort_options const &o) {
    return append_one(*db_, append_best_effort_statement(form::json), name_, weir::json(value), o);
}
result<position> stream::append_best_effort_text(std::string_view value, best_effort_options const &o) {
    return append_one(*db_, append_best_effort_statement(form::text), name_, weir::text(value), o);
}
result<position> stream::append_best_effort_bytes(std::span<std::byte const> value, best_effort_options const &o) {
    return append_one(*db_, append_best_effort_statement(form::bytes), name_, weir::bytes(value), o);
}

result<batch_result> stream::append_batch(std::span<std::string_view const> values, append_options const &o) {
    return append_many(*db_, append_batch_statement(form::json), name_, element::jsonb, values, o);
}
result<batch_result> stream::append_text_batch(std::span<std::string_view const> values, append_options const &o) {
    return append_many(*db_, append_batch_statement(form::text), name_, element::text, values, o);
}
result<batch_result> stream::append_bytes_batch(std::span<std::span<std::byte const> const> values,
                                                append_options const &o) {
    return append_many(*db_, append_batch_statement(form::bytes), name_, element::bytes, values, o);
}

result<batch_result> stream::append_best_effort_batch(std::span<std::string_view const> values,
                                                      best_effort_options const &o) {
    return append_many(*db_, append_best_effort_batch_statement(form::json), name_, element::jsonb, values, o);
}
result<batch_result> stream::append_best_effort_text_batch(std::span<std::string_view const> values,
                                                           best_effort_options const &o) {
    return append_many(*db_, append_best_effort_batch_statement(form::text), name_, element::text, values, o);
}
result<batch_result> stream::append_best_effort_bytes_batch(std::span<std::span<std::byte const> const> values,
                                                            best_effort_options const &o) {
    return append_many(*db_, append_best_effort_batch_statement(form::bytes), name_, element::bytes, values, o);
}

result<patch_result> stream::append_patch(std::string_view patch, append_options const &o) {
    return refusable<patch_result>([&] {
        parameters p;
        p.raw(name_).jsonb(patch);
        add_options(p, o);
        pg_result const r = db_->session().run(append_patch_statement, p, repeatable(o));
        row const first(r.get(), 0);
        return patch_result{first.at(0), first.integer(1)};
    });
}

bool stream::create(std::string_view null_sentinel) {
    static constexpr statement s{"SELECT weir.create_stream($1::text, $2::text)"};
    parameters p;
    p.raw(name_).raw(null_sentinel);
    try {
        db_->session().run(s, p, repeat::never);
        return true;
    } catch (error const &e) {
        if (auto why = as_refusal(e); why && why->why == refusal::reason::already_exists)
            return false;
        throw;
    }
}

position stream::close(std::optional<std::string_view> reason) {
    static constexpr statement s{"SELECT weir.close($1::text, $2::text)::bigint"};
    parameters p;
    p.raw(name_).raw(reason);
    return row(db_->session().run(s, p, repeat::allowed).get(), 0).at(0);
}

std::int64_t stream::trim_keep(std::int64_t newest) {
    static constexpr statement s{"SELECT weir.trim($1::text, keep => $2::int8)"};
    parameters p;
    p.raw(name_).bigint(newest);
    return row(db_->session().run(s, p, repeat::never).get(), 0).integer(0);
}

std::int64_t stream::trim_before(position when) {
    static constexpr statement s{"SELECT weir.trim($1::text, before => $2::int8::weir.position)"};
    parameters p;
    p.raw(name_).at(when);
    return row(db_->session().run(s, p, repeat::never).get(), 0).integer(0);
}

bool stream::drop() {
    static constexpr statement s{"SELECT weir.drop_stream($1::text)"};
    parameters p;
    p.raw(name_);
    return row(db_->session().run(s, p, repeat::never).get(), 0).integer(0) != 0;
}

} // namespace weir::inline v0
