// SPDX-License-Identifier: PostgreSQL
#include "doctor/checks.hpp"

#include "screen/text.hpp"
#include "shell/bell.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "weir/notifier.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace weir::command {

namespace {

using namespace std::chrono_literals;

// A row, by column.
class answer {
public:
    explicit answer(rows r) : rows_(std::move(r)) {}
    std::size_t size() const { return rows_.size(); }
    std::string text(std::size_t column, std::size_t row = 0) const {
        return rows_.empty() ? "" : std::string(rows_.at(row, column).value_or(""));
    }
    bool is(std::size_t column, std::size_t row = 0) const { return text(column, row) == "t"; }
    long long number(std::size_t column, std::size_t row = 0) const {
        return std::strtoll(text(column, row).c_str(), nullptr, 10);
    }

private:
    rows rows_;
};

struct patient {
    connector &server;
    connection &db;
    std::function<void(finding const &)> const &found;
    server_facts facts = db.server();
    bool may_read = false, may_write = false;

    answer ask(std::string_view sql) const { return answer(db.query(sql)); }
    void good(char const *about, std::string text) const { found({verdict::good, about, std::move(text), {}}); }
    void note(char const *about, std::string text, std::string advice = {}) const {
        found({verdict::note, about, std::move(text), std::move(advice)});
    }
    void problem(char const *about, std::string text, std::string advice) const {
        found({verdict::problem, about, std::move(text), std::move(advice)});
    }
};

void check_connection(patient &p) {
    auto const a = p.ask("SELECT current_user, current_database(), host(inet_server_addr()), inet_server_port(),"
                         " current_setting('server_version'), (SELECT s.version FROM pg_stat_ssl s WHERE s.pid = "
                         "pg_backend_pid() AND s.ssl)");
    std::string way = a.text(2).empty() ? "through a local socket" : "at " + a.text(2) + " port " + a.text(3);
    if (!a.text(5).empty())
        way += ", " + a.text(5);
    p.good("connection", "as \"" + a.text(0) + "\" to database \"" + a.text(1) + "\" " + way);
    p.good("server", "PostgreSQL " + a.text(4));
}

bool check_extension(patient &p) {
    auto const a = p.ask("SELECT (SELECT extversion FROM pg_extension WHERE extname = 'weir'),"
                         " (SELECT default_version FROM pg_available_extensions WHERE name = 'weir')");
    std::string const here = a.text(0), available = a.text(1);
    if (here.empty()) {
        if (available.empty())
            p.problem("extension", "weir is not installed on this server",
                      "Install it there: make && sudo make install, then CREATE EXTENSION weir.");
        else
            p.problem("extension", "this database has no weir",
                      "CREATE EXTENSION weir, as a superuser, in this database.");
        return false;
    }
    if (!available.empty() && available != here)
        p.note("extension", "weir " + here + ", while " + available + " is installed on the server",
               "ALTER EXTENSION weir UPDATE.");
    else
        p.good("extension", "weir " + here);
    if (here != WEIR_VERSION)
        p.note("command", "this is weir " WEIR_VERSION ", the database has " + here);
    return true;
}

void check_role(patient &p) {
    if (p.facts.standby) {
        auto const a = p.ask(
            "SELECT floor(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint");
        p.note("role",
               "a standby" + (a.text(0).empty()
                                  ? ""
                                  : ", last replayed a commit of " + show_duration(milliseconds(a.number(0))) + " ago"),
               "Reads and tails work here; appends need the primary. Best-effort frames are not on a standby.");
    } else if (p.facts.read_only) {
        p.note("role", "a primary, but transactions are read-only by default",
               "Appends need default_transaction_read_only = off.");
    } else {
        p.good("role", "a primary");
    }
    if (p.facts.pooler)
        p.note("pooler", "there is one in between, as server connections change",
               "Tails wait in the server in place of LISTEN. A direct connection, or session pooling, wakes them at "
               "less cost.");
    else
        p.good("pooler", "none that shows");
}

void check_privileges(patient &p) {
    auto const a = p.ask(R"(
        SELECT has_schema_privilege('weir', 'USAGE')
               AND (SELECT bool_and(has_function_privilege(f.oid, 'EXECUTE')) FROM pg_proc f
                    WHERE f.pronamespace = n.oid AND f.proname = 'read'),
               (SELECT bool_and(has_function_privilege(f.oid, 'EXECUTE')) FROM pg_proc f
                WHERE f.pronamespace = n.oid AND f.proname = 'append'),
               (SELECT bool_and(has_function_privilege(f.oid, 'EXECUTE')) FROM pg_proc f
                WHERE f.pronamespace = n.oid AND f.proname = 'trim'),
               quote_literal(current_user)
        FROM pg_namespace n WHERE n.nspname = 'weir')");
    p.may_read = a.is(0);
    p.may_write = p.may_read && a.is(1);
    std::string const who = a.text(3);
    if (!p.may_read)
        p.problem("privileges", "this role may do nothing with weir",
                  "As an owner of the extension: SELECT weir.grant_access(" + who + ", 'read');");
    else if (!p.may_write)
        p.note("privileges", "this role may read", "To append: SELECT weir.grant_access(" + who + ", 'write');");
    else
        p.good("privileges", a.is(2) ? "read, write and admin" : "read and write");
}

void check_doorbell(patient &p) {
    auto const a = p.ask("SELECT mode, worker_available, failures, held_back, worker_pid FROM weir.doorbell");
    if (a.text(0) == "off")
        p.problem("doorbell", "weir.doorbell is off: tails only poll",
                  "ALTER SYSTEM SET weir.doorbell = 'worker'; SELECT pg_reload_conf();");
    else if (a.text(0) == "transaction")
        p.note(
            "doorbell",
            "transactions notify by themselves (weir.doorbell = transaction), which makes commits wait for each other");
    else if (!p.facts.standby && !a.is(1))
        p.problem("doorbell", "no worker can be had, so transactions have to notify by themselves",
                  "Raise max_worker_processes (it needs a restart), and look into the server's log.");
    else
        p.good("doorbell", std::string("sent by a worker") +
                               (a.text(4).empty() ? ", none is needed just now" : ", pid " + a.text(4)));
    if (a.number(2) > 0)
        p.note("doorbell", plural(a.number(2), "worker", "workers") + " failed since the server started",
               "The server's log says why.");
    if (a.number(3) > 0)
        p.note("doorbell",
               "held back " + plural(a.number(3), "time", "times") + " for a nearly full notification queue");
}

// From here through the worker and back.
void check_ring(patient &p) {
    if (p.facts.standby || p.facts.pooler || !p.may_write)
        return;
    bell wakeup;
    std::atomic<bool> heard = false;
    std::string const channel = "weir doctor " + std::to_string(p.db.backend_pid());
    notifier by({.conninfo = p.server.conninfo(), .application_name = "weir doctor"});
    auto const ear = by.listen(channel, [&](std::optional<std::string_view> payload) {
        if (payload)
            heard = true, wakeup.ring();
    });
    bool const listening = ear.listening(until(3s, signals::stop()));
    auto const sent = std::chrono::steady_clock::now();
    p.db.query("SELECT weir.notify($1, 'here')", {channel});
    while (listening && !heard && signals::caught() == 0 && std::chrono::steady_clock::now() < sent + 3s)
        wakeup.wait(100);
    double const ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - sent).count();
    char took[32];
    std::snprintf(took, sizeof took, "%.1f ms", ms);
    if (heard)
        p.good("wakeup", std::string("from commit to a listener here in ") + took);
    else
        p.problem("wakeup", "a notification did not arrive within 3 s",
                  "Is a pooler in between, or weir.doorbell off? See also the server's log.");
}

