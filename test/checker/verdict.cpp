// SPDX-License-Identifier: PostgreSQL
//
// Histories in, claims out. See verdict.hpp.

#include "verdict.hpp"

#include "dice.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>

namespace checker {

verdict::verdict(const options &o, shared &s, const std::vector<std::unique_ptr<writer>> &w,
                 const std::vector<std::unique_ptr<reader>> &r, const reader &final_read)
    : opt(o), common(s), writers(w), readers(r), truth(final_read.tails) {
    for (const auto &each : writers)
        for (const auto &a : each->attempts)
            tried[a.key] = &a;
    for (const auto &t : truth)
        for (const auto &d : t.seen)
            if (d.key && !where.emplace(d.key, d.id).second)
                common.violate(claim::once, "the last read has a frame twice, at " + text_of(d.id));
}

std::string verdict::name(const attempt &a) const {
    return opt.stream(stream_of(a.key)) + " " + text_of(a.first) + " (" + content_of(a.key).mode + ", transaction " +
           std::to_string(a.transaction) + ")";
}

void verdict::history_against_final() {
    for (const auto &[key, a] : tried) {
        bool there = in_final(*a), lossy = opt.best_effort_is_lossy() && is_best_effort(key);
        if (a->became == status::committed) {
            ++committed;
            if (!there && !lossy)
                common.violate(claim::complete, name(*a) + ": committed, and not in the last read");
        } else if (a->became == status::aborted) {
            ++aborted;
            if (there)
                common.violate(claim::aborted, name(*a) + ": aborted, but in the last read");
        } else {
            ++doubtful;
            if (!opt.keep_going)
                common.violate(claim::errors, name(*a) + ": became of it nobody knows what");
        }
        if (there && a->first && (where.at(key) < a->first || where.at(key) > a->last))
            common.violate(claim::unique, name(*a) + ": is found at " + text_of(where.at(key)));
    }
    for (unsigned s = 0; s < opt.streams; ++s) {
        position previous = 0;
        for (const auto &d : truth[s].seen) {
            if (d.key && !known(d.key))
                common.violate(claim::intact, opt.stream(s) + " " + text_of(d.id) + ": nobody wrote this");
            if (d.id == previous)
                common.violate(claim::unique, opt.stream(s) + ": two frames at " + text_of(d.id));
            previous = d.id;
        }
        if (truth[s].seen.empty() || truth[s].seen.back().key != 0)
            common.violate(claim::last, opt.stream(s) + ": the close mark is not the last frame");
        for (std::size_t i = 0; i + 1 < truth[s].seen.size(); ++i)
            if (truth[s].seen[i].key == 0)
                common.violate(claim::last, opt.stream(s) + ": a frame after the close mark");
    }
}

// The durable frames of a transaction whose end nobody knows: all there, or none.
void verdict::transactions_in_doubt() {
    std::unordered_map<std::uint64_t, std::pair<unsigned, unsigned>> count;
    for (const auto &[key, a] : tried)
        if (a->became == status::doubt && !is_best_effort(key)) {
            auto &[there, missing] = count[a->transaction];
            ++(in_final(*a) ? there : missing);
        }
    for (const auto &[transaction, c] : count)
        if (c.first && c.second)
            common.violate(claim::atomic, "transaction " + std::to_string(transaction) + ": " +
                                              std::to_string(c.first) + " frames are there, " +
                                              std::to_string(c.second) + " are not");
}

void verdict::each_reader() {
    for (const auto &r : readers) {
        bool best_effort = r->with_best_effort && !opt.on_standby() && !opt.naive, lossy = opt.best_effort_is_lossy();
        for (unsigned s = 0; s < opt.streams; ++s) {
            std::string who = "reader " + std::to_string(r->number) + ", " + opt.stream(s);
            std::unordered_map<frame_key, unsigned> times;
            std::size_t closes = 0;
            for (const auto &d : r->tails[s].seen) {
                ++deliveries;
                closes += d.key == 0;
                if (d.key && ++times[d.key] == 2)
                    common.violate(claim::once, who + ": delivered again at " + text_of(d.id));
                const attempt *a = known(d.key);
                if (a && a->became == status::aborted)
                    common.violate(claim::aborted, who + ": delivered " + name(*a) + ", which was rolled back");
                else if (a && !in_final(*a) && !(is_best_effort(d.key) && lossy))
                    common.violate(claim::complete, who + ": delivered " + name(*a) + ", which is gone");
                else if (a && in_final(*a) && where.at(d.key) != d.id)
                    common.violate(claim::unique,
                                   who + ": " + text_of(d.id) + " and " + text_of(where.at(d.key)) + " are one frame");
            }
            for (const auto &d : truth[s].seen)
                if (d.key && (best_effort || !is_best_effort(d.key)) && !(lossy && is_best_effort(d.key)) &&
                    !times.contains(d.key))
                    common.violate(claim::complete, who + ": never delivered " + text_of(d.id));
            if (!opt.naive && (closes != 1 || r->tails[s].seen.back().key != 0))
                common.violate(claim::last, who + ": " + std::to_string(closes) + " close marks, or not last");
        }
    }
}

// A statement that returned n after m returned all that lies between.
void verdict::ranges() {
    auto check = [this](const range_sample &sample, const std::string &who) {
        if (sample.frames.empty())
            return;
        const auto &frames = sample.frames;
        const auto &all = truth[sample.stream].seen;
        auto next = std::ranges::upper_bound(all, sample.above, {}, &delivery::id);
        position previous = sample.above;
        for (const auto &d : frames) {
            const attempt *a = known(d.key);
            bool lossy = d.key && is_best_effort(d.key) && opt.best_effort_is_lossy();
            if (d.id <= previous)
                common.violate(claim::ranges, who + ": " + text_of(d.id) + " after " + text_of(previous));
            previous = d.id;
            bool own = a && sample.own && a->transaction == sample.own;
            auto skippable = [&](const delivery &t) {
                return t.key && is_best_effort(t.key) &&
                       (!sample.with_best_effort || opt.on_standby() || opt.best_effort_is_lossy());
            };
            while (next != all.end() && next->id < d.id) {
                if (!skippable(*next))
                    common.violate(claim::ranges,
                                   who + ": " + text_of(next->id) + " is missing before " + text_of(d.id));
                ++next;
            }
            if (next != all.end() && next->id == d.id)
                ++next;
            else if (!own && !lossy)
                common.violate(claim::ranges, who + ": " + text_of(d.id) + " is not in the last read");
        }
    };
    for (const auto &r : readers)
        for (const auto &sample : r->samples)
            check(sample, "reverse read of " + opt.stream(sample.stream));
    for (const auto &w : writers)
        for (const auto &sample : w->samples)
            check(sample, "own read of transaction " + std::to_string(sample.own));
}

// One call: order kept, nobody in between, from first_id to last_id.
void verdict::batches() {
    for (const auto &t : truth) {
        const attempt *previous = nullptr;
        for (const auto &d : t.seen) {
            const attempt *a = d.key ? known(d.key) : nullptr;
            bool torn = false;
            if (a && a->index > 0)
                torn = !previous || previous->transaction != a->transaction || previous->index + 1 != a->index ||
                       previous->count != a->count;
            else if (previous && previous->index + 1 < previous->count)
                torn = true;
            if (a && a->first && a->count > 1)
                torn = torn || (a->index == 0 && d.id != a->first) || (a->index + 1 == a->count && d.id != a->last);
            if (torn)
                common.violate(claim::batches, "a batch is torn or out of order at " + text_of(d.id));
            previous = a;
        }
    }
}

void verdict::summaries(connection &db) {
    for (unsigned s = 0; s < opt.streams; ++s) {
        std::vector<std::pair<position, const attempt *>> order;
        for (const auto &d : truth[s].seen)
            if (d.key && is_patch(d.key) && known(d.key))
                order.emplace_back(d.id, known(d.key));
        patches += order.size();
        std::vector<summary_sample> samples;
        for (const auto &r : readers)
            std::ranges::copy_if(r->summaries, std::back_inserter(samples), [s](auto &x) { return x.stream == s; });
        // some of each history, and the end of it
        dice roll(opt.seed + s);
        auto ask = [&](const std::string &call, parameters values, position at) {
            result r = db.execute("SELECT version, document FROM " + call, values);
            if (!r.ok())
                common.violate(claim::errors, call + ": " + r.sqlstate() + " " + r.message());
            else if (r.rows() != 1)
                common.violate(claim::folds, opt.stream(s) + ": no summary at " + text_of(at));
            else
                samples.push_back({s, at, r.integer(0, 0), r.value(0, 1) ? r.value(0, 1) : ""});
        };
        for (unsigned i = 0; i < 20 && !order.empty(); ++i) {
            position at = order[roll.below(static_cast<unsigned>(order.size()))].first;
            ask("weir.summary_at($1, $2::bigint::weir.position)", {opt.stream(s), std::to_string(at)}, at);
        }
        if (!order.empty())
            ask("weir.summary($1)", {opt.stream(s)}, truth[s].seen.back().id);
        std::ranges::sort(samples, {}, &summary_sample::at);

        json document = json::object();
        std::int64_t version = 0;
        std::size_t next = 0;
        for (const auto &sample : samples) {
            for (; next < order.size() && order[next].first <= sample.at; ++next) {
                merge_patch(document, patch_of(order[next].second->key));
                version = order[next].second->version;
            }
            if (sample.document != document.text())
                common.violate(claim::folds, opt.stream(s) + " at " + text_of(sample.at) +
                                                 ": the document is not the fold of " + std::to_string(next) +
                                                 " patches");
            if (version && sample.version != version)
                common.violate(claim::versions, opt.stream(s) + " at " + text_of(sample.at) + ": version " +
                                                    std::to_string(sample.version) + ", not " +
                                                    std::to_string(version));
        }
        // A gap is a patch that was rolled back, its position known or not.
        std::vector<position> rolled_back;
        std::int64_t failed = 0;
        for (const auto &[key, a] : tried)
            if (stream_of(key) == s && is_patch(key) && a->became == status::aborted)
                a->first ? rolled_back.push_back(a->first) : void(++failed);
        std::ranges::sort(rolled_back);
        std::int64_t previous = 0;
        position at = 0;
        for (const auto &[id, a] : order) {
            if (a->version == 0) { // in doubt: its version was never heard
                previous = 0;
                continue;
            }
            auto between = std::ranges::upper_bound(rolled_back, id) - std::ranges::upper_bound(rolled_back, at);
            if (a->version <= previous)
                common.violate(claim::versions, name(*a) + ": version " + std::to_string(a->version) + " after " +
                                                    std::to_string(previous));
            else if (previous && !opt.keep_going && a->version - previous - 1 > between + failed)
                common.violate(claim::versions, name(*a) + ": version " + std::to_string(a->version) + " after " +
                                                    std::to_string(previous) + ", with " + std::to_string(between) +
                                                    " rolled back between");
            previous = a->version;
            at = id;
        }
    }
}

void verdict::counts(connection &db) {
    for (unsigned s = 0; s < opt.streams; ++s) {
        result r =
            db.execute("SELECT frames - best_effort_frames, best_effort_frames, closed FROM weir.stream_info($1)",
                       {opt.stream(s)});
        if (!r.ok() || r.rows() != 1) {
            common.violate(claim::errors, "stream_info: " + r.sqlstate() + " " + r.message());
            continue;
        }
        std::int64_t best_effort = 0, logged = 0;
        for (const auto &d : truth[s].seen)
            if (d.key)
                ++(is_best_effort(d.key) ? best_effort : logged);
        if (r.integer(0, 0) != logged || r.integer(0, 1) != best_effort || std::string(r.value(0, 2)) != "t")
            common.violate(claim::counts, opt.stream(s) + ": stream_info says " + r.value(0, 0) + " + " +
                                              r.value(0, 1) + ", read gives " + std::to_string(logged) + " + " +
                                              std::to_string(best_effort));
    }
}

void verdict::judge() {
    history_against_final();
    transactions_in_doubt();
    each_reader();
    ranges();
    batches();
    connection db(opt.conninfo);
    if (!db.connect())
        return common.violate(claim::errors, "cannot connect for the verdict: " + db.error());
    summaries(db);
    counts(db);
}

bool verdict::report(bool vacuous) const {
    static constexpr const char *claims[] = {
        "every committed frame reached every reader of its stream and stayed",
        "no frame of a rolled-back transaction or savepoint was delivered",
        "type, headers, payload, bytes and mode came back as they were appended",
        "no frame was delivered twice",
        "each reader's frames came in strictly ascending id order",
        "no append got a position at or below one assigned before it",
        "a position belongs to one frame, the one it was returned for",
        "a transaction in doubt is there whole or not at all",
        "a later read never stopped short of what had been delivered",
        "one snapshot gives one answer",
        "a range read, backwards or inside of a writing transaction, has no holes and keeps to its filters",
        "a batch lies in one piece from first_id to last_id, in order",
        "the summary is the fold of the delivered patches in id order",
        "summary versions ascend in id order, with gaps only for what rolled back",
        "the close mark came once, and last",
        "stream_info counts what is there",
        "no statement failed unexpectedly",
    };
    bool good = true;
    for (unsigned c = 0; c < static_cast<unsigned>(claim::count_); ++c) {
        std::cout << (common.counts[c] ? "not ok - " : "ok - ") << claims[c] << '\n';
        for (const auto &what : common.violations[c])
            std::cout << "#   " << what << '\n';
        if (common.counts[c] > common.violations[c].size())
            std::cout << "#   … " << common.counts[c] << " in all\n";
        good = good && !common.counts[c];
    }
    std::cout << (vacuous ? "not ok - " : "ok - ") << "enough happened to say so\n";
    return good && !vacuous;
}

void verdict::dump(const std::string &file) const {
    std::ofstream out(file);
    static constexpr const char *statuses[] = {"open", "committed", "aborted", "doubt"};
    for (const auto &w : writers)
        for (const auto &a : w->attempts)
            out << "attempt " << a.key << " stream " << stream_of(a.key) << " transaction " << a.transaction << ' '
                << text_of(a.first) << ' ' << text_of(a.last) << ' ' << a.index << '/' << a.count << " version "
                << a.version << ' ' << statuses[static_cast<int>(a.became)] << '\n';
    auto list = [&out](const std::string &who, const reader &r) {
        for (unsigned s = 0; s < r.tails.size(); ++s)
            for (const auto &d : r.tails[s].seen)
                out << who << " stream " << s << ' ' << text_of(d.id) << ' ' << d.key << '\n';
    };
    for (const auto &r : readers)
        list("reader " + std::to_string(r->number), *r);
}

} // namespace checker
