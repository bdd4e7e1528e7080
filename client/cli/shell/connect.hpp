// SPDX-License-Identifier: PostgreSQL
//
// Where to connect to. What is not given is taken by libpq from its environment, service file and password file; a
// password that is still missing is asked for on the terminal.
#pragma once

#include "weir/connection.hpp"

#include <chrono>
#include <stop_token>
#include <string>

namespace weir::command {

class connector {
public:
    // Given on the command line. Host, port and user win over what the dsn says.
    std::string dsn = {}; // database name, key=value, or URI
    std::string host = {}, port = {}, user = {};

    // As libpq takes it. Throws failure where the dsn is malformed.
    std::string conninfo() const;

    // Connects to a database that has weir. A call goes on trying for retry_time where the connection was lost; a
    // signal, or the token given, stops it.
    connection connect(std::chrono::milliseconds retry_time = std::chrono::seconds(5));
    connection connect(std::chrono::milliseconds retry_time, std::stop_token stop);
    // To any database.
    connection connect_to_any();

private:
    connection connect_with(connection_options options);
    std::string password_ = {};
};

} // namespace weir::command
