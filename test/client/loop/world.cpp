// SPDX-License-Identifier: PostgreSQL
#include "world.hpp"

#include <algorithm>
#include <cstring>
#include <libpq-fe.h>
#include <map>
#include <memory>

// libpq's own name for it.
struct pg_conn : test::connection {};

namespace test {

using namespace std::chrono_literals;
using clock = until::clock;

namespace {

constexpr auto max_sleep = 11s; // any limit of the tests' options
constexpr int max_idle_rounds = 4;
constexpr std::size_t max_events = 500;
constexpr int backend = 4711;
constexpr char null[] = "NULL";

world *present = nullptr;
std::map<PGresult const *, std::string> sqlstates;

std::string number(std::int64_t n, int bytes) {
    std::string s;
    for (int i = bytes; i-- > 0;)
        s.push_back(static_cast<char>(n >> (8 * i)));
    return s;
}

// One row at the most.
PGresult *result(ExecStatusType status, std::vector<std::string> const &values, std::string const &sqlstate = {}) {
    PGresult *const r = PQmakeEmptyPGresult(nullptr, status);
    std::vector<PGresAttDesc> columns(values.size());
    static char name[] = "c";
    for (auto &c : columns)
        c = {name, 0, 0, 1, 0, -1, -1};
    if (!values.empty())
        PQsetResultAttrs(r, static_cast<int>(values.size()), columns.data());
    for (std::size_t i = 0; i < values.size(); i++) {
        std::string v = values[i];
        PQsetvalue(r, 0, static_cast<int>(i), v.data(), v == null ? -1 : static_cast<int>(v.size()));
    }
    sqlstates[r] = sqlstate;
    return r;
}

} // namespace

int explorer::choose(int of) {
    if (at_ == path_.size())
        path_.push_back({0, of});
    return path_[at_++].taken;
}

bool explorer::next() {
    runs_++;
    at_ = 0;
    while (!path_.empty() && path_.back().taken + 1 == path_.back().of)
        path_.pop_back();
    if (path_.empty())
        return false;
    path_.back().taken++;
    return true;
}

world::world(explorer &by, limits max) : by_(by), left_(max) { present = this; }
world::~world() { present = nullptr; }

std::string world::trace() const {
    std::string all;
    for (std::string const &s : trace_)
        all.append(all.empty() ? "" : ", ").append(s);
    return all.substr(0, 2000);
}

void world::append() {
    frames_++;
    notify("weir:s");
}

void world::close_stream() {
    append();
    closed_ = frames_;
}

void world::drop_stream() {
    dropped_ = frames_;
    closed_ = 0;
}

void world::notify(std::string const &channel) {
    for (auto const &c : connections_)
        if (c->now == connection::state::open && c->channels.contains(channel))
            c->heard.push_back(channel);
}

// Twice a round. Time may have passed since somebody looked last.
clock::time_point world::now() {
    if (!calm_ && left_.slips > 0 && by_.choose(2) == 1) {
        left_.slips--;
        now_ += 100ms;
        trace_.push_back("time slips");
    }
    return now_;
}

std::chrono::milliseconds world::any(std::chrono::milliseconds max) { return calm_ || by_.choose(2) == 0 ? max : 0ms; }

void world::wait(std::vector<pollfd> &fds, clock::time_point limit) {
    for (pollfd &p : fds)
        p.revents = 0;
    if (fds.empty()) { // a pause
        now_ = std::max(now_, limit);
        return;
    }
    if (wrong.empty())
        wrong = fault(limit);
    bool const woken = ::poll(fds.data(), 1, 0) > 0;
    auto const readable = [this] {
        return std::any_of(connections_.begin(), connections_.end(), [](auto const &c) { return c->news; });
    };
    if (!woken && !readable()) {
        auto events = possible(limit, limit <= now_);
        if (events.empty()) { // until somebody wants something
            now_ += 1h;
            calm_ = true;
            return;
        }
        bool const open = !calm_ && events.size() > 1;
        event const e = std::move(events[open ? by_.choose(static_cast<int>(events.size())) : 0]);
        if (limit > now_ && !calm_ && --left_.events <= 0)
            calm_ = true;
        left_.mishaps -= e.mishap;
        trace_.push_back(e.name);
        rounds_ = e.name == "time" && limit <= now_ ? rounds_ + 1 : 0;
        e.happens();
        (void)::poll(fds.data(), 1, 0);
    }
    for (auto const &c : connections_)
        for (pollfd &p : fds)
            if (p.fd == c->number && c->news)
                p.revents = POLLIN;
    for (auto const &c : connections_)
        if (std::none_of(fds.begin(), fds.end(), [&c](pollfd const &p) { return p.fd == c->number; }) && c->news)
            wrong = "a connection that nobody waits for";
}

// What may be true of no wait.
std::string world::fault(clock::time_point limit) const {
    if (wanted() && limit > now_ + max_sleep)
        return "asleep for ever, and something is wanted";
    if (trace_.size() > max_events)
        return "so much happens that time stands still";
    if (rounds_ > max_idle_rounds)
        return "awake without end, and nothing happens";
    return {};
}

world::event world::next_of_script() {
    return {script.front().first, [this] {
                auto const what = script.front().second;
                script.pop_front();
                what();
            }};
}

// The first one is what happens where all goes well.
std::vector<world::event> world::possible(clock::time_point limit, bool time_only) {
    std::vector<event> all;
    event const time{"time", [this, limit] { now_ = std::max(now_, limit); }};
    if (time_only)
        return {time};
    if (calm_ && !script.empty())
        return {next_of_script()};
    for (auto const &each : connections_) {
        connection &c = *each;
        std::string const name = "#" + std::to_string(c.number - 1000) + " ";
        bool const mishaps = left_.mishaps > 0 && !calm_;
        if (c.now == connection::state::connecting) {
            all.push_back({name + "is open", [&c] { c.now = connection::state::open, c.news = true; }});
            if (mishaps)
                all.push_back({name + "is refused", [this, &c] { lose(c, connection::state::refused); }, true});
        } else if (c.now == connection::state::open) {
            if (!c.statement.empty() && !c.answered)
                all.push_back({name + "answers " + c.statement.substr(0, 6) + " " + std::to_string(c.after),
                               [this, &c] { answer(c, true); }});
            if (!c.heard.empty())
                all.push_back({name + "is notified", [&c] {
                                   c.arrived.push_back(c.heard.front());
                                   c.heard.pop_front();
                                   c.news = true;
                               }});
            if (mishaps)
                all.push_back({name + "is lost", [this, &c] { lose(c, connection::state::lost); }, true});
            if (mishaps && !c.statement.empty() && !c.answered)
                all.push_back({name + "fails " + c.statement.substr(0, 6), [this, &c] { answer(c, false); }, true});
        }
    }
    if (!script.empty())
        all.push_back(next_of_script());
    if (limit != until::never)
        all.push_back(time);
    return all;
}

void world::lose(connection &c, connection::state how) {
    bool const refused = how == connection::state::refused;
    c.now = how;
    c.error = !refused                ? "server closed the connection unexpectedly"
              : left_.refusal.empty() ? "connection to server failed: Connection refused"
                                      : "connection to server failed: FATAL:  " + left_.refusal + ": refused";
    c.channels.clear();
    c.heard.clear();
    c.news = true;
}

connection *world::connect() {
    auto c = std::make_unique<pg_conn>();
    c->number = numbers_++;
    connections_.push_back(std::move(c));
    return connections_.back().get();
}

void world::close(connection *c) {
    for (PGresult *r : c->results)
        PQclear(r);
    std::erase_if(connections_, [c](auto const &each) { return each.get() == c; });
}

void world::send(connection &c, std::string statement, std::int64_t after) {
    c.statement = std::move(statement);
    c.after = after;
    c.answered = false;
}

void world::answer(connection &c, bool well) {
    std::string const &s = c.statement;
    auto const has = [&s](char const *part) { return s.find(part) != s.npos; };
    auto const give = [&c](PGresult *r) { c.results.push_back(r); };
    if (!well || (left_.every_read_fails && has("weir.read_many"))) {
        failed_reads_ += has("weir.read_many");
        give(result(PGRES_FATAL_ERROR, {}, left_.failure));
        if (left_.fatal)
            lose(c, connection::state::lost);
    } else if (has("pg_is_in_recovery")) {
        std::string const pid = number(left_.pooler ? backend + 1 : backend, 4);
        give(result(PGRES_TUPLES_OK, {pid, number(0, 1), "0.1", number(0, 1)}));
    } else if (has("LISTEN")) {
        for (std::size_t at = 0; (at = s.find('"', at)) != s.npos;) {
            std::size_t const end = s.find('"', at + 1);
            std::string const channel = s.substr(at + 1, end - at - 1);
            bool const un = at >= 9 && s.compare(at - 9, 9, "UNLISTEN ") == 0;
            un ? static_cast<void>(c.channels.erase(channel)) : static_cast<void>(c.channels.insert(channel));
            at = end + 1;
        }
        give(result(PGRES_COMMAND_OK, {}));
    } else if (has("weir.read_many")) {
        for (std::int64_t n = std::max(c.after, dropped_) + 1; n <= frames_; n++)
            give(result(PGRES_SINGLE_TUPLE,
                        {"s", number(n, 8), n == closed_ ? "close" : "durable", null, null, null, null}));
        give(result(PGRES_TUPLES_OK, {}));
    } else if (has("weir.wait_many")) {
        bool const news = frames_ > std::max(c.after, dropped_);
        bool const dropped = frames_ == dropped_ && c.after > 0;
        bool const closed = closed_ > 0 && c.after >= closed_;
        bool const over = !news && !dropped && !closed;
        if (over)
            now_ += 250ms; // which it was to wait
        char const *const reason = news ? "frames" : dropped ? "dropped" : closed ? "closed" : "timeout";
        give(result(PGRES_TUPLES_OK, {number(news, 1), reason, over ? null : "s"}));
    } else {
        give(result(PGRES_COMMAND_OK, {}));
    }
    c.results.push_back(nullptr);
    c.answered = c.news = true;
}

} // namespace test

