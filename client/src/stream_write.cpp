// SPDX-License-Identifier: PostgreSQL
#include "calls.hpp"
#include "decode.hpp"
#include "failure.hpp"
#include "weir/stream.hpp"

namespace weir::inline v0 {

namespace {

using namespace internal;

result<position> append_one(connection &db, keeping how, std::string_view name, payload what, append_options const &o) {
    return refusable<position>([&] {
        parameters p;
        p.raw(name);
        add_payload(p, what);
        add_options(p, how, o);
        return row(db.session().run(append_statement(how, what.kind()), p, repeatable(o)).get(), 0).at(0);
    });
}

template <class Elements> result<batch_result> append_many(connection &db, keeping how, std::string_view name,
                                                           payload::form form, Elements const &elements,
                                                           append_options const &o, each_options const &each) {
    return refusable<batch_result>([&] {
        parameters p;
        p.raw(name).begin(element_of(form), elements.size());
        for (auto const &e : elements)
            p.add(std::string_view(reinterpret_cast<char const *>(e.data()), e.size()));
        p.end();
        add_options(p, how, o);
        add_each(p, each);
        pg_result const r = db.session().run(append_batch_statement(how, form), p, repeatable(o));
        row const first(r.get(), 0);
        return batch_result{first.at(0), first.at(1), static_cast<int>(first.integer(2))};
    });
}

using form = payload::form;
using texts = std::span<std::string_view const>;
using pieces = std::span<std::span<std::byte const> const>;

} // namespace

result<position> stream::append(std::string_view value, append_options const &o) {
    return append_one(*db_, keeping::durable, name_, weir::json(value), o);
}
result<position> stream::append_text(std::string_view value, append_options const &o) {
    return append_one(*db_, keeping::durable, name_, weir::text(value), o);
}
result<position> stream::append_bytes(std::span<std::byte const> value, append_options const &o) {
    return append_one(*db_, keeping::durable, name_, weir::bytes(value), o);
}

result<position> stream::append_best_effort(std::string_view value, append_options const &o) {
    return append_one(*db_, keeping::best_effort, name_, weir::json(value), o);
}
result<position> stream::append_best_effort_text(std::string_view value, append_options const &o) {
    return append_one(*db_, keeping::best_effort, name_, weir::text(value), o);
}
result<position> stream::append_best_effort_bytes(std::span<std::byte const> value, append_options const &o) {
    return append_one(*db_, keeping::best_effort, name_, weir::bytes(value), o);
}

result<batch_result> stream::append_batch(texts values, append_options const &o, each_options const &each) {
    return append_many(*db_, keeping::durable, name_, form::json, values, o, each);
}
result<batch_result> stream::append_text_batch(texts values, append_options const &o, each_options const &each) {
    return append_many(*db_, keeping::durable, name_, form::text, values, o, each);
}
result<batch_result> stream::append_bytes_batch(pieces values, append_options const &o, each_options const &each) {
    return append_many(*db_, keeping::durable, name_, form::bytes, values, o, each);
}

result<batch_result> stream::append_best_effort_batch(texts values, append_options const &o, each_options const &each) {
    return append_many(*db_, keeping::best_effort, name_, form::json, values, o, each);
}
result<batch_result> stream::append_best_effort_text_batch(texts values, append_options const &o,
                                                           each_options const &each) {
    return append_many(*db_, keeping::best_effort, name_, form::text, values, o, each);
}
result<batch_result> stream::append_best_effort_bytes_batch(pieces values, append_options const &o,
                                                            each_options const &each) {
    return append_many(*db_, keeping::best_effort, name_, form::bytes, values, o, each);
}

result<patch_result> stream::append_patch(std::string_view patch, append_options const &o) {
    return refusable<patch_result>([&] {
        parameters p;
        p.raw(name_).jsonb(patch);
        add_options(p, keeping::durable, o);
        pg_result const r = db_->session().run(append_patch_statement(), p, repeatable(o));
        row const first(r.get(), 0);
        return patch_result{first.at(0), first.integer(1)};
    });
}

bool stream::create(stream_properties const &properties) {
    static std::string const text = "SELECT weir.create_stream($1::text" + properties_from(2) + ")";
    parameters p;
    p.raw(name_);
    add_properties(p, properties);
    try {
        db_->session().run({text.c_str()}, p, repeat::never);
        return true;
    } catch (error const &e) {
        if (auto why = as_refusal(e); why && why->why == refusal::reason::already_exists)
            return false;
        throw;
    }
}

void stream::alter(stream_properties const &properties, std::span<std::string const> reset) {
    static std::string const text = "SELECT weir.alter_stream($1::text, reset => $2::text[]" + properties_from(3) + ")";
    parameters p;
    p.raw(name_);
    add_texts_or_null(p, reset);
    add_properties(p, properties);
    db_->session().run({text.c_str()}, p, repeat::allowed);
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
