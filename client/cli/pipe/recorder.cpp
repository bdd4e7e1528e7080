// SPDX-License-Identifier: PostgreSQL
#include "pipe/recorder.hpp"

#include "screen/json.hpp"
#include "screen/show.hpp"
#include "shell/exit.hpp"
#include "weir/stream.hpp"
#include "weir/transaction.hpp"

#include <algorithm>
#include <cstdio>
#include <random>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace weir::command {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

std::string random_name() {
    std::random_device device;
    std::string name = "weir pipe ";
    for (int i = 0; i < 4; i++) {
        char word[9];
        std::snprintf(word, sizeof word, "%08x", device());
        name += word;
    }
    return name;
}

// What it costs to hold a piece, about.
std::size_t weight(piece const &p) { return p.data.size() + sizeof(piece); }

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

} // namespace

// One transaction. It is put together once and sent as it is, however often.
struct recorder::batch {
    std::uint64_t number = 0;
    std::vector<piece> pieces = {};
    std::string patch = {};         // of the summary; empty: none
    std::optional<ending> end = {}; // it is the last one
};

recorder::recorder(connection db, options o, std::stop_token stop)
    : db_(std::move(db)), options_(std::move(o)), stop_(std::move(stop)), run_name_(random_name()),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0)
        throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::thread([this] { run(); });
}

recorder::~recorder() {
    finish({});
    thread_.join();
    ::close(event_);
}

void recorder::signal() noexcept {
    std::uint64_t const one = 1;
    [[maybe_unused]] ssize_t const n = ::write(event_, &one, sizeof one);
}

void recorder::acknowledge() noexcept {
    std::uint64_t count;
    [[maybe_unused]] ssize_t const n = ::read(event_, &count, sizeof count);
}

void recorder::add(piece p) {
    std::lock_guard const guard(lock_);
    if (options_.ascii_only && p.text && !is_ascii(p.data))
        p.text = false;
    counts_.taken++;
    if (failed_)
        return;
    if (queue_.empty())
        oldest_ = clock::now();
    queued_bytes_ += weight(p);
    queue_.push_back(std::move(p));
    changed_.notify_all();
}

bool recorder::has_room() const {
    std::lock_guard const guard(lock_);
    return failed_ || queued_bytes_ < options_.buffer_bytes;
}

void recorder::finish(ending how) {
    std::lock_guard const guard(lock_);
    if (!ending_)
        ending_ = how;
    changed_.notify_all();
}

bool recorder::ended() const {
    std::lock_guard const guard(lock_);
    return ended_;
}

std::optional<error> recorder::failed() const {
    std::lock_guard const guard(lock_);
    return failed_;
}

recorder::counts recorder::now() const {
    std::lock_guard const guard(lock_);
    return counts_;
}

// Waits until there is a batch to send; nothing at the end.
std::optional<recorder::batch> recorder::next_batch() {
    std::unique_lock guard(lock_);
    auto const full = [&] { return queue_.size() >= options_.batch_frames || queued_bytes_ >= options_.batch_bytes; };
    auto const beat = clock::now() + (batches_ == 0 ? 0ms : options_.heartbeat);
    for (;;) {
        auto const now = clock::now();
        bool const due = !queue_.empty() && (full() || now >= oldest_ + options_.linger);
        bool const beats = options_.summary && queue_.empty() && now >= beat;
        if (due || beats || ending_)
            break;
        bool const empty = queue_.empty();
        auto const until = !empty ? oldest_ + options_.linger : options_.summary ? beat : now + 1h;
        changed_.wait_until(guard, stop_, until, [&] { return ending_ || full() || (empty && !queue_.empty()); });
        if (stop_.stop_requested())
            return {};
    }
    batch b{.number = ++batches_};
    for (std::size_t bytes = 0;
         !queue_.empty() && b.pieces.size() < options_.batch_frames && bytes < options_.batch_bytes;
         queue_.pop_front()) {
        bytes += weight(queue_.front());
        b.pieces.push_back(std::move(queue_.front()));
    }
    if (ending_ && queue_.empty())
        b.end = *ending_;
    guard.unlock();
    if (options_.summary) {
        for (piece const &p : b.pieces)
            options_.summary->see(p);
        auto const elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - started_);
        b.patch = b.end ? options_.summary->final_patch(elapsed, *b.end) : options_.summary->patch(elapsed);
    }
    return b;
}

