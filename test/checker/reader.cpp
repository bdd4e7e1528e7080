// SPDX-License-Identifier: PostgreSQL
//
// Tailing, with checks on the spot. See reader.hpp.

#include "reader.hpp"
#include "two_phase.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace checker {

using namespace std::chrono_literals;

static constexpr const char *columns = "id::bigint, payload, bytes, mode, type, headers";

reader::reader(const options &o, shared &s, unsigned n)
    : with_best_effort(n % 3 != 2), number(n), tails(o.streams), opt(o), common(s), roll(mix(o.seed * 1000 + 500 + n)),
      db(o.on_standby() ? o.reader_conninfo : o.conninfo), all_at_once(n % 4 >= 2), transactions(n % 2) {}

bool reader::done() const {
    return std::ranges::all_of(tails, [](const tail &t) { return t.closed; });
}

void reader::failed(const char *doing, const result &r) {
    if (r.lost()) {
        db.drop();
        ++common.disconnects;
    } else if (!(opt.on_standby() && r.sqlstate() == "40001")) { // a recovery conflict may end a standby's query
        common.violate(claim::errors, std::string(doing) + ": " + r.sqlstate() + " " + r.message());
    }
}

static bool same(const std::optional<std::string> &expected, const char *got) {
    return expected ? got && *expected == got : !got;
}

delivery judge(const options &o, shared &s, unsigned stream, const result &r, int row, int at, bool naive) {
    delivery d{r.integer(row, at), 0};
    const char *payload = r.value(row, at + 1), *bytes = r.value(row, at + 2), *mode = r.value(row, at + 3);
    std::string where = o.stream(stream) + " " + text_of(d.id);
    if (!naive && mode && std::string(mode) == "close")
        return d;
    auto key = key_in(payload, bytes);
    if (naive && !key) // whatever marks the table holds
        return d;
    if (!key || stream_of(*key) != stream) {
        s.violate(claim::intact, where + ": " + (key ? "a frame of another stream" : "no frame of ours"));
        return {d.id, frame_key(-1)};
    }
    d.key = *key;
    content expected = content_of(d.key);
    bool intact = same(expected.payload, payload) && same(expected.bytes, bytes) &&
                  same(expected.type, r.value(row, at + 4)) && same(expected.headers, r.value(row, at + 5)) &&
                  (naive || same(expected.mode, mode));
    if (!intact)
        s.violate(claim::intact, where + ": differs from what was appended");
    if (o.on_standby() && !naive && is_best_effort(d.key) && mode)
        s.violate(claim::ranges, where + ": a best-effort frame on a standby");
    return d;
}

void reader::take(unsigned stream, delivery d) {
    tail &t = tails[stream];
    if (t.cursor && d.id <= *t.cursor)
        common.violate(claim::ascending, opt.stream(stream) + ": " + text_of(d.id) + " after " + text_of(*t.cursor));
    t.cursor = d.id;
    t.seen.push_back(d);
    if (d.key == 0) {
        t.closed = !opt.naive;
        return;
    }
    if (!with_best_effort && is_best_effort(d.key))
        common.violate(claim::ranges, opt.stream(stream) + ": a best-effort frame in exclude_best_effort");
    if (!is_best_effort(d.key)) {
        shared::raise_to(common.settled[0][stream], d.id);
        if (with_best_effort)
            shared::raise_to(common.settled[1][stream], d.id);
    }
    if (is_patch(d.key))
        shared::raise_to(common.settled_patch[stream], d.id);
}

// The page was not full, so it ran up to what is settled: not below what another
// reader had before this snapshot was taken.
void reader::short_page(unsigned stream, const position *settled) {
    position reached = tails[stream].cursor.value_or(0);
    if (settled && reached < settled[stream])
        common.violate(claim::fresh, opt.stream(stream) + ": a page ended at " + text_of(reached) + ", but " +
                                         text_of(settled[stream]) + " had been delivered before");
}

