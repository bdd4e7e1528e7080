// SPDX-License-Identifier: PostgreSQL
//
// A tail as its consumer and the loop share it: the buffer between them. The loop
// adds frames, the consumer takes them; where the buffer is full the loop marks the tail as
// held and leaves it alone until the consumer has emptied half of it.
#pragma once

#include "notifier/core.hpp"
#include "weir/tail.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>

namespace weir::inline v0 {

struct tail::core {
    core(std::string name, tail_options o, std::shared_ptr<notifier::core> n);

    std::string const stream;
    tail_options const options;
    std::shared_ptr<notifier::core> const by;

    // The loop's side. What fits of these frames is moved into the buffer; returns how many. Holds the tail where that
    // is not all.
    std::size_t deliver(std::span<frame> frames);
    // How many frames there is room for; 0 holds the tail.
    std::size_t room();
    void passed_by(position to);   // a filter dropped everything up to there
    void settled(position cursor); // where the tail starts
    void heard(position newest);
    void listening(bool yes);
    void end(tail_state state, std::optional<refusal> why, std::optional<error> failure);

    // The consumer's side.
    std::vector<frame> take(std::size_t max, until const *limit);
    bool subscribed(until const &limit);
    position cursor();
    tail_lag lag();
    tail_state state();
    std::optional<refusal> why();

    internal::revocable<> on_ready;

private:
    bool fits(std::size_t size) const noexcept;

    std::mutex lock_;
    std::condition_variable_any changed_;
    std::deque<frame> buffer_;
    std::size_t bytes_ = 0, average_ = 256;
    position taken_, read_, newest_;
    bool held_ = false, settled_ = false, listening_ = false, thrown_ = false;
    tail_state state_ = tail_state::live;
    std::optional<refusal> why_;
    std::optional<error> failure_;
};

namespace internal {
inline std::size_t size_of(frame const &f) noexcept {
    return sizeof f + (f.type ? f.type->size() : 0) + (f.payload ? f.payload->size() : 0) +
           (f.bytes ? f.bytes->size() : 0) + (f.headers ? f.headers->size() : 0);
}
} // namespace internal

} // namespace weir::inline v0
