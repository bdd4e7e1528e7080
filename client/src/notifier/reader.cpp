// SPDX-License-Identifier: PostgreSQL
#include "notifier/reader.hpp"

#include "decode.hpp"
#include "failure.hpp"
#include "notifier/loop.hpp"
#include "parameters.hpp"
#include "session.hpp"

#include <algorithm>
#include <utility>

namespace weir::inline v0 {
namespace internal {

using clock = until::clock;

namespace {

constexpr char prepared_name[] = "weir_read_many";
constexpr std::size_t hard_cap = 10'000; // rows of one call, in the server

#define WEIR_FRAME "id::bigint, mode, type, payload, bytes, headers"
constexpr char read_many[] =
    "SELECT stream, " WEIR_FRAME " FROM weir.read_many($1::text[], $2::int8[]::weir.position[],"
    " max => $3::int4, visibility => $4::text)";

// With a filter one has to know how far the read has come where it found nothing. The row without a stream says so.
constexpr char read_filtered[] =
    "SELECT CASE WHEN mode <> 'bookmark' THEN $1::text END, " WEIR_FRAME
    " FROM weir.read($1::text, after => $2::int8::weir.position, max => $3::int4, visibility => $4::text,"
    " types => $5::text[], headers => $6::jsonb, bookmark => true)";

constexpr char heads[] = "SELECT s, weir.head(s)::bigint FROM unnest($1::text[]) s";

} // namespace

void reader::connect() {
    try {
        link_.open(loop_.to(), loop_.options().connect_timeout, loop_.now());
        phase_ = phase::connecting;
        deadline_ = link_.connect_by();
    } catch (error const &e) {
        loop_.could_not_connect(e);
    }
}

void reader::greet() {
    phase_ = phase::greeting;
    deadline_ = loop_.now() + loop_.options().answer_timeout;
    PQsendQueryParams(link_.get(), hello_sql, 0, nullptr, nullptr, nullptr, nullptr, 1);
    link_.flush();
}

void reader::prepare() {
    preparing_ = true;
    PQsendPrepare(link_.get(), prepared_name, read_many, 0, nullptr);
    link_.flush();
}

void reader::read(int what, std::vector<slot> slots, std::size_t max) {
    what_ = what;
    slots_ = std::move(slots);
    current_ = 0;
    bookmark_.reset();
    more_ = false;
    error_.reset();
    limit_ = std::clamp<std::size_t>(hard_cap / slots_.size(), 1, std::max<std::size_t>(max, 1));
    parameters p;
    char const *sql = read_many;
    if (what == follower::filtered) {
        tail_options const &o = slots_[0].riders[0]->tail->options;
        p.raw(slots_[0].stream).at(slots_[0].after).integer(static_cast<std::int32_t>(limit_));
        p.raw(o.best_effort ? "all" : "exclude_best_effort");
        if (o.types.empty()) {
            p.null();
        } else {
            p.begin(element::text, o.types.size());
            for (std::string const &t : o.types)
                p.add(t);
            p.end();
        }
        p.jsonb(o.headers ? std::optional<std::string_view>(*o.headers) : std::nullopt);
        sql = read_filtered;
    } else {
        p.begin(element::text, slots_.size());
        for (slot const &s : slots_)
            p.add(s.stream);
        p.end();
        if (what == follower::heads) {
            sql = heads;
        } else {
            p.begin(element::int8, slots_.size());
            for (slot const &s : slots_)
                p.add(s.after.value());
            p.end().integer(static_cast<std::int32_t>(limit_));
            p.raw(what == follower::plain ? "all" : "exclude_best_effort");
        }
    }
    phase_ = phase::busy;
    begun_ = loop_.now();
    deadline_ = begun_ + std::max(patience_, loop_.options().answer_timeout);
    loop_.counts().reads++;
    if (!send(sql, p))
        lost();
}

bool reader::send(char const *sql, parameters const &p) {
    auto const v = p.as_libpq();
    PGconn *c = link_.get();
    int const sent =
        prepared_ && sql == read_many
            ? PQsendQueryPrepared(c, prepared_name, p.size(), v.values.data(), v.lengths.data(), v.formats.data(), 1)
            : PQsendQueryParams(c, sql, p.size(), nullptr, v.values.data(), v.lengths.data(), v.formats.data(), 1);
    if (sent == 0)
        return false;
    PQsetSingleRowMode(c);
    link_.flush();
    return !link_.lost();
}

void reader::step() {
    if (phase_ == phase::connecting) {
        try {
            if (link_.advance() == link::phase::open)
                greet();
        } catch (error const &e) {
            close();
            loop_.could_not_connect(e);
        }
        return;
    }
    bool const there = link_.receive() && (link_.flush() || !link_.lost());
    if (there && phase_ == phase::busy) // it is alive, however long it takes
        deadline_ = loop_.now() + std::max(patience_, loop_.options().answer_timeout);
    while (link_.is_open() && phase_ != phase::idle && PQisBusy(link_.get()) == 0) {
        pg_result r(PQgetResult(link_.get()));
        bool const ended = !r;
        if (ended)
            statement_ended();
        else if (succeeded(r.get()))
            take(r.get());
        else if (!error_)
            error_ = std::move(r);
        if (ended && link_.is_open() && link_.lost())
            break;
    }
    // Notifications come to the listener; whatever comes here is nobody's.
    while (link_.is_open() && owned<PGnotify>(PQnotifies(link_.get())))
        ;
    if (link_.is_open() && link_.lost())
        lost();
}

void reader::take(PGresult const *r) {
    if (phase_ == phase::greeting) {
        if (!preparing_ && PQntuples(r) == 1)
            pooler_ = row(r, 0).integer(0) != PQbackendPID(link_.get());
        else if (preparing_)
            prepared_ = true;
        return;
    }
    for (int n = 0; n < PQntuples(r); n++)
        take_row(r, n);
}

void reader::take_row(PGresult const *r, int n) {
    row const each(r, n);
    if (each.is_null(0)) { // the bookmark of a filtered read
        bookmark_ = each.at(1);
        more_ = !each.is_null(3);
        return;
    }
    std::string_view const stream = each.raw(0);
    if (slots_[current_].stream != stream) {
        deliver();
        for (std::size_t tried = 0; tried < slots_.size() && slots_[current_].stream != stream; tried++)
            current_ = (current_ + 1) % slots_.size();
    }
    slot &s = slots_[current_];
    if (s.stream != stream)
        return;
    s.rows++;
    if (what_ == follower::heads) {
        for (follower *f : s.riders) {
            start const &from = f->tail->options.from;
            // After the last position before a time, but not ahead of what there is.
            f->cursor = each.at(1);
            if (from.how() == start::kind::since)
                f->cursor = std::min(f->cursor, position(std::max<std::int64_t>(0, (from.value() << 20) - 1)));
            f->settled = true;
            f->tail->settled(f->cursor);
        }
        return;
    }
    frames_.push_back(each.frame(1));
    if (frames_.size() >= 64)
        deliver();
}

// Hands what has gathered for the current stream to its tails.
void reader::deliver() {
    if (frames_.empty())
        return;
    slot &s = slots_[current_];
    // A tail whose buffer was full before is not given what comes behind the gap.
    position const before = s.after;
    s.after = frames_.back().id;
    std::vector<follower *> const riders = s.riders;
    for (std::size_t i = 0; i < riders.size(); i++) {
        follower &f = *riders[i];
        if (f.cursor != before)
            continue;
        std::vector<frame> mine = i + 1 == riders.size() ? std::move(frames_) : frames_;
        std::size_t const n = f.tail->deliver(mine);
        loop_.counts().frames += n;
        if (n == 0)
            continue;
        // Moved away, but for what is plain.
        f.cursor = mine[n - 1].id;
        f.ended = mine[n - 1].mode == frame_mode::close;
    }
    frames_.clear();
}

void reader::statement_ended() {
    if (phase_ == phase::greeting) {
        if (error_ && !preparing_)
            return lost();
        if (!pooler_ && !preparing_)
            return prepare();
        // Where it cannot be prepared, reading says why.
        error_.reset();
        phase_ = phase::idle;
        preparing_ = false;
        deadline_ = until::never;
        idle_since_ = loop_.now();
        loop_.connected();
        return;
    }
    if (phase_ != phase::busy)
        return;
    if (error_) {
        auto const r = std::move(error_);
        return statement_failed(r.get());
    }
    deliver();
    patience_ = {};
    loop_.took(loop_.now() - begun_, slots_.size());
    phase_ = phase::idle;
    deadline_ = until::never;
    idle_since_ = loop_.now();
    for (slot &s : std::exchange(slots_, {}))
        for (follower *f : s.riders) {
            bool const full = f->cursor < s.after; // its buffer
            if (!full && bookmark_ && *bookmark_ > f->cursor) {
                f->cursor = *bookmark_;
                f->tail->passed_by(*bookmark_);
            }
            loop_.done(*f, what_ == follower::heads || s.rows >= limit_ || full || more_);
        }
}

void reader::statement_failed(PGresult const *r) {
    error const why(describe(r));
    bool const ended = why.from() == error::source::connection || link_.lost();
    if (ended && !cut_short(why))
        return lost();
    frames_.clear();
    phase_ = phase::idle;
    deadline_ = until::never;
    idle_since_ = loop_.now();
    auto const slots = std::exchange(slots_, {});
    bool const stale = why.sqlstate() == "26000" || why.sqlstate() == "0A000";
    std::size_t riders = 0;
    for (slot const &s : slots)
        riders += s.riders.size();
    for (slot const &s : slots)
        for (follower *f : s.riders) {
            if (stale || (why.transient() && !cut_short(why)))
                loop_.again(*f, false);
            else if (riders > 1 || slots.size() > 1 || (cut_short(why) && !f->alone))
                loop_.again(*f, true);
            else
                loop_.fail(*f, why);
        }
    if (ended || (stale && prepared_)) // what was prepared is gone; on a new connection it is there
        close();
}

void reader::lost() {
    bool const was_open = phase_ == phase::idle || phase_ == phase::busy;
    error const why(describe_lost(link_.get()));
    frames_.clear();
    auto const slots = std::exchange(slots_, {});
    link_.close();
    phase_ = phase::closed;
    prepared_ = preparing_ = false;
    error_.reset();
    deadline_ = until::never;
    if (was_open)
        loop_.lost_connection();
    else
        loop_.could_not_connect(why);
    for (slot const &s : slots)
        for (follower *f : s.riders)
            loop_.done(*f, true);
}

void reader::close() {
    bool const was_open = phase_ == phase::idle || phase_ == phase::busy;
    link_.close();
    phase_ = phase::closed;
    prepared_ = preparing_ = false;
    error_.reset();
    deadline_ = until::never;
    if (was_open)
        loop_.counts().connections--;
}

clock::time_point reader::next_deadline() const noexcept {
    return phase_ == phase::idle ? idle_since_ + loop_.options().idle_time : deadline_;
}

void reader::give_up() {
    frames_.clear();
    slots_.clear();
    close();
}

void reader::tick(clock::time_point now) {
    if (now < next_deadline())
        return;
    if (phase_ == phase::idle) {
        close();
    } else if (phase_ == phase::connecting) {
        close();
        loop_.could_not_connect(
            error({.from = error::source::connection, .message = "timeout expired while connecting"}));
    } else if (phase_ == phase::greeting) {
        lost();
    } else if (phase_ == phase::busy) {
        // Dead, or slow: the next one gets longer.
        patience_ =
            std::min(std::max(patience_, loop_.options().answer_timeout) * 2, loop_.options().answer_timeout * 8);
        lost();
    }
}

void reader::forget(follower *f) {
    for (slot &s : slots_)
        std::erase(s.riders, f);
}

} // namespace internal
} // namespace weir::inline v0