void check_settings(patient &p) {
    auto const a = p.ask("SELECT name, setting || coalesce(unit, '') FROM pg_settings WHERE name LIKE 'weir.%' AND "
                         "setting <> boot_val ORDER BY name");
    std::string changed;
    for (std::size_t i = 0; i < a.size(); i++)
        changed.append(changed.empty() ? "" : ", ").append(a.text(0, i)).append(" = ").append(a.text(1, i));
    if (changed.empty())
        p.good("settings", "weir's own are at their defaults");
    else
        p.note("settings", changed);
    auto const s = p.ask("SELECT current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',"
                         " current_setting('synchronous_commit') <> 'off', "
                         "current_setting('idle_in_transaction_session_timeout') <> '0',"
                         " current_setting('server_encoding') = 'UTF8'");
    if (!s.is(0) || !s.is(1))
        p.problem("settings",
                  std::string(s.is(0) ? "full_page_writes" : "fsync") +
                      " is off: a crash may damage the whole database",
                  "Set it to on.");
    if (!s.is(2))
        p.note("settings", "synchronous_commit is off: a crash may take the last durable frames with it");
    if (!s.is(3))
        p.note("settings",
               "idle_in_transaction_session_timeout is 0: who appends and goes idle holds its readers back without end",
               "Set it to a minute or so, for the roles that append.");
    if (!s.is(4))
        p.note("settings", "the database's encoding is not UTF8: text beyond it is refused",
               "weir pipe sends such text as bytes.");
}

