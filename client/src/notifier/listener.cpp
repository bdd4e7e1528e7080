// SPDX-License-Identifier: PostgreSQL
#include "notifier/listener.hpp"

#include "decode.hpp"
#include "failure.hpp"
#include "json_text.hpp"
#include "notifier/loop.hpp"
#include "parameters.hpp"
#include "session.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::inline v0 {
namespace internal {

using clock = until::clock;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t max_changes = 256; // LISTEN and UNLISTEN of one statement
constexpr auto wait_step = 250ms;        // how long a new tail may have to wait for its turn

error silent(char const *why) { return error({.from = error::source::connection, .message = why}); }

} // namespace

listener::listener(loop &owner) : loop_(owner) {}
listener::~listener() = default;

bool listener::needed() const noexcept { return loop_.needs() > 0 || !channels_.empty(); }

void listener::tell(std::string why, bool lasting) {
    if (phase_ >= phase::idle)
        return;
    why_ = std::move(why);
    lasting_ = lasting;
    publish();
}

void listener::refused(error const &why) {
    if (phase_ >= phase::idle)
        return;
    std::vector<std::shared_ptr<channel::state>> all; // a callback may take channels away
    for (auto const &[key, c] : channels_)
        all.push_back(c);
    for (auto const &c : all)
        c->refuse(why);
}

void listener::publish() {
    std::string why = why_;
    if (how_ == wakeup::wait || how_ == wakeup::poll) {
        why = standby_ ? "a standby has no notifications" : "LISTEN does not work through a transaction pooler";
        if (how_ == wakeup::poll)
            why += ", and weir.wait: " + why_;
    }
    loop_.set_status({.how = how_, .standby = standby_, .pooler = pooler_, .why = std::move(why), .lasting = lasting_});
}

// Connecting.

void listener::connect() {
    try {
        link_.open(loop_.to(), loop_.options().connect_timeout, loop_.now());
        phase_ = phase::connecting;
        deadline_ = link_.connect_by();
    } catch (error const &e) {
        loop_.could_not_connect(e);
    }
}

void listener::greet() {
    phase_ = phase::greeting;
    deadline_ = loop_.now() + loop_.options().answer_timeout;
    result_.reset();
    error_.reset();
    PQsendQueryParams(link_.get(), hello_sql, 0, nullptr, nullptr, nullptr, nullptr, 1);
    link_.flush();
}

void listener::greeted(PGresult const *r) {
    row const first(r, 0);
    pooler_ = first.integer(0) != PQbackendPID(link_.get());
    standby_ = first.integer(1) != 0;
    bool const listens = !standby_ && (!pooler_ || loop_.options().session_pooler);
    how_ = listens ? (wide_ ? wakeup::database : wakeup::channels) : has_wait_ ? wakeup::wait : wakeup::poll;
    phase_ = phase::idle;
    task_ = task::none;
    deadline_ = until::never;
    last_answer_ = idle_since_ = loop_.now();
    why_.clear();
    lasting_ = false;
    loop_.connected();
    publish(); // before anyone is told that he is heard
    for (auto &[name, s] : spots_)
        queue(*s);
    for (auto &[name, s] : loop_.streams())
        loop_.cover(*s, !listens);
    for (auto &[key, c] : channels_)
        c->set(listens ? channel::state::hearing::not_yet : channel::state::hearing::useless);
    // What was notified while it was not connected. Channels are told once they are heard again.
    if (std::exchange(was_connected_, true))
        loop_.ring_all();
    if (!listens)
        for (auto const &[key, c] : channels_)
            tell_of_missed(*c);
}

void listener::tell_of_missed(channel::state &c) {
    if (std::exchange(c.missed, false))
        (*c.on_payload)(std::nullopt);
}

void listener::lost(error const &why) {
    bool const was_open = phase_ >= phase::idle;
    close();
    if (was_open) {
        loop_.lost_connection();
        tell(why.what());
    } else {
        loop_.could_not_connect(why);
    }
}