bool reader::page(unsigned stream, unsigned size, const position *settled) {
    tail &t = tails[stream];
    parameters values{opt.stream(stream), {}, std::to_string(size)};
    if (t.cursor)
        values[1] = std::to_string(*t.cursor);
    std::string sql;
    if (opt.naive) {
        // what people write over an outbox table
        sql = std::string("SELECT ") + columns +
              " FROM weir.frame_log WHERE stream_id = (SELECT min(id) FROM "
              "weir.registry WHERE name = $1) AND id > coalesce($2::bigint, 0)::weir.position ORDER BY id "
              "LIMIT $3::int";
    } else {
        sql = std::string("SELECT ") + columns +
              " FROM weir.read($1, $2::bigint::weir.position, max => $3, "
              "visibility => $4)";
        values.push_back(visibility());
    }
    result r = db.execute(sql, values);
    ++common.reads;
    if (!r.ok()) {
        failed("read", r);
        return false;
    }
    for (int i = 0; i < r.rows(); ++i)
        take(stream, judge(opt, common, stream, r, i, 0, opt.naive));
    if (r.rows() > static_cast<int>(size))
        common.violate(claim::ranges, "more than max frames");
    if (r.rows() < static_cast<int>(size))
        opt.naive ? void(t.closed = common.drain) : short_page(stream, settled);
    return true;
}

bool reader::page_of_all(unsigned size, const position *settled) {
    std::vector<std::string> names, cursors;
    std::vector<unsigned> got(opt.streams);
    unsigned limit = std::min(size, 10000 / opt.streams);
    for (unsigned s = 0; s < opt.streams; ++s) {
        names.push_back(opt.stream(s));
        cursors.push_back(std::to_string(tails[s].cursor.value_or(0)));
    }
    result r = db.execute(std::string("SELECT stream, ") + columns +
                              " FROM weir.read_many($1, $2::bigint[]::weir.position[], "
                              "max => $3, visibility => $4)",
                          {array_literal(names), array_literal(cursors), std::to_string(size), visibility()});
    ++common.reads;
    if (!r.ok()) {
        failed("read_many", r);
        return false;
    }
    for (int i = 0; i < r.rows(); ++i) {
        auto found = std::ranges::find(names, r.value(i, 0));
        if (found == names.end()) {
            common.violate(claim::intact, "read_many named a stream that was not asked for");
            return false;
        }
        unsigned s = static_cast<unsigned>(found - names.begin());
        ++got[s];
        take(s, judge(opt, common, s, r, i, 1, false));
    }
    for (unsigned s = 0; s < opt.streams; ++s) {
        if (got[s] > limit)
            common.violate(claim::ranges, "read_many gave more than max frames of a stream");
        if (got[s] < limit)
            short_page(s, settled);
    }
    return true;
}

