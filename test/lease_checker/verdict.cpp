// SPDX-License-Identifier: PostgreSQL
#include "verdict.hpp"

#include <algorithm>
#include <iostream>
#include <set>
#include <tuple>

namespace leases {

namespace {

const char *const claims[] = {
    "no epoch of a lease was given out twice",
    "epochs ascend: whoever asks after an answer gets a higher one",
    "once a lease was issued anew, nothing of an old epoch became visible",
    "the writes under a lease lie in the order of their epochs",
    "every write acknowledged under a lease is there once, and none that was refused or rolled back",
    "no lease was lost before its time",
    "nobody worked under a lease, or renewed it, after its time",
    "no acquire was refused in the name of a lease whose time was over",
    "the history tells of every issuance, renewal and end once",
    "and in an order that leases can take",
    "no call failed in a way that it may not",
};
static_assert(std::size(claims) == static_cast<std::size_t>(claim::count_));

template <class T> void add(std::vector<T> &to, const std::vector<T> &from) {
    to.insert(to.end(), from.begin(), from.end());
}

using epoch_key = std::pair<unsigned, std::int64_t>;

bool issues(const std::string &type) { return type == "acquired" || type == "reclaimed"; }
bool ends(const std::string &type) { return type == "released" || type == "revoked" || type == "expired"; }

} // namespace

verdict::verdict(const options &options_, const std::vector<record> &records) : o(options_) {
    for (const record &r : records) {
        add(all.grants, r.grants);
        add(all.refusals, r.refusals);
        add(all.losses, r.losses);
        add(all.acts, r.acts);
        add(all.looks, r.looks);
        add(all.errors, r.errors);
        all.sweeps += r.sweeps;
        all.expired += r.expired;
    }
}

void verdict::violate(claim c, const std::string &what) { violations[static_cast<int>(c)].push_back(what); }

std::string verdict::name(unsigned lease, std::int64_t epoch) const {
    return o.lease(lease) + " at epoch " + std::to_string(epoch);
}

void verdict::fetch(connection &db) {
    const std::string page = "FROM weir.read($1, after => $2::bigint::weir.position, max => 10000) ORDER BY id";
    for (unsigned lease = 0; lease < o.leases; ++lease)
        for (std::int64_t after = 0;;) {
            result r = db.execute("SELECT id::bigint, payload->>'e', payload->>'k' " + page,
                                  {o.lease(lease), std::to_string(after)});
            if (!r.ok())
                violate(claim::errors, r.message());
            if (!r.ok() || r.rows() == 0)
                break;
            for (int i = 0; i < r.rows(); ++i)
                frames[lease].push_back({r.integer(i, 0), r.integer(i, 1), r.integer(i, 2)});
            after = frames[lease].back().id;
        }
    for (std::int64_t after = 0;;) {
        result r = db.execute("SELECT id::bigint, type, payload->>'lease', payload->>'epoch', payload->>'owner', "
                              "payload->>'previous_owner', "
                              "payload->>'reason' " +
                                  page,
                              {o.stream(), std::to_string(after)});
        if (!r.ok())
            violate(claim::errors, r.message());
        if (!r.ok() || r.rows() == 0)
            break;
        for (int i = 0; i < r.rows(); ++i) {
            auto text = [&](int column) { return std::string(r.value(i, column) ? r.value(i, column) : ""); };
            std::string lease = text(2);
            unsigned n = static_cast<unsigned>(std::strtoul(lease.substr(lease.rfind('/') + 1).c_str(), nullptr, 10));
            events[n].push_back({text(1), n, r.integer(i, 3), text(4), text(5), text(6)});
            after = r.integer(i, 0);
        }
    }
}

void verdict::judge_epochs() {
    std::map<epoch_key, int> times;
    std::map<unsigned, std::vector<const grant *>> issued;
    for (const grant &g : all.grants)
        if (g.issued && g.committed) {
            if (++times[{g.lease, g.epoch}] == 2)
                violate(claim::unique, name(g.lease, g.epoch));
            issued[g.lease].push_back(&g);
        }
    for (auto &[lease, grants] : issued) {
        auto answered = grants;
        std::sort(grants.begin(), grants.end(), [](auto a, auto b) { return a->at.from < b->at.from; });
        std::sort(answered.begin(), answered.end(), [](auto a, auto b) { return a->at.to < b->at.to; });
        std::int64_t greatest = 0;
        std::size_t known = 0;
        for (const grant *g : grants) {
            for (; known < answered.size() && answered[known]->at.to < g->at.from; ++known)
                greatest = std::max(greatest, answered[known]->epoch);
            if (g->epoch <= greatest)
                violate(claim::ascending, name(lease, g->epoch) + " after " + std::to_string(greatest));
        }
    }
}

void verdict::judge_fences() {
    for (const look &l : all.looks)
        for (const frame &f : frames[l.lease])
            if (f.epoch < l.epoch && f.id > l.last) {
                violate(claim::fenced,
                        name(l.lease, f.epoch) + ", seen after " + std::to_string(l.epoch) + " was issued");
                break;
            }
    for (auto &[lease, list] : frames) {
        std::int64_t epoch = 0;
        for (const frame &f : list) {
            if (f.epoch < epoch)
                violate(claim::in_order, name(lease, f.epoch) + " behind " + std::to_string(epoch));
            epoch = std::max(epoch, f.epoch);
        }
    }
}

void verdict::judge_writes() {
    std::map<std::int64_t, int> there;
    for (auto &[lease, list] : frames)
        for (const frame &f : list)
            ++there[f.key];
    std::size_t expected = 0;
    for (const act &a : all.acts)
        if (a.what == deed::write && a.committed) {
            ++expected;
            if (there[a.key] != 1)
                violate(claim::writes, name(a.lease, a.epoch) + ": write " + std::to_string(a.key) + " is there " +
                                           std::to_string(there[a.key]) + " times");
        }
    std::size_t found = 0;
    for (auto &[lease, list] : frames)
        found += list.size();
    if (found != expected)
        violate(claim::writes, std::to_string(found) + " frames, " + std::to_string(expected) + " acknowledged writes");
}

// A grant lasts at least from.ttl and at most to.ttl. What was granted in a transaction
// counts at its latest even if that was rolled back: its own calls saw it.
void verdict::judge_times() {
    std::map<epoch_key, std::vector<const grant *>> of_epoch;
    std::map<unsigned, std::vector<const grant *>> of_lease;
    for (const grant &g : all.grants) {
        of_epoch[{g.lease, g.epoch}].push_back(&g);
        of_lease[g.lease].push_back(&g);
    }
    // The least time until which an epoch was surely live, as of a moment: each renewal
    // replaces what was granted before, so the last one that was answered by then counts.
    auto surely_live_until = [&](unsigned lease, std::int64_t epoch, std::int64_t asked) {
        std::int64_t until = 0, latest = 0;
        for (const grant *g : of_epoch[{lease, epoch}])
            if (g->committed && g->at.to < asked && g->at.from > latest) {
                latest = g->at.from;
                until = g->at.from + g->ttl;
            }
        return until;
    };
    // Issued over an epoch that nobody ended.
    std::set<epoch_key> ended;
    for (auto &[lease, list] : events)
        for (const event &e : list)
            if (e.type == "released" || e.type == "revoked")
                ended.insert({lease, e.epoch});
    // Who names an epoch gone by is told first of what became of the one since.
    auto superseded = [&](const loss &l) {
        return std::any_of(of_lease[l.lease].begin(), of_lease[l.lease].end(),
                           [&](auto g) { return g->epoch > l.epoch && g->at.from < l.at.to; });
    };
    for (const loss &l : all.losses)
        if (l.sqlstate == "WR012" && !ended.contains({l.lease, l.epoch}) && !superseded(l) &&
            l.at.to < surely_live_until(l.lease, l.epoch, l.at.from))
            violate(claim::not_early, name(l.lease, l.epoch) + ": refused as expired");

    for (auto &[lease, list] : of_lease) {
        std::vector<const grant *> issued;
        std::copy_if(list.begin(), list.end(), std::back_inserter(issued),
                     [](auto g) { return g->issued && g->committed; });
        std::sort(issued.begin(), issued.end(), [](auto a, auto b) { return a->epoch < b->epoch; });
        for (std::size_t i = 1; i < issued.size(); ++i) {
            const grant *before = issued[i - 1], *g = issued[i];
            if (before->owner != g->owner && !ended.contains({lease, before->epoch}) &&
                g->at.to < surely_live_until(lease, before->epoch, g->at.from))
                violate(claim::not_early, name(lease, before->epoch) + ": issued to another");
        }
    }

    auto over_by = [&](const std::vector<const grant *> &grants, std::int64_t before) {
        std::int64_t until = 0;
        for (const grant *g : grants)
            if (g->at.from < before)
                until = std::max(until, g->at.to + g->ttl);
        return until;
    };
    for (const act &a : all.acts)
        if (a.what != deed::revoke && a.at.from > over_by(of_epoch[{a.lease, a.epoch}], a.at.from))
            violate(claim::not_late, name(a.lease, a.epoch));
    for (const grant &g : all.grants)
        if (!g.issued) {
            std::vector<const grant *> others;
            for (const grant *other : of_epoch[{g.lease, g.epoch}])
                if (other != &g)
                    others.push_back(other);
            if (g.at.from > over_by(others, g.at.from))
                violate(claim::not_late, name(g.lease, g.epoch) + ": renewed");
        }
    for (const refusal &r : all.refusals) {
        std::vector<const grant *> theirs;
        for (const grant *g : of_lease[r.lease])
            if (g->owner == r.held_by)
                theirs.push_back(g);
        if (r.at.from > over_by(theirs, r.at.to))
            violate(claim::not_held_up, o.lease(r.lease) + ", held by " + r.held_by);
    }
}

void verdict::judge_sequence(unsigned lease, const std::vector<event> &list) {
    const event *issued = nullptr;
    std::string last;
    for (const event &e : list) {
        std::string what = name(lease, e.epoch) + ": " + e.type + " after " + (last.empty() ? "nothing" : last);
        if (issues(e.type)) {
            bool again = e.reason == "acquired again by its owner";
            bool ok = issued == nullptr ||
                      (e.epoch > issued->epoch && (again ? !ends(last) && e.owner == issued->owner : ends(last)));
            if (issued && e.type == "reclaimed" && !again)
                ok = ok && last == "expired";
            if (e.type == "acquired")
                ok = ok && last != "expired";
            if (issued && !e.previous.empty())
                ok = ok && e.previous == issued->owner;
            if (!ok)
                violate(claim::owners, what);
            issued = &e;
        } else if (issued == nullptr || e.epoch != issued->epoch || e.owner != issued->owner || ends(last)) {
            violate(claim::owners, what);
        }
        last = e.type;
    }
}

void verdict::judge_history() {
    using line = std::tuple<unsigned, std::string, std::int64_t>;
    std::map<line, int> told, done;
    for (auto &[lease, list] : events) {
        // A lease that was forgotten after it expired is acquired, not reclaimed: to be seen
        // by its previous owner, who is then unknown.
        for (const event &e : list)
            if (e.type != "expired")
                ++told[{lease, issues(e.type) ? "issued" : e.type, e.epoch}];
        std::vector<event> known;
        for (const event &e : list) {
            if (e.type == "acquired" && e.previous.empty()) {
                judge_sequence(lease, known);
                if (!known.empty() && e.epoch <= known.back().epoch)
                    violate(claim::owners, name(lease, e.epoch) + ": forgotten, and not above");
                known.clear();
            }
            known.push_back(e);
        }
        judge_sequence(lease, known);
    }
    for (const grant &g : all.grants)
        if (g.committed)
            ++done[{g.lease, g.issued ? "issued" : "renewed", g.epoch}];
    std::map<unsigned, int> revoked_done, revoked_told;
    for (const act &a : all.acts) {
        if (a.committed && a.what == deed::release)
            ++done[{a.lease, "released", a.epoch}];
        if (a.what == deed::revoke)
            ++revoked_done[a.lease];
    }
    for (auto &[what, times] : told)
        if (std::get<1>(what) == "revoked")
            revoked_told[std::get<0>(what)] += times;
        else if (done[what] != times)
            violate(claim::history, name(std::get<0>(what), std::get<2>(what)) + ": " + std::get<1>(what) + " told " +
                                        std::to_string(times) + " times, done " + std::to_string(done[what]));
    for (auto &[what, times] : done)
        if (times > 0 && !told.contains(what))
            violate(claim::history,
                    name(std::get<0>(what), std::get<2>(what)) + ": " + std::get<1>(what) + " not told");
    if (revoked_done != revoked_told)
        violate(claim::history, "revocations told are not those done");
}

void verdict::judge() {
    judge_epochs();
    judge_fences();
    judge_writes();
    judge_times();
    judge_history();
    for (const std::string &e : all.errors)
        violate(claim::errors, e);
}

bool verdict::report() {
    bool good = true;
    for (int c = 0; c < static_cast<int>(claim::count_); ++c) {
        const auto &list = violations[c];
        std::cout << (list.empty() ? "ok - " : "not ok - ") << claims[c] << '\n';
        for (std::size_t i = 0; i < list.size() && i < 5; ++i)
            std::cout << "# " << list[i] << '\n';
        good = good && list.empty();
    }
    std::map<std::string, std::size_t> told, lost;
    for (auto &[lease, list] : events)
        for (const event &e : list)
            ++told[e.type];
    for (const loss &l : all.losses)
        ++lost[l.sqlstate];
    std::size_t written = 0;
    for (auto &[lease, list] : frames)
        written += list.size();
    bool enough = written > 0 && !all.looks.empty() && !all.refusals.empty() && all.sweeps > 0;
    for (const char *type : {"acquired", "renewed", "expired", "reclaimed", "revoked", "released"})
        enough = enough && told[type] > 0;
    for (const char *state : {"WR010", "WR011", "WR012", "WR013"})
        enough = enough && lost[state] > 0;
    std::cout << (enough ? "ok" : "not ok") << " - all of it happened: every event, every way to lose a lease\n# seed "
              << o.seed << ", " << o.holders << " holders, " << o.leases << " leases; writes " << written
              << ", refused acquires " << all.refusals.size() << ", sweeps " << all.sweeps << " (" << all.expired
              << ")";
    for (auto &[type, n] : told)
        std::cout << ", " << type << ' ' << n;
    for (auto &[state, n] : lost)
        std::cout << ", " << state << ' ' << n;
    std::cout << '\n';
    return good && enough;
}

} // namespace leases