// libpq's functions. Results are its own.

using test::connection;
using test::present;

namespace {
std::int64_t cursor_in(int n, char const *const *values, int const *lengths) {
    if (n < 2 || lengths == nullptr || lengths[1] != 32) // an array of one int8
        return 0;
    std::int64_t v = 0;
    for (int i = 24; i < 32; i++)
        v = (v << 8) | static_cast<unsigned char>(values[1][i]);
    return v;
}

int sent(PGconn *c, char const *sql, std::int64_t after) {
    if (c->now != connection::state::open || !c->statement.empty())
        return 0;
    present->send(*c, sql, after);
    return 1;
}
} // namespace

PGconn *PQconnectStartParams(char const *const *, char const *const *, int) {
    return static_cast<PGconn *>(present->connect());
}
void PQfinish(PGconn *c) {
    if (c != nullptr && present != nullptr)
        present->close(c);
}
PostgresPollingStatusType PQconnectPoll(PGconn *c) {
    c->news = false;
    switch (c->now) {
    case connection::state::connecting:
        return PGRES_POLLING_READING;
    case connection::state::open:
        return PGRES_POLLING_OK;
    default:
        return PGRES_POLLING_FAILED;
    }
}
ConnStatusType PQstatus(PGconn const *c) {
    bool const bad = c == nullptr || c->now == connection::state::lost || c->now == connection::state::refused;
    return bad ? CONNECTION_BAD : CONNECTION_OK;
}
int PQsocket(PGconn const *c) { return c == nullptr ? -1 : c->number; }
char *PQerrorMessage(PGconn const *c) { return const_cast<char *>(c == nullptr ? "" : c->error.c_str()); }
int PQconnectionNeedsPassword(PGconn const *) { return 0; }
int PQbackendPID(PGconn const *) { return test::backend; }
char const *PQparameterStatus(PGconn const *, char const *) { return nullptr; }
PQconninfoOption *PQconninfo(PGconn *) { return PQconninfoParse("", nullptr); }
PGVerbosity PQsetErrorVerbosity(PGconn *, PGVerbosity) { return PQERRORS_DEFAULT; }
PQnoticeReceiver PQsetNoticeReceiver(PGconn *, PQnoticeReceiver, void *) { return nullptr; }
int PQsetSingleRowMode(PGconn *) { return 1; }
int PQsetnonblocking(PGconn *, int) { return 0; }
int PQflush(PGconn *c) { return c->now == connection::state::lost ? -1 : 0; }

