// SPDX-License-Identifier: PostgreSQL
//
// A connection to a database with weir in it, and the calls of streams on it. One
// thread at a time. Every call blocks until the server has answered, commits by
// itself unless a transaction is open (execute("BEGIN")), and throws weir::error.
#pragma once

#include "weir/error.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;

namespace weir {

// One entry of a stream, as weir.read() gives it.
struct frame {
    std::string id; // position, text form ms-seq
    std::string mode;
    std::optional<std::string> type;
    std::optional<std::string> payload;          // JSON
    std::optional<std::vector<std::byte>> bytes; // raw
    std::optional<std::string> headers;          // JSON
};

struct append_options {
    std::optional<std::string_view> type = {};
    std::optional<std::string_view> headers = {}; // a JSON object
    std::optional<std::string_view> idempotency_key = {};
};

class connection {
public:
    // conninfo as libpq takes it: key=value, a URI, or nothing for its environment.
    explicit connection(std::string const &conninfo = "");

    // Runs a statement without parameters and forgets its rows.
    void execute(std::string const &sql);

    // All three return the frame's position. A retry is safe with an idempotency key.
    std::string append(std::string_view stream, std::string_view json, append_options const &options = {});
    std::string append_text(std::string_view stream, std::string_view text, append_options const &options = {});
    std::string append_bytes(std::string_view stream, std::span<std::byte const> bytes,
                             append_options const &options = {});

    // The settled frames behind a position (none: from the start), 1 to 10000 of them.
    std::vector<frame> read(std::string_view stream, std::optional<std::string_view> after = {}, int max_frames = 1000);

    // The newest settled position.
    std::string head(std::string_view stream);

    // Ends the stream; returns the position of its close mark.
    std::string close(std::string_view stream, std::optional<std::string_view> reason = {});

private:
    struct closer {
        void operator()(pg_conn *c) const noexcept;
    };
    std::unique_ptr<pg_conn, closer> connection_;
};

} // namespace weir
