// SPDX-License-Identifier: PostgreSQL
//
// A group is what lies between two syncs of libpq's pipeline mode: one implicit
// transaction, which the server commits when it comes to the sync. So what became of
// an append is known for good only when the answer to the sync is here.
#include "weir/pipeline.hpp"

#include "calls.hpp"
#include "decode.hpp"
#include "failure.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace weir::inline v0 {

using namespace internal;

position append_outcome::value() const {
    if (auto const *why = std::get_if<refusal>(&what))
        why->raise();
    if (auto const *e = std::get_if<error>(&what))
        throw *e;
    return std::get<position>(what);
}

struct pipeline::state {
    struct group {
        std::size_t first = 0;
        std::vector<bool> keyed = {};
        std::vector<std::variant<position, refusal, error>> outcomes = {};
        bool failed = false;
    };

    session &on;
    std::function<void(append_outcome const &)> on_outcome;
    pipeline_options options;
    std::size_t sent = 0;
    std::deque<group> groups; // the last one is open where `open`
    bool open = false;
    bool entered = false;

    state(session &s, std::function<void(append_outcome const &)> f, pipeline_options const &o)
        : on(s), on_outcome(std::move(f)), options(o) {
        options.group = std::max(options.group, 1);
        options.groups = std::max(options.groups, 1);
    }

    void enter(statement s, until const &limit) {
        if (entered && on.is_prepared(s) && !on.wire().lost())
            return;
        if (entered) {
            finish();
        } else if (on.in_transaction()) {
            misuse("a pipeline needs a connection that is not in a transaction", "25001");
        }
        on.ready(limit);
        on.prepare(s, limit);
        PQenterPipelineMode(on.wire().get());
        entered = true;
    }

    std::size_t append(keeping how, std::string_view stream, payload what, append_options const &o) {
        parameters p;
        p.raw(stream);
        add_payload(p, what);
        add_options(p, how, o);
        return send(append_statement(how, what.kind()), p, o);
    }

    std::size_t send(statement s, parameters const &p, append_options const &o) {
        until limit = on.begin();
        enter(s, limit);
        if (!open) {
            groups.push_back({.first = sent});
            open = true;
        }
        guarded([&] { on.send(s, p, repeat::never); });
        groups.back().keyed.push_back(o.idempotency_key.has_value());
        std::size_t const number = sent++;
        if (groups.back().keyed.size() >= static_cast<std::size_t>(options.group)) {
            sync();
            while (groups.size() >= static_cast<std::size_t>(options.groups))
                receive_group(limit);
        }
        return number;
    }

    void sync() {
        if (!open)
            return;
        open = false;
        guarded([&] {
            if (PQpipelineSync(on.wire().get()) == 0)
                on.lost(describe_lost(on.wire().get()), true, repeat::never);
            on.push(repeat::never);
        });
    }

    // The answers to the oldest group, which has been synced.
    void receive_group(until &limit) {
        bool synced = false;
        while (!synced)
            guarded([&] { synced = take(on.next_result(limit, repeat::never)); });
        deliver();
    }

    // True where that was the answer to the sync.
    bool take(pg_result r) {
        if (on.wire().lost() && (!r || !succeeded(r.get())))
            on.lost(r ? describe(r.get()) : describe_lost(on.wire().get()), true, repeat::never);
        if (!r)
            return false; // the end of one append's results
        group &g = groups.front();
        switch (PQresultStatus(r.get())) {
        case PGRES_PIPELINE_SYNC:
            return true;
        case PGRES_TUPLES_OK:
            g.outcomes.emplace_back(row(r.get(), 0).at(0));
            return false;
        case PGRES_PIPELINE_ABORTED:
            g.outcomes.emplace_back(error(aborted()));
            return false;
        default:
            break;
        }
        error::details what = describe(r.get());
        if (what.from == error::source::connection)
            on.lost(std::move(what), true, repeat::never);
        if (g.outcomes.size() == g.keyed.size()) {
            // After the last append: the commit failed.
            for (auto &o : g.outcomes)
                o = error(what);
        } else if (auto const why = refusal_reason(what.sqlstate)) {
            g.outcomes.emplace_back(refusal{*why, what.message, what.detail, what.hint});
        } else {
            g.outcomes.emplace_back(error(std::move(what)));
        }
        g.failed = true;
        return false;
    }

    static error::details aborted() {
        return {.message = "another append of the same group failed, and so did this one",
                .sqlstate = "25P02",
                .hint = "Append it again."};
    }

    void deliver() {
        group g = std::move(groups.front());
        groups.pop_front();
        for (std::size_t i = 0; i < g.keyed.size(); i++) {
            // What came before the failure was rolled back with it.
            if (g.failed && g.outcomes[i].index() == 0)
                g.outcomes[i] = error(aborted());
            on_outcome({g.first + i, std::move(g.outcomes[i])});
        }
    }

    // What takes the connection away leaves all that is unanswered in doubt.
    template <class F> void guarded(F &&f) {
        try {
            f();
        } catch (error const &e) {
            if (!e.poisons_connection())
                throw;
            entered = open = false;
            auto unanswered = std::exchange(groups, {});
            for (group const &g : unanswered)
                for (std::size_t i = 0; i < g.keyed.size(); i++)
                    on_outcome({g.first + i, error({.from = e.from(),
                                                    .message = e.what(),
                                                    .sqlstate = e.sqlstate(),
                                                    .in_doubt = true,
                                                    .retry_is_safe = g.keyed[i],
                                                    .poisons_connection = true})});
            throw;
        }
    }

    void finish() {
        until limit = on.begin();
        sync();
        while (!groups.empty())
            receive_group(limit);
        if (std::exchange(entered, false))
            PQexitPipelineMode(on.wire().get());
    }
};

pipeline::pipeline(connection &db, std::function<void(append_outcome const &)> on_outcome,
                   pipeline_options const &options)
    : state_(std::make_unique<state>(db.session(), std::move(on_outcome), options)) {}

pipeline::~pipeline() {
    if (!state_->entered)
        return;
    // Answers that nobody took would meet the next call.
    if (state_->groups.empty())
        PQexitPipelineMode(state_->on.wire().get());
    else
        state_->on.disconnect();
}

std::size_t pipeline::append(std::string_view stream, payload what, append_options const &o) {
    return state_->append(keeping::durable, stream, what, o);
}

std::size_t pipeline::append_best_effort(std::string_view stream, payload what, append_options const &o) {
    return state_->append(keeping::best_effort, stream, what, o);
}

std::size_t pipeline::append_patch(std::string_view stream, std::string_view patch, append_options const &o) {
    parameters p;
    p.raw(stream).jsonb(patch);
    add_options(p, keeping::durable, o);
    return state_->send(append_patch_statement(), p, o);
}

void pipeline::flush() {
    state_->sync();
    // Answers that are here already, without waiting for others.
    auto &on = state_->on;
    while (!state_->groups.empty() && on.wire().alive() && PQisBusy(on.wire().get()) == 0) {
        until limit = on.begin();
        bool synced = false;
        state_->guarded([&] { synced = state_->take(on.next_result(limit, repeat::never)); });
        if (synced)
            state_->deliver();
    }
}

void pipeline::finish() { state_->finish(); }

} // namespace weir::inline v0
