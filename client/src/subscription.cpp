// SPDX-License-Identifier: PostgreSQL
#include "weir/subscription.hpp"

#include "calls.hpp"
#include "decode.hpp"
#include "failure.hpp"
#include "server_wait.hpp"
#include "session.hpp"

#include <algorithm>
#include <map>

namespace weir::inline v0 {

namespace {

using namespace internal;

#define WEIR_SUBSCRIPTIONS                                                                                             \
    "SELECT name, streams, types, headers, hold, last_seen, stream, cursor::bigint, lag_frames, lag_seconds, expired"  \
    " FROM weir.subscriptions"

// The rows of a subscription follow each other.
std::vector<subscription_info> infos_of(PGresult const *r) {
    std::vector<subscription_info> all;
    for (int i = 0; i < PQntuples(r); i++) {
        row const each(r, i);
        if (all.empty() || all.back().name != each.raw(0)) {
            subscription_info s;
            s.name = each.raw(0);
            s.streams = each.texts(1);
            s.types = each.texts(2);
            s.headers = each.maybe_jsonb(3);
            s.hold = each.integer(4) != 0;
            all.push_back(std::move(s));
        }
        subscription_info &s = all.back();
        if (!each.is_null(5))
            s.last_seen = std::max(s.last_seen.value_or(each.time(5)), each.time(5));
        if (each.is_null(6))
            continue;
        stream_lag t;
        t.stream = each.raw(6);
        t.cursor = each.maybe_at(7).value_or(position());
        t.frames = each.integer(8);
        if (!each.is_null(9))
            t.age = std::chrono::milliseconds(static_cast<std::int64_t>(each.real(9) * 1000));
        t.expired = each.integer(10) != 0;
        s.lag.push_back(std::move(t));
    }
    return all;
}

std::optional<position> after(start const &from) {
    return from.how() == start::kind::after ? std::optional(position(from.value())) : std::nullopt;
}

std::optional<position> since(start const &from) {
    if (from.how() != start::kind::since)
        return {};
    return position::at(position::time_point(std::chrono::milliseconds(from.value())));
}

} // namespace

std::int64_t subscription_info::lag_frames() const noexcept {
    std::int64_t n = 0;
    for (stream_lag const &t : lag)
        n += t.frames;
    return n;
}

std::chrono::milliseconds subscription_info::lag_age() const noexcept {
    std::chrono::milliseconds oldest{0};
    for (stream_lag const &t : lag)
        oldest = std::max(oldest, t.age);
    return oldest;
}

result<bool> subscription::subscribe(std::span<std::string const> streams, subscribe_options const &o) {
    static constexpr statement s{
        "SELECT weir.subscribe_many($1::text, $2::text[], $3::int8::weir.position, $4::text[], $5::jsonb, $6::bool,"
        " $7::int8::weir.position::timestamptz)"};
    return refusable<bool>([&] {
        parameters p;
        p.raw(name_);
        p.begin(element::text, streams.size());
        for (std::string const &t : streams)
            p.add(std::string_view(t));
        p.end();
        p.at(after(o.from));
        add_texts_or_null(p, o.types);
        p.jsonb(view(o.headers)).boolean(o.hold);
        p.at(since(o.from));
        return row(db_->session().run(s, p, repeat::allowed).get(), 0).integer(0) != 0;
    });
}

result<std::vector<event>> subscription::fetch(int max, until const &limit) {
    static constexpr statement s{"SELECT stream, id::bigint, mode, type, payload, bytes, headers"
                                 " FROM weir.fetch($1::text, $2::int4)"};
    return refusable<std::vector<event>>([&] {
        parameters p;
        p.raw(name_).integer(max);
        pg_result const r = db_->session().run(s, p, repeat::allowed, limit);
        return rows_of(r, [](row const &each) { return event{std::string(each.raw(0)), each.frame(1)}; });
    });
}

result<std::int64_t> subscription::ack(until const &limit) {
    static constexpr statement s{"SELECT weir.ack($1::text)"};
    return refusable<std::int64_t>([&] {
        parameters p;
        p.raw(name_);
        return row(db_->session().run(s, p, repeat::never, limit).get(), 0).integer(0);
    });
}

result<std::int64_t> subscription::ack(std::string_view stream, position upto, until const &limit) {
    static constexpr statement s{"SELECT weir.ack($1::text, $2::int8::weir.position, $3::text)"};
    return refusable<std::int64_t>([&] {
        parameters p;
        p.raw(name_).at(upto).raw(stream);
        return row(db_->session().run(s, p, repeat::allowed, limit).get(), 0).integer(0);
    });
}

result<std::int64_t> subscription::ack(std::span<event const> events, until const &limit) {
    static constexpr statement s{"SELECT coalesce(sum(weir.ack($1::text, a.upto::weir.position, a.stream)), 0)::bigint"
                                 " FROM unnest($2::text[], $3::int8[]) AS a (stream, upto)"};
    std::map<std::string_view, position> upto;
    for (event const &e : events)
        upto[e.stream] = std::max(upto[e.stream], e.frame.id);
    if (upto.empty())
        return std::int64_t{0};
    if (upto.size() == 1)
        return ack(upto.begin()->first, upto.begin()->second, limit);
    return refusable<std::int64_t>([&] {
        parameters p;
        p.raw(name_).begin(element::text, upto.size());
        for (auto const &[stream, id] : upto)
            p.add(stream);
        p.end().begin(element::int8, upto.size());
        for (auto const &[stream, id] : upto)
            p.add(id.value());
        p.end();
        return row(db_->session().run(s, p, repeat::allowed, limit).get(), 0).integer(0);
    });
}

result<std::monostate> subscription::seek(start const &to, std::optional<std::string_view> stream) {
    static constexpr statement s{"SELECT weir.seek($1::text, $2::int8::weir.position, $3::text,"
                                 " $4::int8::weir.position::timestamptz)"};
    return refusable<std::monostate>([&] {
        parameters p;
        p.raw(name_)
            .at(to.how() == start::kind::now ? std::optional(position::greatest()) : after(to))
            .raw(stream)
            .at(since(to));
        db_->session().run(s, p, repeat::allowed);
        return std::monostate();
    });
}

bool subscription::unsubscribe() {
    static constexpr statement s{"SELECT weir.unsubscribe($1::text)"};
    parameters p;
    p.raw(name_);
    return row(db_->session().run(s, p, repeat::never).get(), 0).integer(0) != 0;
}

result<wait_outcome> subscription::wait(until const &limit) {
    return wait_in_server(db_->session(), {.subscription = name_}, limit);
}

std::optional<subscription_info> subscription::info() {
    static constexpr statement s{WEIR_SUBSCRIPTIONS " WHERE name = $1::text ORDER BY stream"};
    parameters p;
    p.raw(name_);
    auto found = infos_of(db_->session().run(s, p, repeat::allowed).get());
    if (found.empty())
        return {};
    return std::move(found.front());
}

std::vector<subscription_info> subscriptions(connection &db) {
    static constexpr statement s{WEIR_SUBSCRIPTIONS " ORDER BY name, stream"};
    return infos_of(db.session().run(s, {}, repeat::allowed).get());
}

} // namespace weir::inline v0