void check_blockers(patient &p) {
    auto const a = p.ask(R"(
        SELECT log, coalesce(pid::text, ''), coalesce(gid, ''), floor(extract(epoch FROM age) * 1000)::bigint,
               concat_ws(', ', nullif(application_name, ''), state), quote_literal(coalesce(gid, ''))
        FROM weir.blockers WHERE age > interval '5 s' ORDER BY age DESC LIMIT 5)");
    if (a.size() == 0)
        p.good("blockers", "nobody holds readers back");
    for (std::size_t i = 0; i < a.size(); i++) {
        std::string const age = show_duration(milliseconds(a.number(3, i)));
        if (!a.text(2, i).empty())
            p.problem("blockers",
                      "stream \"" + a.text(0, i) + "\" is held by the prepared transaction \"" + a.text(2, i) +
                          "\" for " + age,
                      "COMMIT PREPARED " + a.text(5, i) + ", or ROLLBACK PREPARED.");
        else
            p.problem("blockers",
                      "stream \"" + a.text(0, i) + "\" is held by pid " + a.text(1, i) + " (" + a.text(4, i) +
                          ") for " + age,
                      "It has to commit or roll back; SELECT pg_terminate_backend(" + a.text(1, i) + ") makes it.");
    }
}

void check_streams(patient &p) {
    auto const a = p.ask("SELECT count(*), coalesce(max(lead_ms), 0), sum(bytes) FROM weir.streams");
    p.good("streams", plural(a.number(0), "stream", "streams") + ", " + show_bytes(a.number(2)));
    if (a.number(1) > 1000)
        p.note("clock", "positions run " + show_duration(milliseconds(a.number(1))) + " ahead of the server's clock",
               "The clock was set back. Order holds; times shown are ahead until the clock has caught up.");
}

void check_queue(patient &p) {
    if (p.facts.standby)
        return;
    auto const a = p.ask("SELECT floor(pg_notification_queue_usage() * 100)::int");
    if (a.number(0) >= 50)
        p.problem("queue", "the server's queue of notifications is " + a.text(0) + "% full",
                  "Some session listens within a long transaction: see pg_stat_activity for the oldest xact_start.");
}

} // namespace

void check_everything(connector &server, std::function<void(finding const &)> const &found) {
    connection db = server.connect_to_any();
    patient p{server, db, found};
    auto check = [&](char const *about, void (*what)(patient &)) {
        try {
            what(p);
        } catch (error const &e) {
            if (e.stopped() || e.from() == error::source::connection)
                throw;
            p.problem(about, std::string("could not be checked: ") + e.what(), e.hint());
        }
    };
    check("connection", check_connection);
    if (!check_extension(p))
        return;
    check("role", check_role);
    check("privileges", check_privileges);
    if (!p.may_read)
        return;
    check("doorbell", check_doorbell);
    check("wakeup", check_ring);
    check("settings", check_settings);
    check("blockers", check_blockers);
    check("streams", check_streams);
    check("queue", check_queue);
}

} // namespace weir::command
