// SPDX-License-Identifier: PostgreSQL
//
// Random transactions. See writer.hpp.

#include "writer.hpp"

#include <thread>

namespace checker {

using namespace std::chrono_literals;
using outcome = result::outcome;
using clock = std::chrono::steady_clock;

writer::writer(const options &o, shared &s, unsigned n)
    : opt(o), common(s), roll(mix(o.seed * 1000 + n)), number(n), main(o.conninfo), manager(o, s) {}

void writer::unexpected(const char *doing, const result &r) {
    common.violate(claim::errors, std::string(doing) + ": " + r.sqlstate() + " " + r.message());
}

void writer::mark(const std::vector<std::size_t> &frames, status f) {
    for (auto i : frames)
        if (attempts[i].became == status::open)
            attempts[i].became = f;
}

void writer::mark(const levels &open, status f) {
    for (const auto &level : open)
        mark(level, f);
}

writer::call writer::choose_call() {
    call c;
    c.stream = roll.below(opt.streams);
    unsigned pick = roll.below(100);
    using enum frame_kind;
    c.kind = pick < 35   ? json
             : pick < 42 ? text
             : pick < 49 ? bytes
             : pick < 70 ? patch
             : pick < 85 ? best_effort_json
             : pick < 92 ? best_effort_text
                         : best_effort_bytes;
    c.batch = c.kind != patch && roll.percent(25);
    unsigned count = c.batch ? 1 + roll.below(roll.percent(10) ? 300 : 12) : 1;
    c.one_by_one = c.batch && (c.kind == json || c.kind == best_effort_json) && roll.percent(30);
    for (unsigned i = 0; i < count; ++i)
        c.keys.push_back(make_key(common.serial++, c.stream, c.kind, c.batch));
    if (!c.one_by_one && roll.percent(opt.keep_going ? 40 : 10))
        c.idempotency_key = "key-" + std::to_string(c.keys.front());
    return c;
}

result writer::send(const call &c) {
    static constexpr const char *functions[] = {"append",
                                                "append_text",
                                                "append_bytes",
                                                "append_patch",
                                                "append_best_effort",
                                                "append_best_effort_text",
                                                "append_best_effort_bytes"};
    static constexpr const char *forms[] = {"", "text_", "bytes_", "", "", "text_", "bytes_"};
    static constexpr const char *types[] = {"jsonb", "text", "bytea", "jsonb", "jsonb", "text", "bytea"};
    bool is_best_effort = checker::is_best_effort(c.keys[0]);
    unsigned k = static_cast<unsigned>(c.kind);
    content first = content_of(c.keys[0]);
    parameters values{opt.stream(c.stream), first.argument, first.type, first.headers, c.idempotency_key};
    std::string payload = std::string("$2::") + types[k];
    if (c.batch) {
        std::vector<std::string> arguments;
        for (auto key : c.keys)
            arguments.push_back(content_of(key).argument);
        values[1] = array_literal(arguments);
        payload += "[]";
    }
    if (c.one_by_one)
        return main.execute("SELECT weir." + std::string(functions[k]) +
                                "($1, p, $3, $4::jsonb, $5)::bigint FROM unnest(" + payload + ") p",
                            values);
    std::string arguments = "($1, " + payload + ", $3, $4::jsonb, $5)";
    if (c.batch)
        return main.execute("SELECT first_id::bigint, last_id::bigint, frames FROM weir.append_" +
                                std::string(is_best_effort ? "best_effort_" : "") + forms[k] + "batch" + arguments,
                            values);
    if (c.kind == frame_kind::patch)
        return main.execute("SELECT id::bigint, summary_version FROM weir.append_patch" + arguments, values);
    return main.execute("SELECT weir." + std::string(functions[k]) + arguments + "::bigint", values);
}

// False where the answer has not the form of one.
bool writer::record_ids(const call &c, const result &r, std::size_t from, position below) {
    bool whole = r.rows() == (c.one_by_one ? static_cast<int>(c.keys.size()) : 1) &&
                 (!c.batch || c.one_by_one || r.integer(0, 2) == static_cast<std::int64_t>(c.keys.size()));
    if (!whole) {
        common.violate(claim::batches, "an append of " + std::to_string(c.keys.size()) + " frames answered otherwise");
        return false;
    }
    position previous = below;
    for (std::size_t i = 0; i < c.keys.size(); ++i) {
        attempt &a = attempts[from + i];
        if (c.one_by_one) {
            a.first = a.last = r.integer(static_cast<int>(i), 0);
        } else {
            a.first = r.integer(0, 0);
            a.last = c.batch ? r.integer(0, 1) : a.first;
            a.version = c.kind == frame_kind::patch ? r.integer(0, 1) : 0;
        }
        if ((c.one_by_one || i == 0) && a.first <= previous)
            common.violate(claim::monotonic, opt.stream(c.stream) + ": " + text_of(a.first) + " given out after " +
                                                 text_of(previous) + " had been");
        previous = a.last;
    }
    shared::raise_to(common.last_assigned[c.stream], previous);
    return true;
}

std::vector<std::size_t> writer::append(const call &c, outcome &out) {
    std::size_t from = attempts.size();
    std::vector<std::size_t> mine;
    for (unsigned i = 0; i < c.keys.size(); ++i) {
        attempt a;
        a.key = c.keys[i];
        a.transaction = current;
        // Calls of their own lie where they like, also those whose answer is lost.
        a.index = c.one_by_one ? 0 : i;
        a.count = c.one_by_one ? 1 : static_cast<unsigned>(c.keys.size());
        attempts.push_back(a);
        mine.push_back(from + i);
    }
    position below = common.last_assigned[c.stream];
    result r = send(c);
    out = r.ok() ? outcome::ok : r.lost() ? outcome::lost : outcome::error;
    if (r.ok())
        record_ids(c, r, from, below);
    else if (cancelling && r.sqlstate() == "57014")
        ++common.cancelled;
    else if (!r.lost() && r.sqlstate() != "40001") // SERIALIZABLE may say so
        unexpected("append", r);
    return mine;
}

// An append that is a transaction. Lost under a key: the same call again gives the
// first result or does it now, but never both.
void writer::alone() {
    current = common.transaction++;
    call c = choose_call();
    outcome out;
    auto mine = append(c, out);
    while (out == outcome::lost) {
        main.drop();
        ++common.disconnects;
        if (!c.idempotency_key || !connect_patiently(main, opt, common, "writer")) {
            mark(mine, status::doubt);
            return;
        }
        result r = send(c);
        out = r.ok() ? outcome::ok : r.lost() ? outcome::lost : outcome::error;
        if (r.ok() && record_ids(c, r, mine[0], 0))
            ++common.replayed;
        else if (out == outcome::error)
            unexpected("retry under an idempotency key", r);
    }
    mark(mine, out == outcome::ok ? status::committed : status::aborted);
    ++(out == outcome::ok ? common.commits : common.rollbacks);
}

// Appends, savepoints and their ends. False: the transaction is over (failed or lost).
bool writer::body(levels &open, unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) {
        unsigned pick = roll.below(100);
        std::string name = "s" + std::to_string(open.size());
        if (pick < 15 && open.size() < 6) {
            if (!main.execute("SAVEPOINT " + name).ok())
                return false;
            open.emplace_back();
        } else if (pick < 30 && open.size() > 1) {
            bool back = roll.percent(60);
            name = "s" + std::to_string(open.size() - 1);
            if (!main.execute((back ? "ROLLBACK TO " : "RELEASE ") + name).ok())
                return false;
            auto inner = std::move(open.back());
            open.back().clear();
            if (back) { // the savepoint itself stays
                mark(inner, status::aborted);
                ++common.savepoint_rollbacks;
            } else {
                open.pop_back();
                open.back().insert(open.back().end(), inner.begin(), inner.end());
            }
        } else if (pick < 34) {
            if (!own_read(open))
                return false;
        } else {
            outcome out;
            auto mine = append(choose_call(), out);
            open.back().insert(open.back().end(), mine.begin(), mine.end());
            if (out == outcome::error && open.size() > 1) {
                if (!main.execute("ROLLBACK TO s" + std::to_string(open.size() - 1)).ok())
                    return false;
                mark(open.back(), status::aborted);
                open.back().clear();
            } else if (out != outcome::ok) {
                return false;
            }
        }
        if (!main.connected())
            return false;
    }
    return true;
}

