// SPDX-License-Identifier: PostgreSQL
//
// Where to connect to, as libpq understands it, with the defaults of this library
// for what the user left open: UTF-8, and signs of life on the socket, without which a dead
// peer is noticed after two hours.
#pragma once

#include "libpq.hpp"

#include <chrono>
#include <string>

namespace weir::inline v0 {
namespace internal {

class conninfo {
public:
    // Throws weir::error (caller) where the text is malformed.
    conninfo(std::string text, std::string application_name);

    // Begins to connect, in the background. Resolving a host name blocks.
    owned<PGconn> start() const;

private:
    std::string text_, application_name_;
};

// How long connecting may take in all: for each host what the conninfo says, else `by_default`. 0: no limit.
std::chrono::milliseconds connect_limit(PGconn *c, std::chrono::milliseconds by_default);

// Once connected: what the user did not set of keepalives and tcp_user_timeout.
void keep_alive(PGconn *c);

} // namespace internal
} // namespace weir::inline v0
