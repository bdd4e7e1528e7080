// SPDX-License-Identifier: PostgreSQL
#include "session.hpp"

#include "decode.hpp"
#include "failure.hpp"

#include <cstring>
#include <condition_variable>
#include <mutex>
#include <poll.h>
#include <thread>

namespace weir::inline v0 {
namespace internal {

using namespace std::chrono_literals;

// How long a cancelled statement has to say so, before the connection is dropped.
constexpr auto cancel_grace = 250ms;

char const hello_sql[] = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(),"
                         " (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'weir'),"
                         " pg_catalog.current_setting('default_transaction_read_only')::bool";

// What other threads may do to the connection, while there is one. PQcancel() blocks for as long as the network
// likes, so it runs in a thread of its own, with its own hold on the handle.
struct session::canceller {
    std::mutex lock;
    std::shared_ptr<PGcancel> handle;
    int running = 0;
    std::condition_variable ended;

    void set(PGcancel *fresh) {
        std::shared_ptr<PGcancel> next(fresh, libpq_free());
        std::lock_guard const guard(lock);
        handle.swap(next);
    }

    static void start(std::shared_ptr<canceller> const &self) noexcept {
        std::lock_guard const guard(self->lock);
        if (!self->handle)
            return;
        try {
            std::thread([self, handle = self->handle] {
                char why[256];
                PQcancel(handle.get(), why, sizeof why);
                std::lock_guard const done(self->lock);
                self->running--;
                self->ended.notify_all();
            }).detach();
            self->running++;
        } catch (std::exception const &) {
            // No thread, no cancel: the connection is given up soon.
        }
    }