// More than 64 subtransactions that wrote; some of them rolled back.
bool writer::overflow(levels &open) {
    bool nested = roll.percent(50);
    for (unsigned i = 0, n = 66 + roll.below(20); i < n; ++i) {
        if (!main.execute("SAVEPOINT o").ok())
            return false;
        call c = choose_call();
        c.keys.resize(1);
        outcome out;
        auto mine = append(c, out);
        bool back = roll.percent(20);
        open[0].insert(open[0].end(), mine.begin(), mine.end());
        if (out == outcome::lost || (out == outcome::error && !back))
            return false;
        if (back) {
            if (!main.execute("ROLLBACK TO o").ok())
                return false;
            mark(mine, status::aborted);
        }
        if ((back || !nested) && !main.execute("RELEASE o").ok())
            return false;
    }
    ++common.overflows;
    return true;
}

// A reader inside of the transaction that writes: own frames, never past a foreign open one.
bool writer::own_read(const levels &open) {
    for (const auto &level : open) {
        if (level.empty() || attempts[level[0]].first == 0)
            continue;
        range_sample sample;
        sample.stream = stream_of(attempts[level[0]].key);
        sample.above = attempts[level[0]].first - 1 - roll.below(1 << 20);
        sample.own = current;
        result r = main.execute("SELECT id::bigint, payload, bytes, mode FROM weir.read($1, $2::bigint::weir.position)",
                                {opt.stream(sample.stream), std::to_string(sample.above)});
        if (!r.ok()) {
            if (!r.lost() && r.sqlstate() != "40001")
                unexpected("read of own frames", r);
            return false;
        }
        for (int i = 0; i < r.rows(); ++i)
            sample.frames.push_back({r.integer(i, 0), key_in(r.value(i, 1), r.value(i, 2)).value_or(0)});
        samples.push_back(std::move(sample));
        break;
    }
    return true;
}