void listener::give_up(std::string why) {
    if (phase_ >= phase::idle) {
        loop_.counts().connections--;
        loop_.counts().lost++;
    }
    close();
    tell(std::move(why));
}

void listener::close() {
    if (phase_ >= phase::idle)
        for (auto &[name, s] : loop_.streams())
            loop_.cover(*s, false);
    for (auto const &[key, c] : channels_)
        c->set(channel::state::hearing::not_yet);
    link_.close();
    phase_ = phase::closed;
    task_ = task::none;
    how_ = wakeup::none;
    has_wait_ = true;
    deadline_ = until::never;
    result_.reset();
    error_.reset();
    waited_.clear();
    dropped_.clear();
    closed_.clear();
    changed_.clear();
    changing_.clear();
    for (followed_stream *s : std::exchange(naming_, {}))
        unnamed_.push_back(s);
    // Nobody hears anything now; what nobody wants is forgotten.
    for (auto s = spots_.begin(); s != spots_.end();) {
        if (s->second->in_force)
            for (channel::state *c : s->second->users)
                c->missed = true;
        s->second->in_force = s->second->changing = s->second->queued = false;
        s = s->second->wanted() ? std::next(s) : spots_.erase(s);
    }
    loop_.counts().channels = 0;
}

// What there is to do.

void listener::begin(task t, clock::time_point answer_by) {
    task_ = t;
    phase_ = phase::busy;
    deadline_ = answer_by;
    result_.reset();
    error_.reset();
    link_.flush();
}

void listener::act(clock::time_point now) {
    if (phase_ == phase::closed) {
        if (now >= next_deadline())
            connect();
        return;
    }
    if (now >= deadline_ && phase_ != phase::idle) {
        if (phase_ == phase::connecting)
            return lost(silent("timeout expired while connecting"));
        return lost(silent("the server did not answer in time"));
    }
    if (phase_ != phase::idle)
        return;
    if (needed())
        idle_since_ = now;
    else if (now - idle_since_ >= loop_.options().idle_time) {
        loop_.counts().connections--;
        was_connected_ = false;
        close();
        return publish();
    }
    bool const busy = listens() ? name_streams(now) || sync(now) : wait_in_server(now);
    if (!busy && now >= silent_until()) {
        PQsendQuery(link_.get(), "SELECT 1");
        begin(task::asking, now + loop_.options().answer_timeout);
    }
}

clock::time_point listener::silent_until() const noexcept { return last_answer_ + loop_.options().answer_timeout; }

clock::time_point listener::next_deadline() const noexcept {
    if (phase_ == phase::closed)
        return needed() ? loop_.may_connect_at() : until::never;
    if (phase_ != phase::idle)
        return deadline_;
    if (!needed())
        return idle_since_ + loop_.options().idle_time;
    return how_ == wakeup::poll ? std::min(silent_until(), next_poll_) : silent_until();
}

// Names too long for a channel of their own are shortened by the server.
bool listener::name_streams(clock::time_point now) {
    if (unnamed_.empty() || wide_)
        return false;
    parameters p;
    p.begin(element::text, unnamed_.size());
    for (followed_stream const *s : unnamed_)
        p.add(s->name);
    p.end();
    naming_ = std::exchange(unnamed_, {});
    auto const v = p.as_libpq();
    PQsendQueryParams(link_.get(), "SELECT weir.channel(s) FROM unnest($1::text[]) s", 1, nullptr, v.values.data(),
                      v.lengths.data(), v.formats.data(), 1);
    begin(task::naming, now + loop_.options().answer_timeout);
    return true;
}

void listener::named(PGresult const *r) {
    auto const streams = std::exchange(naming_, {});
    for (std::size_t i = 0; i < streams.size(); i++)
        if (streams[i] != nullptr && !wide_ && static_cast<int>(i) < PQntuples(r)) {
            spot &s = use(std::string(row(r, static_cast<int>(i)).raw(0)));
            s.streams.push_back(streams[i]);
            streams[i]->at = &s;
            if (s.heard()) {
                loop_.cover(*streams[i], true);
                loop_.ring(*streams[i], {});
            }
        }
}