    // A cancel that is still on its way would hit the next statement.
    bool quiet(std::chrono::milliseconds time) {
        std::unique_lock guard(lock);
        return ended.wait_for(guard, time, [this] { return running == 0; });
    }
};

session::session(connection_options options, until const &limit)
    : options_(std::move(options)), to_(options_.conninfo, options_.application_name),
      canceller_(std::make_shared<canceller>()) {
    if (options_.on_notice)
        link_.on_notice(options_.on_notice);
    connect_once(begin(limit));
}

session::~session() { forget_link(); }

void session::forget_link() noexcept {
    link_.close();
    prepared_.clear();
    canceller_->set(nullptr);
}

void session::disconnect() noexcept {
    transaction_lost_ = transaction_lost_ || in_transaction();
    forget_link();
}

until session::begin(until const &limit) noexcept {
    gave_up_.reset();
    return options_.call_timeout.count() > 0 ? limit.sooner(until::clock::now() + options_.call_timeout) : limit;
}

void session::connect_once(until const &limit) {
    forget_link();
    link_.open(to_, options_.connect_timeout);
    until const mine = limit.sooner(link_.connect_by());
    while (!link_.is_open()) {
        woken const w = wait_for(link_.fd(), link_.events(), mine, options_.stop, bell_);
        if (w != woken::ready) {
            bool const ours = w == woken::deadline && !limit.passed();
            forget_link();
            if (w == woken::stop)
                throw error({.from = error::source::stop, .message = "stopped while connecting"});
            throw error({.from = ours ? error::source::connection : error::source::deadline,
                         .message = "timeout expired while connecting"});
        }
        link_.advance();
    }
    canceller_->set(PQgetCancel(link_.get()));
    try {
        hello(mine);
    } catch (...) {
        forget_link();
        throw;
    }
}

void session::hello(until limit) {
    if (PQsendQueryParams(link_.get(), hello_sql, 0, nullptr, nullptr, nullptr, nullptr, 1) == 0)
        lost(describe_lost(link_.get()), false, repeat::allowed);
    pg_result const r = answer(limit, repeat::allowed);
    row const first(r.get(), 0);
    facts_.version = PQserverVersion(link_.get());
    facts_.pooler = first.integer(0) != PQbackendPID(link_.get());
    facts_.standby = first.integer(1) != 0;
    facts_.weir_version = first.text(2).value_or("");
    facts_.read_only = first.integer(3) != 0;
}

void session::connect(until const &limit) {
    backoff pause(50ms, 2s);
    auto const give_up_at = until::clock::now() + options_.retry_time;
    for (;;) {
        try {
            return connect_once(limit);
        } catch (error const &e) {
            if (e.timed_out() || e.stopped() || !e.transient() || until::clock::now() >= give_up_at)
                throw;
            switch (sleep_until(limit.sooner(until::clock::now() + pause.next()), options_.stop, bell_)) {
            case woken::stop:
                throw error({.from = error::source::stop, .message = "stopped while connecting"});
            default:
                if (limit.passed())
                    throw error({.from = error::source::deadline, .message = e.what(), .sqlstate = e.sqlstate()});
            }
        }
    }
}

void session::reconnect(until const &limit) {
    transaction_lost_ = false;
    connect(begin(limit));
}

void session::require_transaction() const {
    if (transaction_lost_)
        throw error({.from = error::source::connection,
                     .message = "the transaction was lost with its connection",
                     .sqlstate = "25P02",
                     .hint = "Roll back, and do the whole transaction again."});
}

PGconn *session::ready(until const &limit) {
    require_transaction();
    bool const within = in_transaction(); // a link that is found broken does not tell any more
    if (link_.is_open() && (!canceller_->quiet(cancel_grace) || !link_.alive())) {
        transaction_lost_ = within;
        forget_link();
        require_transaction();
    }
    if (!link_.is_open())
        connect(limit);
    within_ = in_transaction();
    return link_.get();
}

bool session::push(repeat again) {
    bool const all = link_.flush();
    if (!all && link_.lost())
        lost(describe_lost(link_.get()), true, again);
    return all;
}

void session::exchange(bool writing, until &limit, repeat again) {
    short const events = static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN);
    woken const w = wait_for(link_.fd(), events, limit, gave_up_ ? std::stop_token() : options_.stop, bell_);
    if (w == woken::ready)
        link_.receive(); // a loss shows in what comes next
    else
        timed_out(w, limit, again);
}

pg_result session::next_result(until &limit, repeat again) {
    while (!link_.lost() && !link_.flush())
        if (!link_.lost())
            exchange(true, limit, again);
    while (!link_.lost() && PQisBusy(link_.get()) != 0)
        exchange(false, limit, again);
    // Nobody waits for notifications here; kept, they would add up.
    while (owned<PGnotify> n{PQnotifies(link_.get())})
        ;
    return pg_result(PQgetResult(link_.get()));
}

pg_result session::answer(until limit, repeat again) {
    pg_result first_error, last;
    while (pg_result r = next_result(limit, again)) {
        switch (PQresultStatus(r.get())) {
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            disconnect();
            transaction_lost_ = false;
            misuse("COPY is not supported on this connection");
        default:
            break;
        }
        if (succeeded(r.get()))
            last = std::move(r);
        else if (!first_error || PQresultErrorField(first_error.get(), PG_DIAG_SQLSTATE) == nullptr)
            first_error = std::move(r);
    }
    if (!first_error && last)
        return last;
    if (!first_error)
        lost(describe_lost(link_.get()), true, again);
    failed(first_error.get(), again);
}

void session::failed(PGresult const *r, repeat again) {
    error::details what = describe(r);
    if (what.from == error::source::connection || link_.lost())
        lost(std::move(what), true, again);
    if (gave_up_ && what.sqlstate == "57014") {
        what.from = *gave_up_ == woken::stop ? error::source::stop : error::source::deadline;
        what.message = *gave_up_ == woken::stop ? "stopped before the server had answered"
                                                : "timeout expired before the server had answered";
    }
    throw error(std::move(what));
}

void session::timed_out(woken why, until &limit, repeat again) {
    if (!gave_up_) {
        gave_up_ = why;
        canceller::start(canceller_);
        limit = until(until::clock::now() + cancel_grace);
        return;
    }
    error::details what{.from = *gave_up_ == woken::stop ? error::source::stop : error::source::deadline,
                        .message = *gave_up_ == woken::stop ? "stopped while the server did not answer"
                                                            : "timeout expired while the server did not answer"};
    what.in_doubt = !within_ && again == repeat::never;
    what.retry_is_safe = !what.in_doubt;
    what.poisons_connection = true;
    transaction_lost_ = within_;
    forget_link();
    throw error(std::move(what));
}

void session::lost(error::details what, bool was_sent, repeat again) {
    what.from = error::source::connection;
    what.poisons_connection = true;
    // Within a transaction that had not been asked to commit there is no doubt; transaction::commit() knows better.
    what.in_doubt = was_sent && !within_ && again == repeat::never && !ended_by_server(what);
    what.retry_is_safe = !what.in_doubt;
    transaction_lost_ = within_;
    forget_link();
    throw error(std::move(what));
}

void session::prepare(statement s, until const &limit) {
    if (is_prepared(s))
        return;
    std::string name = "weir_" + std::to_string(next_name_++);
    if (PQsendPrepare(link_.get(), name.c_str(), s.sql, 0, nullptr) == 0)
        lost(describe_lost(link_.get()), false, repeat::allowed);
    answer(limit, repeat::allowed);
    prepared_.emplace(s.sql, std::move(name));
}

void session::send(statement s, parameters const &p, repeat again) {
    PGconn *c = link_.get();
    auto const v = p.as_libpq();
    auto const name = prepared_.find(s.sql);
    int const sent = name != prepared_.end() ? PQsendQueryPrepared(c, name->second.c_str(), p.size(), v.values.data(),
                                                                   v.lengths.data(), v.formats.data(), 1)
                                             : PQsendQueryParams(c, s.sql, p.size(), nullptr, v.values.data(),
                                                                 v.lengths.data(), v.formats.data(), 1);
    if (sent == 0)
        lost(describe_lost(c), false, again);
}

pg_result session::once(statement s, parameters const &p, repeat again, until const &limit) {
    prepare(s, limit);
    send(s, p, again);
    return answer(limit, again);
}

std::vector<pg_result> session::all_once(std::span<request const> requests, repeat again, until limit) {
    for (request const &r : requests)
        prepare(r.what, limit);
    PGconn *c = link_.get();
    PQenterPipelineMode(c);
    for (request const &r : requests)
        send(r.what, r.with, again);
    if (PQpipelineSync(c) == 0)
        lost(describe_lost(c), true, again);
    std::vector<pg_result> all;
    pg_result first_error;
    for (bool synced = false; !synced;) {
        pg_result r = next_result(limit, again);
        if (link_.lost() && (!r || !succeeded(r.get())))
            lost(r ? describe(r.get()) : describe_lost(c), true, again);
        if (!r)
            continue; // the end of one statement's results
        if (PQresultStatus(r.get()) == PGRES_PIPELINE_SYNC)
            synced = true;
        else if (succeeded(r.get()))
            all.push_back(std::move(r));
        else if (!first_error && PQresultStatus(r.get()) != PGRES_PIPELINE_ABORTED)
            first_error = std::move(r);
    }
    PQexitPipelineMode(c);
    if (first_error)
        failed(first_error.get(), again);
    return all;
}

template <class F> auto session::repeatedly(repeat again, until const &limit, F &&call) {
    auto const give_up_at = until::clock::now() + options_.retry_time;
    bool prepared_anew = false;
    for (;;) {
        ready(limit);
        try {
            return call();
        } catch (error const &e) {
            // Somebody deallocated what was prepared, or made the extension anew under it.
            if ((e.sqlstate() == "26000" || e.sqlstate() == "0A000") && !within_ && !prepared_anew) {
                prepared_.clear();
                prepared_anew = true;
                continue;
            }
            if (within_ || again == repeat::never || e.from() != error::source::connection ||
                until::clock::now() >= give_up_at)
                throw;
        }
    }
}

pg_result session::run(statement s, parameters const &p, repeat again, until const &wanted) {
    until const limit = begin(wanted);
    return repeatedly(again, limit, [&] { return once(s, p, again, limit); });
}

std::vector<pg_result> session::run_all(std::span<request const> requests, repeat again) {
    until const limit = begin();
    return repeatedly(again, limit, [&] { return all_once(requests, again, limit); });
}

pg_result session::run_text(std::string_view sql, std::span<std::optional<std::string_view> const> values) {
    until const limit = begin();
    std::string const text(sql);
    std::vector<std::string> held;
    std::vector<char const *> pointers;
    held.reserve(values.size());
    for (auto const &v : values) {
        if (v && v->find('\0') != v->npos)
            misuse("a parameter in text form cannot hold a NUL byte", "22021");
        pointers.push_back(v ? held.emplace_back(*v).c_str() : nullptr);
    }
    PGconn *c = ready(limit);
    int const n = static_cast<int>(values.size());
    if (PQsendQueryParams(c, text.c_str(), n, nullptr, pointers.data(), nullptr, nullptr, 0) == 0)
        lost(describe_lost(c), false, repeat::never);
    return answer(limit, repeat::never);
}

void session::execute(std::string_view sql) {
    until const limit = begin();
    std::string const text(sql);
    PGconn *c = ready(limit);
    if (PQsendQuery(c, text.c_str()) == 0)
        lost(describe_lost(c), false, repeat::never);
    answer(limit, repeat::never);
}

void session::cancel() noexcept { canceller::start(canceller_); }

server_facts session::facts() const {
    server_facts now = facts_;
    auto reported = [this](char const *name, bool &value) {
        if (char const *text = link_.is_open() ? PQparameterStatus(link_.get(), name) : nullptr)
            value = std::strcmp(text, "on") == 0;
    };
    if (!now.pooler) { // which reports what it was told once
        reported("in_hot_standby", now.standby);
        reported("default_transaction_read_only", now.read_only);
    }
    return now;
}

int session::backend_pid() const noexcept { return link_.is_open() ? PQbackendPID(link_.get()) : 0; }

bool session::in_transaction() const noexcept {
    if (transaction_lost_)
        return true;
    if (!link_.is_open())
        return false;
    PGTransactionStatusType const status = PQtransactionStatus(link_.get());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

} // namespace internal
} // namespace weir::inline v0
