// SPDX-License-Identifier: PostgreSQL
//
// Writes pieces to a stream, in a thread of its own: gathered for some milliseconds, in batches of one transaction.
// Every statement carries an idempotency key made of this run and the batch's number, and a batch is sent again, as it
// was, until the server has taken it: through a restart, nothing is lost and nothing is there twice. Best-effort frames
// carry none, since a key is durable and would cost what they are to save; of them a batch may come twice.
//
// Memory is bounded: where the server does not take what comes, has_room() says no, and whoever feeds the recorder
// waits, as for a full pipe.
#pragma once

#include "pipe/splitter.hpp"
#include "pipe/tally.hpp"
#include "weir/connection.hpp"
#include "weir/position.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

namespace weir::command {

class recorder {
public:
    struct options {
        std::string stream = {};
        std::string type = "stdout", headers = {};
        bool best_effort = false;
        std::optional<std::chrono::milliseconds> ttl = {};
        std::chrono::milliseconds linger{20};
        std::chrono::milliseconds patience{600'000}; // how long a server that takes nothing is waited for
        std::size_t batch_frames = 500, batch_bytes = 1 << 20;
        std::size_t buffer_bytes = 8'000'000;
        bool close = false; // the stream, at the end
        std::optional<tally> summary = {};
        std::chrono::milliseconds heartbeat{5000}; // patches of the summary while nothing comes
        bool ascii_only = false;                   // the database's encoding is not UTF-8: other text goes as bytes
        // Called in the recorder's thread where the server cannot be had, and where it can again.
        std::function<void(error const &)> on_trouble = {};
        std::function<void(std::chrono::milliseconds)> on_recovery = {};
    };
    struct counts {
        std::int64_t taken = 0, recorded = 0, on_stderr = 0, bytes = 0;
        position last = {};
        bool in_trouble = false;
    };

    // stop ends every wait, and with it the recording.
    recorder(connection db, options o, std::stop_token stop);
    ~recorder();

    void add(piece p); // never blocks
    bool has_room() const;
    // No more comes. What is left is sent, and the end.
    void finish(ending how);

    // Readable where there is room again, when recording has failed, and at the end.
    int descriptor() const noexcept { return event_; }
    void acknowledge() noexcept; // makes it unreadable
    bool ended() const;
    // Why recording has failed; nothing more is recorded then.
    std::optional<error> failed() const;
    counts now() const;

private:
    struct batch;
    void run();
    std::optional<batch> next_batch();
    void send(batch &b);
    position send_once(batch const &b);
    position append(std::span<piece const> run, std::string const &key);
    bool wait_after(error const &e, std::chrono::steady_clock::time_point first, int attempt);
    void signal() noexcept;

    connection db_;
    options options_;
    std::stop_token stop_;
    std::chrono::steady_clock::time_point const started_ = std::chrono::steady_clock::now();
    std::string run_name_;
    int event_;

    mutable std::mutex lock_;
    std::condition_variable_any changed_;
    std::deque<piece> queue_;
    std::size_t queued_bytes_ = 0;
    std::chrono::steady_clock::time_point oldest_{}; // when the first of the queue came
    std::optional<ending> ending_;
    bool ended_ = false;
    std::optional<error> failed_;
    counts counts_;
    std::uint64_t batches_ = 0;
    std::thread thread_;
};

} // namespace weir::command