bool listener::sync(clock::time_point now) {
    if (changed_.empty())
        return false;
    // What is to be heard first: going over to another channel then leaves no moment without either.
    std::stable_sort(changed_.begin(), changed_.end(),
                     [](spot const *a, spot const *b) { return a->wanted() && !b->wanted(); });
    std::string sql;
    std::vector<spot *> later;
    for (spot *s : std::exchange(changed_, {})) {
        s->queued = false;
        if (s->wanted() == s->in_force) {
            if (!s->wanted())
                spots_.erase(spots_.find(s->name));
        } else if (changing_.size() < max_changes) {
            owned<char> const quoted(PQescapeIdentifier(link_.get(), s->name.data(), s->name.size()));
            if (!quoted) { // not in the encoding of the connection: nobody can notify it
                for (channel::state *c : s->users)
                    c->set(channel::state::hearing::useless);
                continue;
            }
            sql.append(s->wanted() ? "LISTEN " : "UNLISTEN ").append(quoted.get()).append(";");
            s->changing = true;
            changing_.push_back(s);
        } else {
            s->queued = true;
            later.push_back(s);
        }
    }
    changed_ = std::move(later);
    if (changing_.empty())
        return false;
    PQsendQuery(link_.get(), sql.c_str());
    begin(task::syncing, now + loop_.options().answer_timeout);
    return true;
}

void listener::synced() {
    auto const changed = std::exchange(changing_, {});
    for (spot *s : changed) {
        s->changing = false;
        s->in_force = !s->in_force;
        s->in_force ? loop_.counts().channels++ : loop_.counts().channels--;
    }
    for (spot *s : changed) {
        if (s->wanted() != s->in_force)
            queue(*s);
        else if (s->wanted())
            in_force(*s);
        else
            spots_.erase(spots_.find(s->name));
    }
}

// From here on it rings. What was there before is read now.
void listener::in_force(spot const &s) {
    for (channel::state *c : s.users) {
        c->set(channel::state::hearing::yes);
        tell_of_missed(*c);
    }
    for (followed_stream *f : s.streams) {
        loop_.cover(*f, true);
        loop_.ring(*f, {});
    }
    if (&s != everything_)
        return;
    for (auto const &[name, f] : loop_.streams())
        loop_.cover(*f, true);
    loop_.ring_all();
}

bool listener::wait_in_server(clock::time_point now) {
    if (!has_wait_) {
        if (now >= next_poll_) {
            next_poll_ = now + loop_.options().poll;
            loop_.ring_all();
        }
        return false;
    }
    waited_ = loop_.parked();
    std::erase_if(waited_, [&](follower const *f) { return closed_.contains(f->stream->name); });
    if (waited_.empty())
        return false;
    parameters p;
    p.begin(element::text, waited_.size());
    for (follower const *f : waited_)
        p.add(f->stream->name);
    p.end().begin(element::int8, waited_.size());
    for (follower const *f : waited_) // of one that was dropped, for whatever comes under its name
        p.add(dropped_.contains(f->stream->name) ? position::least().value() : f->cursor.value());
    p.end().integer(static_cast<std::int32_t>(wait_step.count()));
    auto const v = p.as_libpq();
    PQsendQueryParams(link_.get(),
                      "CALL weir.wait_many($1::text[], $2::int8[]::weir.position[], $3::int4 * interval '1 ms')", 3,
                      nullptr, v.values.data(), v.lengths.data(), v.formats.data(), 1);
    begin(task::waiting, now + wait_step + loop_.options().answer_timeout);
    return true;
}