// A large batch under a short timeout: cancelled wherever it stands, at times not at all.
void writer::cancelled() {
    call c;
    c.stream = roll.below(opt.streams);
    c.kind = roll.percent(50) ? frame_kind::json : frame_kind::best_effort_json;
    c.batch = true;
    for (unsigned i = 0; i < 1500; ++i)
        c.keys.push_back(make_key(common.serial++, c.stream, c.kind, true));
    current = common.transaction++;
    if (!main.execute("SET statement_timeout = '" + std::to_string(1 + roll.below(12)) + "ms'").ok())
        return;
    outcome out;
    cancelling = true;
    auto mine = append(c, out);
    cancelling = false;
    mark(mine, out == outcome::ok ? status::committed : out == outcome::error ? status::aborted : status::doubt);
    // which is cancelled, too, now and then
    for (int tries = 0; tries < 100 && main.connected(); ++tries)
        if (main.execute(connection::timeout).ok())
            return;
    main.drop();
}

void writer::transaction() {
    current = common.transaction++;
    unsigned pick = roll.below(100);
    const char *level = pick < 75 ? "READ COMMITTED" : pick < 97 ? "REPEATABLE READ" : "SERIALIZABLE";
    if (!main.execute(std::string("BEGIN ISOLATION LEVEL ") + level).ok())
        return;
    levels open(1);
    bool going = roll.percent(3) ? overflow(open) : body(open, 1 + roll.below(roll.percent(80) ? 4 : 12));
    if (going && main.connected()) {
        finish(open);
    } else {
        mark(open, status::aborted);
        ++common.rollbacks;
        if (main.connected())
            main.execute("ROLLBACK");
    }
}

void writer::prepare(const levels &open) {
    prepared p;
    p.gid = opt.run + "-" + std::to_string(number) + "-" + std::to_string(current);
    p.commit = roll.percent(70);
    p.due = clock::now() + std::chrono::microseconds(roll.below(30000));
    result r = main.execute("PREPARE TRANSACTION '" + p.gid + "'");
    if (!r.committed() && !r.lost()) {
        mark(open, status::aborted);
        if (r.sqlstate() != "40001")
            unexpected("PREPARE TRANSACTION", r);
        return;
    }
    p.sure = r.committed();
    for (const auto &level : open)
        p.frames.insert(p.frames.end(), level.begin(), level.end());
    ++common.prepared;
    manager.add(std::move(p));
}

void writer::finish(levels &open) {
    if (unsigned pick = roll.below(100); pick < 35)
        std::this_thread::sleep_for(std::chrono::microseconds(roll.below(pick < 2 ? 80000 : 4000)));
    unsigned pick = roll.below(100);
    if (pick >= 85 && manager.has_room()) {
        prepare(open);
    } else if (pick >= 65) {
        if (pick >= 80)
            main.execute("SELECT 1/0");
        mark(open, status::aborted);
        main.execute("ROLLBACK");
        ++common.rollbacks;
    } else {
        result r = main.execute("COMMIT");
        mark(open, r.committed() ? status::committed : r.lost() ? status::doubt : status::aborted);
        ++(r.committed() ? common.commits : common.rollbacks);
        if (!r.committed() && !r.lost() && r.sqlstate() != "40001")
            unexpected("COMMIT", r);
    }
}

void writer::collect() {
    for (const auto &p : manager.finished())
        mark(p.frames, p.became);
}

void writer::run(clock::time_point until) {
    manager.start();
    // On a slow machine longer than asked for, until there is something to judge.
    while ((clock::now() < until || (!common.enough(opt) && clock::now() < until + 60s)) && !common.give_up) {
        if (!connect_patiently(main, opt, common, "writer"))
            break;
        collect();
        unsigned pick = roll.below(200);
        if (pick < 70)
            alone();
        else if (pick < 199 || opt.timeout == 0)
            transaction();
        else
            cancelled();
        if (!main.connected()) {
            main.drop();
            ++common.disconnects;
        }
    }
    manager.stop();
    collect();
}

} // namespace checker
