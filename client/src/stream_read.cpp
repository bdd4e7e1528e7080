// SPDX-License-Identifier: PostgreSQL
#include "calls.hpp"
#include "decode.hpp"
#include "failure.hpp"
#include "server_wait.hpp"
#include "session.hpp"
#include "weir/stream.hpp"

namespace weir::inline v0 {

namespace {

using namespace internal;

// The options of read() and read_many(), behind the cursors.
#define WEIR_READ_OPTIONS                                                                                              \
    "max => $4::int4, visibility => $5::text, types => $6::text[], headers => $7::jsonb, reverse => $8::bool,"         \
    " since => $9::int8::weir.position::timestamptz, bookmark => $10::bool"

void add_read_options(parameters &p, read_options const &o) {
    p.integer(o.max).raw(o.best_effort ? "all" : "exclude_best_effort");
    add_texts_or_null(p, o.types);
    p.jsonb(view(o.headers)).boolean(o.reverse);
    p.at(o.since ? std::optional(position::at(*o.since)) : std::nullopt).boolean(o.bookmark);
}

stream_info info_of(row const &r) {
    stream_info i;
    i.stream = r.text(0).value_or("");
    i.first_id = r.maybe_at(1);
    i.last_id = r.maybe_at(2);
    i.frames = r.integer(3);
    i.lifetime_frames = r.integer(4);
    i.bytes = r.integer(5);
    i.lifetime_bytes = r.integer(6);
    i.best_effort_frames = r.integer(7);
    if (!r.is_null(8))
        i.rate_hz = r.real(8);
    if (!r.is_null(9))
        i.maxlen = static_cast<int>(r.integer(9));
    i.version = r.integer(10);
    i.closed = r.integer(11) != 0;
    i.close_reason = r.text(12);
    i.lead_ms = r.integer(13);
    i.properties = r.jsonb(14);
    return i;
}

#define WEIR_INFO                                                                                                      \
    "SELECT stream, first_id::bigint, last_id::bigint, frames, lifetime_frames, bytes, lifetime_bytes,"                \
    " best_effort_frames, rate_hz, maxlen, version, closed, close_reason, lead_ms, properties FROM "

#define WEIR_SUMMARY "SELECT document, version, \"position\"::bigint, first_applied, last_updated FROM "

std::optional<summary_document> summary_of(pg_result const &r) {
    if (PQntuples(r.get()) == 0)
        return {};
    row const first(r.get(), 0);
    return summary_document{first.jsonb(0), first.integer(1), first.at(2), first.time(3), first.time(4)};
}

} // namespace

result<std::vector<frame>> stream::read(read_options const &o) {
    static constexpr statement s{"SELECT id::bigint, mode, type, payload, bytes, headers FROM weir.read($1::text,"
                                 " $2::int8::weir.position, $3::int8::weir.position, " WEIR_READ_OPTIONS ")"};
    return refusable<std::vector<frame>>([&] {
        parameters p;
        p.raw(name_).at(o.after).at(o.upto);
        add_read_options(p, o);
        pg_result const r = db_->session().run(s, p, repeat::allowed);
        return rows_of(r, [](row const &each) { return each.frame(0); });
    });
}

position stream::head() {
    static constexpr statement s{"SELECT weir.head($1::text)::bigint"};
    parameters p;
    p.raw(name_);
    return row(db_->session().run(s, p, repeat::allowed).get(), 0).at(0);
}

std::optional<summary_document> stream::summary() {
    static constexpr statement s{WEIR_SUMMARY "weir.summary($1::text)"};
    parameters p;
    p.raw(name_);
    return summary_of(db_->session().run(s, p, repeat::allowed));
}

result<std::optional<summary_document>> stream::summary_at(position upto) {
    static constexpr statement s{WEIR_SUMMARY "weir.summary_at($1::text, upto => $2::int8::weir.position)"};
    return refusable<std::optional<summary_document>>([&] {
        parameters p;
        p.raw(name_).at(upto);
        return summary_of(db_->session().run(s, p, repeat::allowed));
    });
}

result<std::optional<summary_document>> stream::summary_at(position::time_point at) {
    static constexpr statement s{WEIR_SUMMARY "weir.summary_at($1::text, at => $2::int8::weir.position::timestamptz)"};
    return refusable<std::optional<summary_document>>([&] {
        parameters p;
        p.raw(name_).at(position::at(at));
        return summary_of(db_->session().run(s, p, repeat::allowed));
    });
}

std::optional<stream_info> stream::info() {
    static constexpr statement s{WEIR_INFO "weir.stream_info($1::text)"};
    parameters p;
    p.raw(name_);
    pg_result const r = db_->session().run(s, p, repeat::allowed);
    if (PQntuples(r.get()) == 0)
        return {};
    return info_of(row(r.get(), 0));
}

std::vector<stream_info> streams(connection &db) {
    static constexpr statement s{WEIR_INFO "weir.streams ORDER BY stream"};
    return rows_of(db.session().run(s, {}, repeat::allowed), info_of);
}

std::vector<listed_stream> list_streams(connection &db, list_options const &o) {
    static constexpr statement s{"SELECT stream, closed FROM weir.list_streams($1::text, $2::text, $3::int4)"};
    parameters p;
    p.raw(o.pattern).raw(o.after).integer(o.max);
    return rows_of(db.session().run(s, p, repeat::allowed),
                   [](row const &r) { return listed_stream{std::string(r.raw(0)), r.integer(1) != 0}; });
}

std::int64_t drop_streams(connection &db, std::string_view pattern) {
    static constexpr statement s{"SELECT weir.drop_streams($1::text)"};
    parameters p;
    p.raw(pattern);
    return row(db.session().run(s, p, repeat::never).get(), 0).integer(0);
}

result<std::vector<stream_frame>> read_many(connection &db, std::span<stream_cursor const> cursors,
                                            read_options const &o) {
    static constexpr statement s{
        "SELECT stream, id::bigint, mode, type, payload, bytes, headers FROM weir.read_many($1::text[],"
        " $2::int8[]::weir.position[], $3::int8[]::weir.position[], " WEIR_READ_OPTIONS ")"};
    return refusable<std::vector<stream_frame>>([&] {
        parameters p;
        auto const all = [&](element type, auto &&get) {
            p.begin(type, cursors.size());
            for (stream_cursor const &c : cursors)
                p.add(get(c));
            p.end();
        };
        all(element::text, [](stream_cursor const &c) { return c.stream; });
        all(element::int8, [](stream_cursor const &c) { return std::optional(c.after.value()); });
        all(element::int8,
            [](stream_cursor const &c) { return c.upto ? std::optional(c.upto->value()) : std::nullopt; });
        add_read_options(p, o);
        pg_result const r = db.session().run(s, p, repeat::allowed);
        return rows_of(r, [](row const &each) { return stream_frame{std::string(each.raw(0)), each.frame(1)}; });
    });
}

result<wait_outcome> stream::wait(position after, until const &limit) {
    return wait_in_server(db_->session(), {.stream = name_, .after = after}, limit);
}

} // namespace weir::inline v0