int PQconsumeInput(PGconn *c) {
    c->news = false;
    return c->now != connection::state::lost;
}
int PQisBusy(PGconn *c) { return c->now == connection::state::open && !c->statement.empty() && !c->answered; }
PGresult *PQgetResult(PGconn *c) {
    if (c->results.empty()) {
        if (c->now != connection::state::lost || c->statement.empty())
            return nullptr;
        c->statement.clear();
        return test::result(PGRES_FATAL_ERROR, {});
    }
    PGresult *const r = c->results.front();
    c->results.pop_front();
    if (r == nullptr)
        c->statement.clear();
    return r;
}
PGnotify *PQnotifies(PGconn *c) {
    if (c->arrived.empty())
        return nullptr;
    std::string const channel = c->arrived.front();
    c->arrived.pop_front();
    // One piece, as libpq has it.
    auto *const n = static_cast<PGnotify *>(std::malloc(sizeof(PGnotify) + channel.size() + 2));
    char *const name = reinterpret_cast<char *>(n + 1);
    std::memcpy(name, channel.c_str(), channel.size() + 1);
    name[channel.size() + 1] = '\0';
    *n = {name, 0, name + channel.size() + 1, nullptr};
    return n;
}
char *PQescapeIdentifier(PGconn *, char const *text, std::size_t length) {
    return strdup(('"' + std::string(text, length) + '"').c_str());
}
char *PQresultErrorField(PGresult const *r, int field) {
    if (field != PG_DIAG_SQLSTATE || test::sqlstates[r].empty())
        return nullptr;
    return test::sqlstates[r].data();
}
int PQsendQuery(PGconn *c, char const *sql) { return sent(c, sql, 0); }
int PQsendPrepare(PGconn *c, char const *, char const *, int, Oid const *) { return sent(c, "PREPARE", 0); }
int PQsendQueryPrepared(PGconn *c, char const *, int n, char const *const *values, int const *lengths, int const *,
                        int) {
    return sent(c, "weir.read_many", cursor_in(n, values, lengths));
}
int PQsendQueryParams(PGconn *c, char const *sql, int n, Oid const *, char const *const *values, int const *lengths,
                      int const *, int) {
    return sent(c, sql, cursor_in(n, values, lengths));
}
