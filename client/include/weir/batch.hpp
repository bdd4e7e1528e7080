// SPDX-License-Identifier: PostgreSQL
//
// Frames for any number of streams, each with its own type and headers, appended in one
// transaction and one round trip: what a producer has gathered in some milliseconds.
// Durable and best-effort frames, JSON, text and bytes mix. The order of frames within a stream is kept.
#pragma once

#include "weir/stream.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

class WEIR_CLIENT_API batch {
public:
    batch();
    ~batch();
    batch(batch &&) noexcept;
    batch &operator=(batch &&) noexcept;

    // Copies what it is given. idempotency_key of the options is that of the frame.
    void append(std::string_view stream, payload what, append_options const &options = {});
    void append_best_effort(std::string_view stream, payload what, append_options const &options = {});

    std::size_t size() const noexcept;
    std::size_t bytes() const noexcept; // of payloads and options
    bool empty() const noexcept { return size() == 0; }
    void clear() noexcept;

    // All or none; the positions in the order of the calls. The batch stays as it is. Made again after a lost
    // connection where every frame has an idempotency key.
    result<std::vector<position>> send(connection &db) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace weir::inline v0
