// SPDX-License-Identifier: PostgreSQL
#include "weir/outbox.hpp"

#include "failure.hpp"
#include "session.hpp"

namespace weir::inline v0 {

using namespace internal;

result<std::monostate> emit(connection &db, new_event const &what) {
    static constexpr statement s{"SELECT weir.emit($1::text, $3::jsonb, $2::text, $4::jsonb)"};
    return refusable<std::monostate>([&] {
        parameters p;
        p.raw(what.stream).raw(what.type).jsonb(what.payload).jsonb(what.headers);
        db.session().run(s, p, repeat::never);
        return std::monostate();
    });
}

result<std::monostate> emit(connection &db, std::span<new_event const> what) {
    static constexpr statement s{"SELECT weir.emit(stream, payload, type, headers)"
                                 " FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[])"
                                 " AS e (stream, type, payload, headers)"};
    return refusable<std::monostate>([&] {
        parameters p;
        auto all = [&](element type, auto member) {
            p.begin(type, what.size());
            for (new_event const &e : what)
                p.add(std::optional<std::string_view>(e.*member));
            p.end();
        };
        all(element::text, &new_event::stream);
        all(element::text, &new_event::type);
        all(element::jsonb, &new_event::payload);
        all(element::jsonb, &new_event::headers);
        db.session().run(s, p, repeat::never);
        return std::monostate();
    });
}

} // namespace weir::inline v0
