// SPDX-License-Identifier: PostgreSQL
#include "server_wait.hpp"

#include "decode.hpp"
#include "failure.hpp"
#include "parameters.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace weir::inline v0 {

namespace {
constexpr std::array<std::pair<wait_reason, std::string_view>, 6> names{{{wait_reason::frames, "frames"},
                                                                         {wait_reason::timeout, "timeout"},
                                                                         {wait_reason::stopped, "stopped"},
                                                                         {wait_reason::closed, "closed"},
                                                                         {wait_reason::dropped, "dropped"},
                                                                         {wait_reason::expired, "expired"}}};
} // namespace

std::string_view to_string(wait_reason reason) noexcept {
    for (auto const &[each, name] : names)
        if (each == reason)
            return name;
    return {};
}

namespace internal {

namespace {

using namespace std::chrono_literals;

// A server that went away is noticed after one step.
constexpr auto step = 2000ms;

wait_outcome outcome_of(PGresult const *r) {
    row const answer(r, 0);
    for (auto const &[reason, name] : names)
        if (name == answer.raw(1))
            return {answer.integer(0) != 0, reason};
    throw error({.message = "the server answered a wait with an unknown reason: " + std::string(answer.raw(1))});
}

std::chrono::milliseconds next_step(until const &limit) {
    if (limit.when() == until::never)
        return step;
    return std::clamp(std::chrono::ceil<std::chrono::milliseconds>(limit.when() - until::clock::now()), 0ms, step);
}

} // namespace

result<wait_outcome> wait_in_server(session &on, waited_for const &what, until const &limit) {
    static constexpr statement s{
        "CALL weir.wait($1::text, $2::int8::weir.position, $3::int4 * interval '1 ms', $4::text)"};
    return refusable<wait_outcome>([&] {
        for (;;) {
            parameters p;
            p.raw(what.stream).at(what.after);
            p.integer(static_cast<std::int32_t>(next_step(limit).count())).raw(what.subscription);
            try {
                // The server keeps to the time; the stop has to come from here.
                pg_result const r = on.run(s, p, repeat::allowed, until(limit.stop()));
                wait_outcome const outcome = outcome_of(r.get());
                if (outcome.reason != wait_reason::timeout || limit.passed())
                    return outcome;
            } catch (error const &e) {
                if (!limit.stop_requested() || !e.stopped())
                    throw;
            }
            if (limit.stop_requested())
                return wait_outcome{false, wait_reason::stopped};
        }
    });
}

} // namespace internal
} // namespace weir::inline v0
