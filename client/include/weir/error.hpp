// SPDX-License-Identifier: PostgreSQL
//
// What goes wrong at the server, on the way to it, or by the clock. One type; what
// matters is asked of it, not of a hierarchy. Outcomes that belong to the matter (a
// closed stream, a used key, an expired cursor) are values: see result.hpp.
#pragma once

#include "weir/export.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::inline v0 {

class WEIR_CLIENT_API error : public std::runtime_error {
public:
    // Where it comes from.
    enum class source {
        server,     // the server refused a statement
        connection, // the connection was lost, or could not be made
        deadline,   // time ran out first
        stop,       // a stop was requested first
        caller,     // the library was called wrongly
    };

    struct details {
        source from = source::server;
        std::string message = {};
        std::string sqlstate = {};
        std::string detail = {};
        std::string hint = {};
        bool in_doubt = false;
        bool retry_is_safe = true;
        bool poisons_connection = false;
    };

    explicit error(details what);
    ~error() override;

    source from() const noexcept { return details_.from; }

    // Five characters, as in the table of errors in the README; empty where no server said anything.
    std::string const &sqlstate() const noexcept { return details_.sqlstate; }
    std::string const &detail() const noexcept { return details_.detail; }
    std::string const &hint() const noexcept { return details_.hint; }

    // The server may or may not have committed: the connection was lost between the request and its answer.
    bool in_doubt() const noexcept { return details_.in_doubt; }

    // Calling again does nothing twice: nothing took effect, or the call only reads, or it carried an
    // idempotency key. In a transaction it is the whole of it that can be done again.
    bool retry_is_safe() const noexcept { return details_.retry_is_safe; }

    // The cause is likely to pass by itself: lost connection, server starting or stopping, deadlock,
    // serialization failure, too many connections, a deadline.
    bool transient() const noexcept;

    // The server has said no, and will say so again until somebody changes something: no such database or role, wrong
    // password, no privilege, no extension. Who waits for something is told at once; whatever else goes wrong on the
    // way to the server is tried again. Not of a server that starts, stops or is full.
    bool lasting() const noexcept;

    // The connection cannot be used any more before reconnect().
    bool poisons_connection() const noexcept { return details_.poisons_connection; }

    bool timed_out() const noexcept { return details_.from == source::deadline; }
    bool stopped() const noexcept { return details_.from == source::stop; }

private:
    details details_;
};

} // namespace weir::inline v0
