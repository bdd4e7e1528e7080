// SPDX-License-Identifier: PostgreSQL
//
// COMMIT PREPARED and ROLLBACK PREPARED. See two_phase.hpp.

#include "two_phase.hpp"

namespace checker {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

bool connect_patiently(connection &c, const options &o, shared &s, const char *who) {
    if (c.connected())
        return true;
    for (auto limit = clock::now() + 60s; !c.connect();) {
        if (!o.keep_going || clock::now() > limit || s.give_up) {
            s.violate(claim::errors, std::string(who) + " cannot connect: " + c.error());
            return false;
        }
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

void two_phase::start() {
    thread = std::thread([this] { run(); });
}

bool two_phase::has_room() {
    std::lock_guard hold(lock);
    return waiting.size() < opt.prepared;
}

void two_phase::add(prepared p) {
    std::lock_guard hold(lock);
    waiting.push_back(std::move(p));
}

std::deque<prepared> two_phase::finished() {
    std::lock_guard hold(lock);
    return std::exchange(done, {});
}

void two_phase::stop() {
    no_more = true;
    thread.join();
}

void two_phase::run() {
    for (;;) {
        std::unique_lock hold(lock);
        if (waiting.empty() && no_more)
            return;
        if (waiting.empty() || (!no_more && waiting.front().due > clock::now())) {
            hold.unlock();
            std::this_thread::sleep_for(1ms);
            continue;
        }
        prepared p = waiting.front(); // stays there, as it takes up room
        hold.unlock();
        finish(p);
        hold.lock();
        waiting.pop_front();
        done.push_back(std::move(p));
    }
}

// The gid unknown: it was finished by an answer that got lost, or, where nothing was
// asked of it yet, the PREPARE itself never happened.
void two_phase::finish(prepared &p) {
    while (p.became == status::open) {
        if (!connect_patiently(db, opt, common, "transaction manager")) {
            p.became = status::doubt;
            return;
        }
        result r = db.execute((p.commit ? "COMMIT PREPARED '" : "ROLLBACK PREPARED '") + p.gid + "'");
        if (r.lost()) {
            p.asked = true;
            db.drop();
            ++common.disconnects;
            continue;
        }
        bool unknown = r.sqlstate() == "42704";
        if (!r.ok() && !(unknown && (!p.sure || p.asked)))
            common.violate(claim::errors, "COMMIT/ROLLBACK PREPARED: " + r.sqlstate() + " " + r.message());
        if (!p.commit || (unknown && !p.sure && !p.asked))
            p.became = status::aborted;
        else
            p.became = r.ok() || (p.sure && p.asked) ? status::committed : status::doubt;
    }
}

} // namespace checker
