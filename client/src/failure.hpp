// SPDX-License-Identifier: PostgreSQL
//
// From what libpq says to what the library throws or returns.
#pragma once

#include "libpq.hpp"
#include "weir/error.hpp"
#include "weir/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {
namespace internal {

bool succeeded(PGresult const *r) noexcept;

// Without the line feeds at the end.
std::string trimmed(char const *message);

// Of a result that did not succeed.
error::details describe(PGresult const *r);

// Of a connection that was lost.
error::details describe_lost(PGconn const *c);

// Of a connection that could not be made, with verbose messages: takes the SQLSTATE out of them.
error::details describe_refused(PGconn const *c);

// That the server ended the session before the statement could commit: a FATAL error of its own.
bool ended_by_server(error::details const &what) noexcept;

// Which SQLSTATEs are outcomes of the matter.
std::optional<refusal::reason> refusal_reason(std::string_view sqlstate) noexcept;
std::optional<refusal> as_refusal(error const &e);

// For who waits for something: whether another attempt may get over it. On the way to the server whatever does not last
// may pass, unless it was a timeout of the role's that ended the session (class 25).
bool may_pass(error const &e) noexcept;
// A statement was cancelled, or its session ended for it. By somebody: then it is worth another attempt. By the role's
// statement_timeout or transaction_timeout: then that fails as well, and who waits is told.
bool cut_short(error const &e) noexcept;

// Runs a call whose refusals are values.
template <class T, class F> result<T> refusable(F &&call) {
    try {
        return std::forward<F>(call)();
    } catch (error const &e) {
        if (auto why = as_refusal(e))
            return *std::move(why);
        throw;
    }
}

[[noreturn]] void misuse(std::string message, std::string sqlstate = {}, std::string hint = {});

} // namespace internal
} // namespace weir::inline v0
