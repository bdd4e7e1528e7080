// SPDX-License-Identifier: PostgreSQL
#include "notifier/loop.hpp"

#include "failure.hpp"

#include <algorithm>
#include <utility>

namespace weir::inline v0 {
namespace internal {

using clock = until::clock;
using namespace std::chrono_literals;

namespace {
constexpr std::size_t max_streams = 128; // of one read
constexpr auto tick = 250ms;
constexpr auto window = 50ms;
constexpr auto max_spacing = 25ms;
} // namespace

loop::loop(notifier::core &core, surroundings &around)
    : core_(core), around_(around), to_(core.options.conninfo, core.options.application_name),
      backoff_(core.options.first_backoff, core.options.max_backoff), listener_(*this) {
    for (int i = 0; i < std::max(core.options.readers, 1); i++)
        readers_.push_back(std::make_unique<reader>(*this));
}

loop::~loop() = default;

void loop::run() {
    while (round())
        ;
    for (auto &[core, f] : followers_)
        core->end(tail_state::detached, {}, {});
    listener_.detach_channels();
}

bool loop::round() {
    now_ = around_.now();
    bool const goes_on = core_.collect(commands_);
    for (command const &c : commands_)
        c(*this);
    commands_.clear();
    if (!goes_on)
        return false;
    try {
        act();
        wait();
    } catch (std::exception const &e) {
        start_over(e.what());
    }
    return true;
}

// Tails read on connections of their own, so they are told even where the listener has one.
void loop::tell_of_refusal() {
    error const why = *std::exchange(refused_, {});
    std::vector<follower *> all;
    for (auto &[core, f] : followers_)
        if (!f->ended)
            all.push_back(f.get());
    for (follower *f : all)
        fail(*f, why);
    listener_.refused(why);
}

void loop::act() {
    if (refused_)
        tell_of_refusal();
    end_spacing(now_);
    poll_slowly(now_);
    for (auto &r : readers_)
        r->tick(now_);
    listener_.act(now_);
    feed_readers(now_);
}

// Out of memory, most likely. What was half done is not known, so nothing of the connections is kept.
void loop::start_over(char const *why) {
    next_tick_ = now_;
    listener_.give_up(why);
    for (auto &r : readers_)
        r->give_up();
    for (auto &queue : due_)
        queue.clear();
    due_count_ = {};
    spaced_.clear();
    for (auto &[core, f] : followers_) {
        f->due = f->spaced = f->reading = f->again = false;
        f->next_poll = now_;
    }
    std::vector<pollfd> nothing;
    around_.wait(nothing, now_ + tick);
}

void loop::add(std::shared_ptr<tail::core> const &t) {
    auto f = std::make_unique<follower>();
    f->tail = t;
    f->next_poll = now_ + options().slow_poll;
    if (t->options.from.how() == start::kind::after) {
        f->cursor = position(t->options.from.value());
        f->settled = true;
    }
    auto found = streams_.find(t->stream);
    if (found == streams_.end()) {
        auto s = std::make_unique<followed_stream>();
        s->name = t->stream;
        std::string_view const key = s->name;
        found = streams_.emplace(key, std::move(s)).first;
        listener_.add(*found->second);
    }
    f->stream = found->second.get();
    f->stream->followers.push_back(f.get());
    follower &added = *f;
    followers_.emplace(t.get(), std::move(f));
    counts().tails = followers_.size();
    bool const covered =
        listener_.connected() && (!listener_.listens() || (added.stream->at != nullptr && added.stream->at->heard()));
    added.tail->listening(covered);
    make_due(added);
}

void loop::remove(tail::core *t) {
    auto const found = followers_.find(t);
    if (found == followers_.end())
        return;
    drop(*found->second);
    followers_.erase(found);
    counts().tails = followers_.size();
}

// Out of everything that points to it.
void loop::drop(follower &f) {
    if (std::exchange(f.due, false))
        due_count_[f.what()]--;
    for (auto &queue : due_)
        std::erase(queue, &f);
    if (std::exchange(f.spaced, false))
        std::erase(spaced_, &f);
    for (auto &r : readers_)
        r->forget(&f);
    listener_.forget(f);
    if (followed_stream *const s = std::exchange(f.stream, nullptr)) {
        std::erase(s->followers, &f);
        if (s->followers.empty()) {
            listener_.remove(*s);
            streams_.erase(streams_.find(s->name));
        }
    }
}

void loop::resume(tail::core *t) {
    auto const found = followers_.find(t);
    if (found != followers_.end())
        make_due(*found->second);
}

void loop::ring_all() {
    for (auto &[core, f] : followers_)
        make_due(*f);
}

void loop::ring(followed_stream &s, std::optional<position> newest) {
    for (follower *f : s.followers) {
        if (newest)
            f->tail->heard(*newest);
        make_due_in_time(*f);
    }
}

void loop::ring(std::string_view stream, std::optional<position> newest) {
    auto const found = streams_.find(stream);
    if (found != streams_.end())
        ring(*found->second, newest);
}

void loop::cover(followed_stream &s, bool yes) {
    for (follower *f : s.followers)
        f->tail->listening(yes);
}

std::vector<follower *> loop::parked() {
    std::vector<follower *> all;
    for (auto &[core, f] : followers_)
        if (f->settled && !f->due && !f->spaced && !f->reading && !f->ended && core->room() > 0)
            all.push_back(f.get());
    return all;
}

std::size_t loop::kept() const noexcept {
    std::size_t n = followers_.size() + streams_.size() + spaced_.size() + listener_.kept();
    for (auto const &queue : due_)
        n += queue.size();
    return n;
}

void loop::make_due(follower &f) {
    if (f.ended)
        return;
    if (f.reading) {
        f.again = true;
    } else if (!f.due) {
        f.due = true;
        due_count_[f.what()]++;
        due_[f.what()].push_back(&f);
    }
}

void loop::make_due_in_time(follower &f) {
    if (f.reading || f.due || f.ended || now_ >= f.not_before) {
        make_due(f);
    } else if (!f.spaced) {
        f.spaced = true;
        spaced_.push_back(&f);
    }
}

void loop::end_spacing(clock::time_point now) {
    if (now >= window_) {
        window_ = now + window;
        window_number_++;
        in_use_ = std::exchange(in_window_, 0);
    }
    for (; !spaced_.empty() && now >= spaced_.front()->not_before; spaced_.pop_front()) {
        spaced_.front()->spaced = false;
        make_due(*spaced_.front());
    }
}

void loop::took(std::chrono::duration<double> time, std::size_t streams) {
    per_stream_ += (time / static_cast<double>(streams) - per_stream_) / 8;
}

void loop::done(follower &f, bool more) {
    f.reading = f.alone = false;
    if (f.ended)
        return finish(f);
    f.next_poll = now_ + options().slow_poll;
    if (more)
        make_due(f);
    else if (f.again)
        make_due_in_time(f);
    f.again = false;
}

void loop::again(follower &f, bool alone) {
    f.reading = f.again = false;
    f.alone = alone;
    if (alone)
        make_due(f);
    else // not at once: what failed may fail again
        f.next_poll = now_ + tick;
}

void loop::fail(follower &f, error const &why) {
    f.reading = f.again = false;
    if (auto refused = as_refusal(why)) {
        bool const ahead = refused->why == refusal::reason::cursor_ahead;
        f.tail->end(ahead ? tail_state::cursor_ahead : tail_state::cursor_expired, std::move(refused), {});
    } else {
        f.tail->end(tail_state::failed, {}, why);
    }
    finish(f);
}

void loop::finish(follower &f) {
    f.reading = f.again = false;
    f.ended = true;
    drop(f); // stays known, for remove()
}

void loop::connected() {
    backoff_.reset();
    next_connect_ = {};
    counts().connects++;
    counts().connections++;
}

void loop::could_not_connect(error const &why) {
    next_connect_ = now_ + around_.any(backoff_.next_bound());
    listener_.tell(why.what(), why.lasting());
    if (why.lasting())
        refused_ = why;
}

void loop::lost_connection() {
    counts().connections--;
    counts().lost++;
    next_connect_ = std::max(next_connect_, now_ + around_.any(backoff_.next_bound()));
}

void loop::poll_slowly(clock::time_point now) {
    if (followers_.empty() || now < next_tick_)
        return;
    next_tick_ = now + std::min<clock::duration>(tick, options().slow_poll / 4 + 1ms);
    for (auto &[core, f] : followers_) {
        if (now < f->next_poll || f->ended || f->due || f->reading)
            continue;
        f->next_poll = now + options().slow_poll;
        if (core->room() == 0)
            continue; // held: resume() makes it due
        counts().polls++;
        make_due(*f);
    }
}

std::vector<slot> loop::next_group(follower::kind &what, std::size_t max) {
    std::vector<slot> group;
    group_++;
    auto const use = static_cast<double>(std::max(in_use_, in_window_));
    auto const spacing = std::min<std::chrono::duration<double>>(2 * use * per_stream_, max_spacing);
    auto const not_before = now_ + std::chrono::duration_cast<clock::duration>(spacing);
    for (std::size_t tried = 0; tried < follower::kinds && group.empty(); tried++) {
        what = static_cast<follower::kind>(turn_++ % follower::kinds);
        auto &queue = due_[what];
        std::deque<follower *> not_now;
        while (!queue.empty() && group.size() < max) {
            follower &f = *queue.front();
            if (f.due && f.alone && !group.empty())
                break;
            queue.pop_front();
            if (!f.due)
                continue;
            if (f.stream->group == group_) { // from another cursor: another statement
                not_now.push_back(&f);
                continue;
            }
            f.due = false;
            due_count_[what]--;
            if (what != follower::heads && f.tail->room() == 0)
                continue; // held
            f.stream->group = group_;
            in_window_ += std::exchange(f.stream->window, window_number_) != window_number_;
            slot s{.stream = f.stream->name, .after = f.cursor, .riders = {&f}};
            f.reading = true;
            f.not_before = not_before;
            // Others at the same place come along.
            if (!f.alone && what != follower::filtered)
                for (follower *o : f.stream->followers)
                    if (o->due && o->what() == what && !o->alone &&
                        (what == follower::heads || o->cursor == f.cursor) &&
                        (what == follower::heads || o->tail->room() > 0)) {
                        o->due = false;
                        due_count_[what]--;
                        o->reading = true;
                        o->not_before = not_before;
                        s.riders.push_back(o);
                    }
            group.push_back(std::move(s));
            if (f.alone || what == follower::filtered)
                break;
        }
        queue.insert(queue.begin(), not_now.begin(), not_now.end());
    }
    return group;
}

std::size_t loop::coming() const noexcept {
    return static_cast<std::size_t>(std::count_if(readers_.begin(), readers_.end(), [](auto const &r) {
        return r->where() == reader::phase::connecting || r->where() == reader::phase::greeting;
    }));
}

// More connections where there is more to do than those can that there are.
reader *loop::wanted_reader(std::size_t coming) const noexcept {
    if (due() <= coming * 16)
        return nullptr;
    for (auto const &r : readers_)
        if (r->where() == reader::phase::closed)
            return r.get();
    return nullptr;
}

void loop::feed_readers(clock::time_point now) {
    std::size_t idle = 0;
    for (auto const &r : readers_)
        idle += r->where() == reader::phase::idle;
    for (auto &r : readers_) {
        if (due() == 0)
            return;
        if (r->where() != reader::phase::idle)
            continue;
        // Shared out among those who are free.
        std::size_t const max = std::clamp<std::size_t>((due() + idle - 1) / idle, 1, max_streams);
        idle--;
        follower::kind what{};
        auto group = next_group(what, max);
        if (group.empty())
            continue;
        std::size_t rows = 1;
        for (slot const &s : group)
            for (follower *f : s.riders)
                rows = std::max(rows, f->tail->room());
        r->read(what, std::move(group), rows);
    }
    for (std::size_t n = 0; n < readers_.size() && now >= next_connect_; n++)
        if (reader *const next = wanted_reader(coming()))
            next->connect();
}

clock::time_point loop::next_deadline() const noexcept {
    if (refused_)
        return now_;
    auto next = listener_.next_deadline();
    for (auto const &r : readers_)
        next = std::min(next, r->next_deadline());
    if (!followers_.empty())
        next = std::min(next, next_tick_);
    if (!spaced_.empty())
        next = std::min(next, spaced_.front()->not_before);
    if (wanted_reader(coming()) != nullptr)
        next = std::min(next, next_connect_);
    return next;
}

void loop::wait() {
    std::vector<pollfd> fds{{core_.bell.fd(), POLLIN, 0}};
    if (listener_.fd() >= 0)
        fds.push_back({listener_.fd(), listener_.events(), 0});
    for (auto const &r : readers_)
        if (r->fd() >= 0)
            fds.push_back({r->fd(), r->events(), 0});
    around_.wait(fds, next_deadline());
    now_ = around_.now();
    std::size_t at = 0;
    if (fds[at++].revents != 0)
        core_.bell.drain();
    // Steps may close and open sockets, so look by number before anyone does.
    bool const heard = listener_.fd() >= 0 && fds[at++].revents != 0;
    std::vector<reader *> ready;
    for (auto const &r : readers_)
        if (r->fd() >= 0 && fds[at++].revents != 0)
            ready.push_back(r.get());
    if (heard)
        listener_.step();
    for (reader *r : ready)
        r->step();
}

} // namespace internal
} // namespace weir::inline v0
