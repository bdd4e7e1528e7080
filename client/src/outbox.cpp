// SPDX-License-Identifier: PostgreSQL
//
// Events that follow each other and are of one form are one statement, whose rows are taken in order.
#include "weir/outbox.hpp"

#include "calls.hpp"
#include "failure.hpp"
#include "session.hpp"

#include <vector>

namespace weir::inline v0 {

using namespace internal;

namespace {

#define WEIR_EMIT(form, type)                                                                                          \
    "SELECT weir.emit" form "(stream, payload, type, headers) FROM unnest($1::text[], $2::" type                       \
    "[], $3::text[], $4::jsonb[]) AS e (stream, payload, type, headers)"

statement emit_statement(payload::form form) noexcept {
    switch (form) {
    case payload::form::text:
        return {WEIR_EMIT("_text", "text")};
    case payload::form::bytes:
        return {WEIR_EMIT("_bytes", "bytea")};
    default:
        return {WEIR_EMIT("", "jsonb")};
    }
}

session::request request_of(std::span<new_event const> run) {
    payload::form const form = run.front().payload.kind();
    session::request q{emit_statement(form), {}};
    auto const all = [&](element type, auto &&get) {
        q.with.begin(type, run.size());
        for (new_event const &e : run)
            q.with.add(std::optional<std::string_view>(get(e)));
        q.with.end();
    };
    all(element::text, [](new_event const &e) { return e.stream; });
    all(element_of(form), [](new_event const &e) { return e.payload.data(); });
    all(element::text, [](new_event const &e) { return e.type; });
    all(element::jsonb, [](new_event const &e) { return e.headers; });
    return q;
}

} // namespace

result<std::monostate> emit(connection &db, new_event const &what) { return emit(db, {&what, 1}); }

result<std::monostate> emit(connection &db, std::span<new_event const> what) {
    return refusable<std::monostate>([&] {
        std::vector<session::request> requests;
        for (std::size_t from = 0, to; from < what.size(); from = to) {
            for (to = from + 1; to < what.size() && what[to].payload.kind() == what[from].payload.kind(); to++)
                ;
            requests.push_back(request_of(what.subspan(from, to - from)));
        }
        if (requests.size() == 1)
            db.session().run(requests[0].what, requests[0].with, repeat::never);
        else if (!requests.empty())
            db.session().run_all(requests, repeat::never);
        return std::monostate();
    });
}

} // namespace weir::inline v0
