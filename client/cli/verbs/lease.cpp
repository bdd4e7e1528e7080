// SPDX-License-Identifier: PostgreSQL
//
// weir lease: runs a command while holding a lease, so that one machine at a time does; shows who
// holds what; takes a lease away.
//
// The command finds lease and epoch in its environment, as WEIR_LEASE and WEIR_EPOCH, for the appends that
// it fences. When the lease is lost it gets SIGTERM, and SIGKILL some seconds later.
#include "screen/listing.hpp"
#include "screen/text.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"
#include "weir/lease_guard.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char **environ;

namespace weir::command {

namespace {

struct lease_verb {
    std::optional<std::string> name = {};
    std::vector<std::string> words = {};
    std::string owner = {}, headers = {}, reason = {};
    std::chrono::milliseconds ttl = lease_options().ttl, wait{0};
    bool forever = false, revoke = false, json = false;

    int operator()(command &all) const;

private:
    void list(connection &db) const;
    int hold(command &all) const;
};

constexpr auto grace = std::chrono::seconds(5);

// The command, which may be signalled as long as nobody has waited for it.
class program {
public:
    explicit program(std::vector<std::string> words) {
        std::vector<char *> argv;
        for (std::string &w : words)
            argv.push_back(w.data());
        argv.push_back(nullptr);
        signals::as_before const as_before;
        if (int const e = posix_spawnp(&pid_, argv[0], nullptr, as_before.get(), argv.data(), environ))
            throw failure(e == ENOENT ? not_found : not_executable, words[0] + ": " + std::strerror(e));
    }

    void signal(int number) {
        std::lock_guard const guard(lock_);
        if (!ended_)
            kill(pid_, number);
    }

    // As a shell would say it.
    int wait() {
        siginfo_t info{};
        while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
            ;
        std::lock_guard const guard(lock_);
        ended_ = true;
        int status = 0;
        waitpid(pid_, &status, 0);
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

private:
    pid_t pid_ = 0;
    std::mutex lock_;
    bool ended_ = false;
};

void lease_verb::list(connection &db) const {
    std::string const where = name ? " WHERE name = $1" : "";
    std::optional<std::string_view> const parameter = name ? std::optional<std::string_view>(*name) : std::nullopt;
    if (json)
        return print_json_rows(db, "SELECT * FROM weir.leases" + where + " ORDER BY name", parameter);
    std::string const sql = "SELECT name, state, owner, epoch, CASE WHEN state = 'held' THEN"
                            " floor(extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint END"
                            " FROM weir.leases" +
                            where + " ORDER BY name";
    rows const r = parameter ? db.query(sql, {parameter}) : db.query(sql);
    table t({{"LEASE"}, {"STATE"}, {"OWNER"}, {"EPOCH", true}, {"LEFT", true}});
    for (std::size_t i = 0; i < r.size(); i++)
        t.row({cell(r, i, 0), cell(r, i, 1), cell(r, i, 2), cell(r, i, 3), duration_cell(r, i, 4)});
    print(t);
}

int lease_verb::hold(command &all) const {
    lease_keeper keeper({.connect = {.conninfo = all.server.conninfo(), .application_name = "weir lease"}});
    lease_options o{.owner = owner, .ttl = ttl};
    if (!headers.empty())
        o.headers = headers;
    until const limit = forever ? until(signals::stop()) : until(wait, signals::stop());
    lease_guard guard = forever || wait.count() > 0
                            ? expect(keeper.acquire(*name, o, limit))
                            : expect(keeper.try_acquire(*name, o, {std::chrono::seconds(10), signals::stop()}));
    setenv("WEIR_LEASE", name->c_str(), 1);
    setenv("WEIR_EPOCH", std::to_string(guard.epoch()).c_str(), 1);
    program run(words);
    // An interrupt from the terminal has reached the command already.
    signals::on_signal([&run](int number, bool sent) {
        if (sent)
            run.signal(number);
        return true;
    });
    int status;
    {
        std::jthread const watcher([&](std::stop_token ended) {
            std::mutex lock;
            std::condition_variable_any changed;
            auto const wake = [&] {
                {
                    std::lock_guard const held(lock);
                }
                changed.notify_all();
            };
            std::stop_token const lost = guard.lost();
            std::stop_callback const on_loss(lost, wake);
            std::unique_lock held(lock);
            if (!changed.wait(held, ended, [&] { return lost.stop_requested(); }))
                return;
            run.signal(SIGTERM);
            changed.wait_for(held, ended, grace, [] { return false; });
            if (!ended.stop_requested())
                run.signal(SIGKILL);
        });
        status = run.wait();
    }
    signals::on_signal({});
    if (auto const why = guard.why()) {
        report(*why);
        return refused;
    }
    return status;
}

int lease_verb::operator()(command &all) const {
    connection db = all.server.connect();
    if (revoke) {
        if (!name)
            throw failure(usage, "--revoke needs the name of a lease");
        char const *const user = std::getenv("USER");
        if (!expect(lease(db, *name).revoke(user != nullptr && *user != '\0' ? user : "weir",
                                            reason.empty() ? std::nullopt : std::optional<std::string_view>(reason))))
            throw failure(failed, "nobody holds lease \"" + *name + "\"");
        return done;
    }
    if (!words.empty())
        return hold(all);
    list(db);
    return done;
}

} // namespace

void add_lease(command &all) {
    auto o = std::make_shared<lease_verb>();
    arguments verb(all.line, "lease", "Run a command while holding a lease",
                   R"(weir lease nightly -- ./backup                   not at all where another holds it
weir lease --wait 10m scheduler -- ./scheduler   waits for it
weir lease --forever scheduler -- ./scheduler    stands by
weir lease                                       who holds what
weir lease scheduler --revoke --reason 'draining host-b')");
    verb.place("NAME", o->name, "The lease; none: show all");
    verb.place("COMMAND", o->words, "What to run, behind --; none: show the lease");
    verb.duration("--ttl", o->ttl, "How long it is held without a renewal (30s)");
    auto wait = verb.duration("--wait", o->wait, "How long to wait until it is free");
    verb.flag("--forever", o->forever, "Wait as long as it takes").excludes(wait);
    verb.text("--owner", o->owner, "NAME", "Who holds it (host, process and a random number)");
    verb.text("--headers", o->headers, "JSON", "A JSON object for its history; its namespace names a stream");
    auto revoke = verb.flag("--revoke", o->revoke, "Take it from whoever holds it");
    verb.text("--reason", o->reason, "TEXT", "Why, for its history").needs(revoke);
    verb.flag("-j,--json", o->json, "A JSON object for each lease shown");
    all.run_by(verb, o);
}

} // namespace weir::command
