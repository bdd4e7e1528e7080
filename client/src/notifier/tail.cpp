// SPDX-License-Identifier: PostgreSQL
#include "weir/tail.hpp"

#include "notifier/loop.hpp"
#include "notifier/tail_core.hpp"

#include <algorithm>

namespace weir::inline v0 {

using namespace internal;

std::string_view to_string(tail_state state) noexcept {
    switch (state) {
    case tail_state::live:
        return "live";
    case tail_state::closed:
        return "closed";
    case tail_state::cursor_ahead:
        return "cursor_ahead";
    case tail_state::cursor_expired:
        return "cursor_expired";
    case tail_state::failed:
        return "failed";
    case tail_state::detached:
        return "detached";
    }
    return "";
}

tail::core::core(std::string name, tail_options o, std::shared_ptr<notifier::core> n)
    : stream(std::move(name)), options(std::move(o)), by(std::move(n)), on_ready(options.on_ready) {
    if (options.from.how() == start::kind::after) {
        taken_ = read_ = position(options.from.value());
        settled_ = true;
    }
}

bool tail::core::fits(std::size_t size) const noexcept {
    return buffer_.empty() || (buffer_.size() < options.buffer_frames && bytes_ + size <= options.buffer_bytes);
}

std::size_t tail::core::deliver(std::span<frame> frames) {
    std::size_t n = 0;
    bool first;
    {
        std::lock_guard const guard(lock_);
        first = buffer_.empty();
        for (; n < frames.size(); n++) {
            frame &f = frames[n];
            std::size_t const size = size_of(f);
            if (!fits(size))
                break;
            average_ = (average_ * 7 + size) / 8;
            bytes_ += size;
            read_ = f.id;
            newest_ = std::max(newest_, f.id);
            buffer_.push_back(std::move(f));
        }
        held_ = held_ || n < frames.size();
        first = first && n > 0;
    }
    if (n > 0)
        changed_.notify_all();
    if (first)
        on_ready();
    return n;
}

std::size_t tail::core::room() {
    std::lock_guard const guard(lock_);
    if (state_ != tail_state::live)
        return 0;
    if (!fits(average_)) {
        held_ = true;
        return 0;
    }
    if (buffer_.empty())
        return std::clamp<std::size_t>(options.buffer_bytes / average_, 1,
                                       std::max<std::size_t>(options.buffer_frames, 1));
    return std::clamp<std::size_t>((options.buffer_bytes - bytes_) / average_, 1,
                                   options.buffer_frames - buffer_.size());
}

void tail::core::passed_by(position to) {
    std::lock_guard const guard(lock_);
    read_ = std::max(read_, to);
    newest_ = std::max(newest_, to);
    if (buffer_.empty())
        taken_ = read_;
}

void tail::core::settled(position cursor) {
    {
        std::lock_guard const guard(lock_);
        taken_ = read_ = cursor;
        newest_ = std::max(newest_, cursor);
        settled_ = true;
    }
    changed_.notify_all();
}

void tail::core::heard(position newest) {
    std::lock_guard const guard(lock_);
    newest_ = std::max(newest_, newest);
}

void tail::core::listening(bool yes) {
    {
        std::lock_guard const guard(lock_);
        if (listening_ == yes)
            return;
        listening_ = yes;
    }
    changed_.notify_all();
}

void tail::core::end(tail_state state, std::optional<refusal> why, std::optional<error> failure) {
    {
        std::lock_guard const guard(lock_);
        if (state_ != tail_state::live)
            return;
        state_ = state;
        why_ = std::move(why);
        failure_ = std::move(failure);
    }
    changed_.notify_all();
    on_ready();
}

std::vector<frame> tail::core::take(std::size_t max, until const *limit) {
    std::vector<frame> frames;
    bool resume = false;
    {
        std::unique_lock guard(lock_);
        auto const something = [this] { return !buffer_.empty() || state_ != tail_state::live; };
        if (limit != nullptr && !something()) {
            if (limit->when() == until::never)
                changed_.wait(guard, limit->stop(), something);
            else
                changed_.wait_until(guard, limit->stop(), limit->when(), something);
        }
        std::size_t const n = std::min(max, buffer_.size());
        frames.reserve(n);
        for (std::size_t i = 0; i < n; i++) {
            bytes_ -= size_of(buffer_.front());
            frames.push_back(std::move(buffer_.front()));
            buffer_.pop_front();
        }
        if (n > 0) {
            taken_ = buffer_.empty() ? read_ : frames.back().id;
            if (frames.back().mode == frame_mode::close && state_ == tail_state::live)
                state_ = tail_state::closed;
        } else if (failure_ && !thrown_) {
            thrown_ = true;
            throw *failure_;
        }
        if (held_ && buffer_.size() <= options.buffer_frames / 2 && bytes_ <= options.buffer_bytes / 2) {
            held_ = false;
            resume = true;
        }
    }
    if (resume)
        by->post([this](loop &l) { l.resume(this); });
    return frames;
}

bool tail::core::subscribed(until const &limit) {
    std::unique_lock guard(lock_);
    auto const so = [this] { return (settled_ && listening_) || state_ != tail_state::live; };
    if (limit.when() == until::never)
        changed_.wait(guard, limit.stop(), so);
    else
        changed_.wait_until(guard, limit.stop(), limit.when(), so);
    if (failure_)
        throw *failure_;
    return settled_ && listening_;
}

position tail::core::cursor() {
    std::lock_guard const guard(lock_);
    return taken_;
}

tail_lag tail::core::lag() {
    std::lock_guard const guard(lock_);
    tail_lag l{.frames = buffer_.size(), .bytes = bytes_, .full = held_, .newest = newest_};
    if ((held_ || !buffer_.empty()) && newest_ > taken_)
        l.behind = newest_.time() - (buffer_.empty() ? taken_ : buffer_.front().id).time();
    return l;
}

tail_state tail::core::state() {
    std::lock_guard const guard(lock_);
    return state_ != tail_state::live && !buffer_.empty() ? tail_state::live : state_;
}

std::optional<refusal> tail::core::why() {
    std::lock_guard const guard(lock_);
    return why_;
}

tail::tail(notifier &by, std::string stream, tail_options options)
    : core_(std::make_shared<core>(std::move(stream), std::move(options), by.internals())) {
    if (!core_->by->post([c = core_](loop &l) { l.add(c); }))
        core_->end(tail_state::detached, {}, {});
}

tail::tail(tail &&) noexcept = default;

tail &tail::operator=(tail &&other) noexcept {
    std::swap(core_, other.core_);
    return *this;
}

tail::~tail() {
    if (!core_)
        return;
    core_->on_ready.forget();
    core_->by->post([c = core_](loop &l) { l.remove(c.get()); });
}

std::optional<frame> tail::next(until const &limit) {
    auto frames = core_->take(1, &limit);
    if (frames.empty())
        return {};
    return std::move(frames.front());
}

std::vector<frame> tail::next_batch(until const &limit, std::size_t max) { return core_->take(max, &limit); }
std::vector<frame> tail::take(std::size_t max) { return core_->take(max, nullptr); }
bool tail::subscribed(until const &limit) const { return core_->subscribed(limit); }
std::string const &tail::stream() const noexcept { return core_->stream; }
position tail::cursor() const { return core_->cursor(); }
tail_state tail::state() const { return core_->state(); }
std::optional<refusal> tail::why() const { return core_->why(); }
tail_lag tail::lag() const { return core_->lag(); }

} // namespace weir::inline v0