// Several pages of one snapshot; at times the whole of them once more, which must be the same.
bool reader::repeatable(unsigned size) {
    if (!db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").ok())
        return false;
    position settled[max_streams];
    for (unsigned s = 0; s < opt.streams; ++s)
        settled[s] = common.settled[with_best_effort][s];
    auto before = tails;
    bool going = true;
    for (unsigned pages = 1 + roll.below(4); going && pages > 0; --pages) {
        if (all_at_once && !opt.naive)
            going = page_of_all(size, settled);
        else
            for (unsigned s = 0; going && s < opt.streams; ++s)
                going = tails[s].closed || page(s, size, settled);
    }
    unsigned s = roll.below(opt.streams);
    std::size_t count = tails[s].seen.size() - before[s].seen.size();
    if (going && !opt.naive && count > 0 && count <= 10000 && roll.percent(20)) {
        result r =
            db.execute("SELECT id::bigint FROM weir.read($1, $2::bigint::weir.position, $3::bigint::weir.position, "
                       "max => 10000, visibility => $4)",
                       {opt.stream(s), std::to_string(before[s].cursor.value_or(0)), std::to_string(*tails[s].cursor),
                        visibility()});
        bool equal = r.ok() && r.rows() == static_cast<int>(count);
        for (std::size_t i = 0; equal && i < count; ++i)
            equal = r.integer(static_cast<int>(i), 0) == tails[s].seen[before[s].seen.size() + i].id;
        if (!r.ok())
            failed("repeated read", r);
        else if (!equal)
            common.violate(claim::repeatable, opt.stream(s) + ": one snapshot, two answers after " +
                                                  text_of(before[s].cursor.value_or(0)));
    }
    if (db.connected())
        db.execute("COMMIT");
    return going;
}

void reader::aside(unsigned stream) {
    position settled = common.settled[with_best_effort][stream], seen_by_all = common.settled[1][stream],
             patched = common.settled_patch[stream];
    std::string name = opt.stream(stream);
    switch (roll.below(3)) {
    case 0: {
        result r = db.execute("SELECT weir.head($1)::bigint", {name});
        if (!r.ok())
            return failed("head", r);
        if (r.integer(0, 0) < seen_by_all)
            common.violate(claim::fresh, name + ": head " + text_of(r.integer(0, 0)) + ", but " + text_of(seen_by_all) +
                                             " had been delivered before");
        return;
    }
    case 1: {
        result r = db.execute("SELECT position::bigint, version, document FROM weir.summary($1)", {name});
        if (!r.ok())
            return failed("summary", r);
        position at = r.rows() > 0 ? r.integer(0, 0) : 0;
        if (at < patched)
            common.violate(claim::fresh, name + ": summary of " + text_of(at) + ", but the patch " + text_of(patched) +
                                             " had been delivered before");
        if (at)
            summaries.push_back({stream, at, r.integer(0, 1), r.value(0, 2) ? r.value(0, 2) : ""});
        return;
    }
    default: {
        unsigned size = 1 + roll.below(200);
        result r = db.execute(std::string("SELECT ") + columns +
                                  " FROM weir.read($1, max => $2, visibility => $3, "
                                  "reverse => true)",
                              {name, std::to_string(size), visibility()});
        if (!r.ok())
            return failed("reverse read", r);
        range_sample sample;
        sample.stream = stream;
        sample.with_best_effort = with_best_effort;
        for (int i = r.rows() - 1; i >= 0; --i)
            sample.frames.push_back(judge(opt, common, stream, r, i, 0, false));
        if (sample.frames.empty() ? settled > 0 : sample.frames.back().id < settled)
            common.violate(claim::fresh, name + ": a reverse read began below " + text_of(settled));
        if (r.rows() == static_cast<int>(size))
            sample.above = sample.frames.front().id - 1;
        samples.push_back(std::move(sample));
    }
    }
}

void reader::run() {
    while (!common.give_up && !done()) {
        if (!connect_patiently(db, opt, common, "reader"))
            return;
        // 1 to 1000, all sizes alike; the last stretch in big steps
        unsigned size = common.drain ? 1000 : 1 + roll.below(1u << roll.below(11)) % 1000;
        std::size_t before = 0, after = 0;
        for (const auto &t : tails)
            before += t.seen.size();
        if (transactions) {
            repeatable(size);
        } else {
            position settled[max_streams];
            for (unsigned s = 0; s < opt.streams; ++s)
                settled[s] = common.settled[with_best_effort][s];
            if (all_at_once && !opt.naive)
                page_of_all(size, settled);
            else
                page(roll.below(opt.streams), size, settled);
        }
        if (!opt.naive && db.connected() && roll.percent(5))
            aside(roll.below(opt.streams));
        for (const auto &t : tails)
            after += t.seen.size();
        if (after == before) // nothing new: look again soon
            std::this_thread::sleep_for(std::chrono::milliseconds(1 + roll.below(5)));
    }
}

} // namespace checker
