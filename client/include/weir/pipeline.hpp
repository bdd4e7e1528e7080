// SPDX-License-Identifier: PostgreSQL
//
// Many appends over one connection without waiting for each answer. Appends are sent in
// groups; a group is one transaction, so it costs one commit, and succeeds or fails
// as a whole. Some groups are in flight at a time: a call blocks only when the window is full.
// Order is kept.
//
// The connection belongs to the pipeline until finish() or the destructor.
#pragma once

#include "weir/frame.hpp"
#include "weir/stream.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

namespace weir::inline v0 {

struct pipeline_options {
    int group = 128; // appends in one transaction
    int groups = 4;  // transactions in flight
};

// What became of one append of a pipeline or batch.
struct append_outcome {
    std::size_t number = 0; // 0, 1, 2, … in the order of the calls
    std::variant<position, refusal, error> what;

    bool ok() const noexcept { return what.index() == 0; }
    // The position; throws what else it is.
    WEIR_CLIENT_API position value() const;
};

class WEIR_CLIENT_API pipeline {
public:
    // The connection must not be in a transaction. on_outcome is called, within the calls below, for each append in
    // order; an append that failed only because another one of its group did has an error of 25P02, whose retry is
    // safe.
    pipeline(connection &db, std::function<void(append_outcome const &)> on_outcome,
             pipeline_options const &options = {});
    // Sends nothing more; what was sent may still be committed.
    ~pipeline();
    pipeline(pipeline const &) = delete;
    pipeline &operator=(pipeline const &) = delete;

    // Return the number of the append. Throw where the connection is lost; what was not answered is in doubt, and
    // reported as such.
    std::size_t append(std::string_view stream, payload what, append_options const &options = {});
    std::size_t append_best_effort(std::string_view stream, payload what, append_options const &options = {});
    std::size_t append_patch(std::string_view stream, std::string_view patch, append_options const &options = {});

    // Ends the group and sends what is not yet sent, without waiting for answers.
    void flush();
    // flush(), and waits for every answer. The connection is free again.
    void finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace weir::inline v0