void listener::waited(PGresult const *r) {
    auto const waited = std::exchange(waited_, {});
    if (PQntuples(r) != 1 || row(r, 0).is_null(2)) // the time is over
        return;
    std::string const reason(row(r, 0).raw(1)), name(row(r, 0).raw(2));
    if (reason == "dropped")
        dropped_.insert(name);
    else
        dropped_.erase(name);
    if (reason == "closed") // behind its end: left to the slow poll
        closed_.insert(name);
    for (follower *f : waited)
        if (f != nullptr && f->stream->name == name)
            loop_.ring(*f->stream, {});
}

void listener::could_not_wait(error const &why) {
    for (follower *f : std::exchange(waited_, {}))
        if (f != nullptr)
            loop_.ring(*f->stream, {}); // if it is about one of them, reading finds out which
    if (why.transient() || as_refusal(why))
        return;
    has_wait_ = false;
    why_ = why.what();
    how_ = wakeup::poll;
    publish();
}

// What comes.

void listener::step() {
    if (phase_ == phase::connecting) {
        try {
            if (link_.advance() == link::phase::open)
                greet();
        } catch (error const &e) {
            lost(e);
        }
        return;
    }
    link_.receive();
    link_.flush();
    while (link_.is_open() && (phase_ == phase::busy || phase_ == phase::greeting) && PQisBusy(link_.get()) == 0) {
        pg_result r(PQgetResult(link_.get()));
        if (!r) {
            task_ended();
            break;
        }
        (succeeded(r.get()) ? result_ : error_) = std::move(r);
    }
    while (link_.is_open()) {
        owned<PGnotify> const n(PQnotifies(link_.get()));
        if (!n)
            break;
        last_answer_ = loop_.now();
        hear(*n);
    }
    if (link_.is_open() && link_.lost())
        lost(error(describe_lost(link_.get())));
}

void listener::task_ended() {
    last_answer_ = loop_.now();
    if (link_.lost())
        return;
    if (phase_ == phase::greeting)
        return result_ && !error_ ? greeted(result_.get())
               : error_           ? lost(error(describe(error_.get())))
                                  : lost(silent("the server did not say what it is"));
    phase_ = phase::idle;
    deadline_ = until::never;
    task const was = std::exchange(task_, task::none);
    if (error_) {
        error const why(describe(error_.get()));
        if (why.from() == error::source::connection)
            return; // the loss follows
        if (was == task::waiting)
            return could_not_wait(why);
        if (was != task::naming) // nothing of the rest goes wrong on a connection that is well
            return lost(why);
        naming_.clear(); // no privilege, no extension: reading says so
        return;
    }
    switch (was) {
    case task::naming:
        named(result_.get());
        break;
    case task::syncing:
        synced();
        break;
    case task::waiting:
        waited(result_.get());
        break;
    default:
        break;
    }
    // Promoted: now there are notifications.
    char const *const standby = PQparameterStatus(link_.get(), "in_hot_standby");
    if (standby_ && !pooler_ && standby != nullptr && std::strcmp(standby, "off") == 0) {
        loop_.counts().connections--;
        loop_.counts().connects--;
        greet();
    }
}

void listener::hear(PGnotify const &n) {
    loop_.counts().notifications++;
    std::string_view const payload = n.extra == nullptr ? "" : n.extra;
    auto const found = spots_.find(n.relname);
    if (found == spots_.end())
        return; // on its way when it was given up
    spot const &s = *found->second;
    auto const at = [](std::string_view text) -> std::optional<position> {
        try {
            return position::parse(text);
        } catch (error const &) {
            return {};
        }
    };
    for (followed_stream *f : s.streams)
        loop_.ring(*f, at(payload));
    if (&s == everything_ && !for_each_member(payload, [&](std::string_view name, std::string_view newest) {
            loop_.ring(name, at(newest));
        }))
        loop_.ring_all();
    for (channel::state *c : s.users)
        (*c->on_payload)(payload);
}

} // namespace internal
} // namespace weir::inline v0
