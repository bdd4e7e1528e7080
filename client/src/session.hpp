// SPDX-License-Identifier: PostgreSQL
//
// What is behind a connection: a link that is made again when it was lost, statements
// prepared on first use, deadlines and stops for every wait, and the one place that
// decides whether a call may be made a second time.
//
//   nothing was sent yet           a new link, and on
//   sent, and repeatable           a new link, and once more
//   sent, and not repeatable       in doubt
//   within a transaction           the transaction is gone: every call fails until it is ended
//
// A session whose transaction was lost must not go on outside of it: see transaction_lost_.
#pragma once

#include "backoff.hpp"
#include "link.hpp"
#include "parameters.hpp"
#include "wait.hpp"
#include "weir/connection.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::inline v0 {
namespace internal {

// A statement of the library: text that lives as long as the program.
struct statement {
    char const *sql;
};

// Whether doing it twice is doing it once.
enum class repeat { never, allowed };

class session {
public:
    session(connection_options options, until const &limit);
    ~session();

    // Results in binary form. Throws weir::error.
    pg_result run(statement s, parameters const &p, repeat again, until const &limit = {});
    // Several, in one transaction and one round trip: a result each.
    struct request {
        statement what;
        parameters with;
    };
    std::vector<pg_result> run_all(std::span<request const> requests, repeat again);
    // Text of the user's, results in text form. Without parameters it may be several statements.
    pg_result run_text(std::string_view sql, std::span<std::optional<std::string_view> const> values);
    void execute(std::string_view sql);

    void reconnect(until const &limit);
    void disconnect() noexcept;
    void cancel() noexcept;

    server_facts facts() const;
    int backend_pid() const noexcept;
    bool in_transaction() const noexcept;
    void call_timeout(std::chrono::milliseconds time) noexcept { options_.call_timeout = time; }
    std::stop_token const &stop() const noexcept { return options_.stop; }

    // For whoever drives the link himself, as a pipeline does.

    // Gives a link that is there; makes it where need be. What follows on it is one call.
    PGconn *ready(until const &limit);
    // The limit of a call that begins now.
    until begin(until const &limit = {}) noexcept;
    // Prepares a statement, unless it is, or must not be. Not in pipeline mode.
    void prepare(statement s, until const &limit);
    bool is_prepared(statement s) const { return facts_.pooler || prepared_.contains(s.sql); }
    // Sends a statement in pipeline mode; it has to be prepared already.
    void send(statement s, parameters const &p, repeat again);
    // The next result of what was sent, none at its end. Throws where the time is over or a stop was requested; the
    // server is asked to cancel first, and if it still answers, that answer counts.
    pg_result next_result(until &limit, repeat again);
    // Sends what libpq holds as far as the socket takes it; true where that is all.
    bool push(repeat again);
    // Waits until something can be read, or also written, and reads.
    void exchange(bool writing, until &limit, repeat again);
    // The connection broke: gives it up and throws what that means for the call.
    [[noreturn]] void lost(error::details what, bool was_sent, repeat again);
    // Of a result that did not succeed.
    [[noreturn]] void failed(PGresult const *r, repeat again);
    link &wire() noexcept { return link_; }
    // The transaction that was lost with its connection is nobody's any more.
    void transaction_ended() noexcept { transaction_lost_ = false; }

private:
    void connect(until const &limit); // goes on trying, with backoff
    void connect_once(until const &limit);
    void hello(until limit);
    // Does a call, again where that is allowed.
    template <class F> auto repeatedly(repeat again, until const &limit, F &&call);
    pg_result once(statement s, parameters const &p, repeat again, until const &limit);
    std::vector<pg_result> all_once(std::span<request const> requests, repeat again, until limit);
    // All results of one statement: the last one. Throws its error.
    pg_result answer(until limit, repeat again);
    void timed_out(woken why, until &limit, repeat again);
    void require_transaction() const;
    void forget_link() noexcept;

    connection_options options_;
    conninfo to_;
    waker bell_;
    link link_;
    server_facts facts_;
    bool within_ = false;           // a transaction was open when this call began
    bool transaction_lost_ = false; // and its connection with it
    std::optional<woken> gave_up_;  // this call was cancelled by ourselves, and why
    std::unordered_map<char const *, std::string> prepared_;
    int next_name_ = 1;
    struct canceller;
    std::shared_ptr<canceller> canceller_; // shared with cancel() in other threads
};

// Asked on every new connection: pid, in recovery, weir's version or NULL, read-only.
extern char const hello_sql[];

} // namespace internal
} // namespace weir::inline v0
