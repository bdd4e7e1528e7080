// SPDX-License-Identifier: PostgreSQL
#include "weir/lease.hpp"

#include "decode.hpp"
#include "failure.hpp"
#include "session.hpp"

namespace weir::inline v0 {

namespace {

using namespace internal;

#define WEIR_LEASES "SELECT name, owner, epoch, state, expires_at, previous_owner, ended_by, reason FROM weir.leases"

lease_info info_of(row const &r) {
    lease_info i;
    i.name = r.text(0).value_or("");
    i.owner = r.text(1);
    i.epoch = r.integer(2);
    i.state = r.text(3).value_or("");
    if (!r.is_null(4))
        i.expires_at = r.time(4);
    i.previous_owner = r.text(5);
    i.ended_by = r.text(6);
    i.reason = r.text(7);
    return i;
}

std::optional<std::int64_t> count(std::optional<std::chrono::milliseconds> time) {
    return time ? std::optional(static_cast<std::int64_t>(time->count())) : std::nullopt;
}

} // namespace

result<lease_answer> lease::acquire(std::string_view owner, lease_acquire_options const &o, until const &limit) {
    static constexpr statement s{
        "SELECT acquired, epoch, expires_at, held_by FROM weir.lease_acquire($1::text, $2::text,"
        " $3::int8 * interval '1 millisecond', $4::jsonb)"};
    return refusable<lease_answer>([&] {
        parameters p;
        p.raw(name_).raw(owner).bigint(o.ttl.count()).jsonb(o.headers);
        pg_result const r = db_->session().run(s, p, repeat::allowed, limit);
        row const first(r.get(), 0);
        lease_answer a;
        a.acquired = first.integer(0) != 0;
        a.epoch = a.acquired ? first.integer(1) : 0;
        a.expires_at = first.time(2);
        a.held_by = first.text(3).value_or("");
        return a;
    });
}

result<position::time_point> lease::renew(std::string_view owner, std::int64_t epoch,
                                          std::optional<std::chrono::milliseconds> ttl, until const &limit) {
    static constexpr statement s{
        "SELECT weir.lease_renew($1::text, $2::text, $3::int8, $4::int8 * interval '1 millisecond')"};
    return refusable<position::time_point>([&] {
        parameters p;
        p.raw(name_).raw(owner).bigint(epoch).bigint(count(ttl));
        return row(db_->session().run(s, p, repeat::allowed, limit).get(), 0).time(0);
    });
}

result<bool> lease::release(std::string_view owner, std::int64_t epoch, std::optional<std::string_view> reason,
                            until const &limit) {
    static constexpr statement s{"SELECT weir.lease_release($1::text, $2::text, $3::int8, $4::text)"};
    return refusable<bool>([&] {
        parameters p;
        p.raw(name_).raw(owner).bigint(epoch).raw(reason);
        return row(db_->session().run(s, p, repeat::allowed, limit).get(), 0).integer(0) != 0;
    });
}

result<position::time_point> lease::check(std::int64_t epoch) {
    static constexpr statement s{"SELECT weir.lease_check($1::text, $2::int8)"};
    return refusable<position::time_point>([&] {
        parameters p;
        p.raw(name_).bigint(epoch);
        return row(db_->session().run(s, p, repeat::allowed).get(), 0).time(0);
    });
}

result<bool> lease::revoke(std::string_view by, std::optional<std::string_view> reason,
                           std::optional<std::int64_t> epoch) {
    static constexpr statement s{"SELECT weir.lease_revoke($1::text, $2::text, $3::text, $4::int8)"};
    return refusable<bool>([&] {
        parameters p;
        p.raw(name_).raw(by).raw(reason).bigint(epoch);
        return row(db_->session().run(s, p, repeat::allowed).get(), 0).integer(0) != 0;
    });
}

std::optional<lease_info> lease::info() {
    static constexpr statement s{WEIR_LEASES " WHERE name = $1::text"};
    parameters p;
    p.raw(name_);
    pg_result const r = db_->session().run(s, p, repeat::allowed);
    if (PQntuples(r.get()) == 0)
        return {};
    return info_of(row(r.get(), 0));
}

std::vector<lease_info> leases(connection &db) {
    static constexpr statement s{WEIR_LEASES " ORDER BY name"};
    return rows_of(db.session().run(s, {}, repeat::allowed), info_of);
}

result<int> lease_sweep(connection &db, int max) {
    static constexpr statement s{"SELECT weir.lease_sweep($1::int4)"};
    return refusable<int>([&] {
        parameters p;
        p.integer(max);
        return static_cast<int>(row(db.session().run(s, p, repeat::allowed).get(), 0).integer(0));
    });
}

} // namespace weir::inline v0
