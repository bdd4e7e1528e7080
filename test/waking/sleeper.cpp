// SPDX-License-Identifier: PostgreSQL
#include "sleeper.hpp"

#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace waking {

sleeper::sleeper(const options &o, shared &s, kind k, unsigned n)
    : which(k), opt(o), common(s), number(n), db(o.conninfo), wakeup(eventfd(0, EFD_NONBLOCK)) {
    bool all = which == kind::many || which == kind::watch;
    for (unsigned i = 0; i < opt.streams; ++i) {
        if (!all && i != number % opt.streams)
            continue;
        tails.push_back(std::make_unique<tail>());
        tails.back()->stream = i;
    }
}

sleeper::~sleeper() {
    if (thread.joinable())
        thread.join();
    ::close(wakeup);
}

void sleeper::start() {
    thread = std::thread([this] {
        run();
        ended = true;
    });
}

void sleeper::prod() {
    prodded = true;
    std::uint64_t one = 1;
    (void)!::write(wakeup, &one, sizeof one);
    char message[256];
    if (ready_to_cancel)
        PQcancel(canceller.get(), message, sizeof message);
}

bool sleeper::reached(const std::vector<position> &heads) const {
    for (const auto &t : tails)
        if (t->cursor < heads[t->stream])
            return false;
    return true;
}

std::string sleeper::whereabouts(const std::vector<position> &heads) const {
    std::string out = names_of_kinds[static_cast<unsigned>(which)];
    for (const auto &t : tails)
        if (t->cursor < heads[t->stream])
            return out + ", " + opt.stream(t->stream) + ": read to " + std::to_string(t->cursor) + " of " +
                   std::to_string(heads[t->stream]);
    return out;
}

// Reads to the end of what is settled.
bool sleeper::look(tail &t) {
    ++common.looks;
    for (;;) {
        checker::result r = db.execute("SELECT id::bigint, mode FROM weir.read($1, $2::bigint::weir.position)",
                                       {opt.stream(t.stream), std::to_string(t.cursor.load())});
        // Prodded just as it had been woken.
        if (r.sqlstate() == "57014")
            continue;
        if (!r.ok()) {
            common.complain("read: " + r.sqlstate() + " " + r.message());
            return false;
        }
        if (r.rows() == 0)
            return true;
        t.cursor = r.integer(r.rows() - 1, 0);
        t.closed = std::strcmp(r.value(r.rows() - 1, 1), "close") == 0;
    }
}

bool sleeper::look_at_open() {
    for (auto &t : tails)
        if (!t->closed && !look(*t))
            return false;
    return true;
}

// False: timed_out, or prodded.
bool sleeper::wait_for_socket(int timeout_ms, bool *timed_out) {
    pollfd on[] = {{PQsocket(db.raw()), POLLIN, 0}, {wakeup, POLLIN, 0}};
    int got = ::poll(on, 2, timeout_ms);
    *timed_out = got == 0;
    std::uint64_t count;
    if (got > 0 && (on[1].revents & POLLIN))
        (void)!::read(wakeup, &count, sizeof count);
    return PQconsumeInput(db.raw()) == 1;
}

bool sleeper::sleep_in_call() {
    std::vector<std::string> streams;
    std::string cursors;
    for (auto &t : tails) {
        if (t->closed)
            continue;
        streams.push_back(opt.stream(t->stream));
        cursors += (cursors.empty() ? "" : ",") + std::to_string(t->cursor.load());
    }
    checker::result r =
        which == kind::wait
            ? db.execute("CALL weir.wait($1, $2::bigint::weir.position, '60 min')", {streams[0], cursors})
            : db.execute("CALL weir.wait_many($1, $2::bigint[]::weir.position[], '60 min')",
                         {checker::array_literal(streams), "{" + cursors + "}"});
    if (r.sqlstate() == "57014") // prodded
        return true;
    if (!r.ok() || std::strcmp(r.value(0, 1), "timeout") == 0) {
        common.complain("wait: " + (r.ok() ? "not ready after an hour" : r.sqlstate() + " " + r.message()));
        return false;
    }
    ++common.rings;
    return true;
}

// {"stream": "position", …}, or nothing: look everywhere. Names are free of quotes.
void sleeper::take(const char *payload) {
    if (which == kind::listen || *payload == '\0') {
        named.assign(named.size(), true);
        return;
    }
    std::string start = "\"" + opt.run + "/";
    for (const char *at = payload; (at = std::strstr(at, start.c_str())); ++at) {
        unsigned long stream = std::strtoul(at + start.size(), nullptr, 10);
        if (stream < named.size())
            named[stream] = true;
    }
}

bool sleeper::sleep_on_socket() {
    named.assign(opt.streams, false);
    bool timed_out = false, woken = false;
    while (!woken && !timed_out && !prodded) {
        while (PGnotify *n = PQnotifies(db.raw())) {
            take(n->extra);
            woken = true;
            PQfreemem(n);
        }
        if (!woken && !prodded && !wait_for_socket(opt.listen_poll, &timed_out)) {
            common.complain(std::string("a listener lost its connection: ") + PQerrorMessage(db.raw()));
            return false;
        }
    }
    ++(woken ? common.rings : common.polls);
    if (!woken)
        named.assign(opt.streams, true);
    prodded = false;
    return true;
}

checker::result sleeper::prepare_to_call() {
    static constexpr const char *levels[] = {"read committed", "repeatable read", "serializable"};
    // A timer that is left over from having waited for a lock would wake it.
    checker::result r =
        db.execute("SELECT set_config('statement_timeout', '0', false), set_config('deadlock_timeout', '1h', false)");
    return r.ok() ? db.execute("SELECT set_config('weir.poll_interval', $1, false), "
                               "set_config('default_transaction_isolation', $2, false)",
                               {std::to_string(opt.wait_poll), levels[number % std::size(levels)]})
                  : std::move(r);
}

checker::result sleeper::begin_to_listen() {
    checker::result r =
        db.execute("SELECT format('LISTEN %I', CASE WHEN $2 THEN weir.channel() ELSE weir.channel($1) END)",
                   {opt.stream(tails[0]->stream), which == kind::watch ? "true" : "false"});
    return r.ok() ? db.execute(r.value(0, 0)) : std::move(r);
}

void sleeper::run() {
    if (!db.connect()) {
        common.complain("a reader cannot connect: " + db.error());
        return;
    }
    canceller.reset(PQgetCancel(db.raw()));
    bool calls = which == kind::wait || which == kind::many;
    ready_to_cancel = calls;
    checker::result r = calls ? prepare_to_call() : begin_to_listen();
    if (!r.ok())
        common.complain("setup: " + r.sqlstate() + " " + r.message());
    bool going = r.ok() && look_at_open();
    for (;;) {
        bool open = false;
        for (auto &t : tails)
            open = open || !t->closed;
        if (!open || !going)
            return;
        going = calls ? sleep_in_call() : sleep_on_socket();
        for (auto &t : tails)
            if (going && !t->closed && (calls || named[t->stream]))
                going = look(*t);
    }
}

} // namespace waking