void recorder::run() {
    try {
        while (auto b = next_batch()) {
            send(*b);
            std::size_t sum = 0;
            for (piece const &p : b->pieces)
                sum += weight(p);
            std::lock_guard const guard(lock_);
            bool const was_full = queued_bytes_ >= options_.buffer_bytes;
            queued_bytes_ -= sum;
            if (was_full && queued_bytes_ < options_.buffer_bytes)
                signal();
            if (b->end)
                break;
        }
    } catch (error const &e) {
        std::lock_guard const guard(lock_);
        failed_ = e;
    } catch (std::exception const &e) {
        std::lock_guard const guard(lock_);
        failed_ = error({.message = e.what()});
    }
    std::lock_guard const guard(lock_);
    if (!failed_ && stop_.stop_requested() && counts_.recorded < counts_.taken)
        failed_ = error({.from = error::source::stop, .message = "stopped before everything was recorded"});
    queue_.clear();
    ended_ = true;
    signal();
}

// One statement: frames of one form, type and headers.
position recorder::append(std::span<piece const> run, std::string const &key) {
    weir::stream to(db_, options_.stream);
    piece const &first = run.front();
    std::string headers = options_.headers;
    if (first.eol != first.text) // text is a line, bytes are none, unless a header says otherwise
        headers = json::with_member(headers, eol_header, first.eol ? "true" : "false");
    auto const with = headers.empty() ? std::nullopt : std::optional<std::string_view>(headers);
    std::string_view const type = first.from == channel_of::standard_error ? "stderr" : std::string_view(options_.type);
    append_options o{.type = type, .headers = with};
    if (options_.best_effort)
        o.ttl = options_.ttl;
    else
        o.idempotency_key = key;
    if (first.text) {
        std::vector<std::string_view> texts;
        for (piece const &p : run)
            texts.push_back(p.data);
        return expect(options_.best_effort ? to.append_best_effort_text_batch(texts, o)
                                           : to.append_text_batch(texts, o))
            .last_id;
    }
    std::vector<std::span<std::byte const>> all;
    for (piece const &p : run)
        all.push_back(std::as_bytes(std::span(p.data)));
    return expect(options_.best_effort ? to.append_best_effort_bytes_batch(all, o) : to.append_bytes_batch(all, o))
        .last_id;
}

position recorder::send_once(batch const &b) {
    std::string const key = run_name_ + " " + std::to_string(b.number);
    std::vector<std::span<piece const>> runs;
    for (auto from = b.pieces.begin(); from != b.pieces.end();) {
        auto const to = std::find_if(from, b.pieces.end(), [&](piece const &p) {
            return p.from != from->from || p.text != from->text || p.eol != from->eol;
        });
        runs.emplace_back(from, to);
        from = to;
    }
    bool const closes = b.end && options_.close;
    position last;
    std::optional<transaction> whole;
    if (runs.size() + !b.patch.empty() + closes > 1)
        whole.emplace(db_);
    for (std::size_t i = 0; i < runs.size(); i++)
        last = append(runs[i], key + "." + std::to_string(i));
    weir::stream to(db_, options_.stream);
    if (!b.patch.empty())
        last = expect(to.append_patch(b.patch, {.idempotency_key = key + ".summary"})).id;
    if (closes)
        last = to.close(b.end->reason());
    if (whole)
        whole->commit();
    return last;
}

// False where there is nothing to be gained by waiting any longer.
bool recorder::wait_after(error const &e, clock::time_point first, int attempt) {
    bool const passes = e.transient() || e.from() == error::source::connection || e.sqlstate() == "25006";
    if (!passes || stop_.stop_requested() || clock::now() - first >= options_.patience)
        return false;
    auto const pause = std::min<std::chrono::milliseconds>(50ms * (1 << std::min(attempt, 5)), options_.patience);
    std::unique_lock guard(lock_);
    changed_.wait_for(guard, stop_, pause, [] { return false; });
    return !stop_.stop_requested();
}

void recorder::send(batch &b) {
    auto const first_try = clock::now();
    bool in_trouble = false;
    for (int attempt = 0;; attempt++) {
        try {
            // Multi-host setups have a new primary after a failover: a server that takes no writes is left.
            if (in_trouble)
                db_.reconnect(until(clock::now() + 10s, stop_));
            position const last = send_once(b);
            if (in_trouble && options_.on_recovery)
                options_.on_recovery(std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - first_try));
            std::lock_guard const guard(lock_);
            counts_.in_trouble = false;
            if (last > counts_.last)
                counts_.last = last;
            counts_.recorded += static_cast<std::int64_t>(b.pieces.size());
            for (piece const &p : b.pieces) {
                counts_.bytes += static_cast<std::int64_t>(p.data.size()) + (p.eol ? 1 : 0);
                counts_.on_stderr += p.from == channel_of::standard_error ? 1 : 0;
            }
            return;
        } catch (error const &e) {
            if (!wait_after(e, first_try, attempt))
                throw;
            if (!std::exchange(in_trouble, true)) {
                if (options_.on_trouble)
                    options_.on_trouble(e);
                std::lock_guard const guard(lock_);
                counts_.in_trouble = true;
            }
        }
    }
}

} // namespace weir::command
