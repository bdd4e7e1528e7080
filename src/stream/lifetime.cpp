// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/newest.hpp"
#include "log/table.hpp"
#include "pg/key_lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"
#include "stream/frame.hpp"
#include "stream/housekeeping.hpp"
#include "stream/lifetime.hpp"
#include "stream/names.hpp"

namespace weir::stream {

namespace {

namespace spi = pg::spi;

constexpr int at_once = 32; // streams a step
constexpr int64 retry_us = USECS_PER_SEC;

constinit log::source property_table{"stream_property"};

constinit spi::statement due_statement{"SELECT stream_id, due_at FROM weir.stream_property WHERE due_at IS NOT NULL"
                                       " ORDER BY due_at LIMIT 33 OFFSET $1",
                                       1,
                                       {INT8OID}};
constinit spi::statement move_statement{
    "UPDATE weir.stream_property SET due_at = $2 WHERE stream_id OPERATOR(pg_catalog.=) $1", 2, {INT8OID, INT8OID}};

struct due {
    int64 stream_id;
    int64 at_ms;
};

// One more than a step takes, which says when to look next.
int find_due(int64 passed, due *out) {
    spi::session session = spi::begin(log::relation_oid(property_table));
    Datum value = Int64GetDatum(passed);
    Snapshot latest = pg::take_snapshot();
    auto count = static_cast<int>(spi::read(due_statement, &value, nullptr, latest));
    for (int i = 0; i < count; i++) {
        bool null = false;
        out[i] = {DatumGetInt64(spi::column(i, 1, &null)), DatumGetInt64(spi::column(i, 2, &null))};
    }
    UnregisterSnapshot(latest);
    spi::end(session);
    return count;
}

void move_end(int64 stream_id, int64 to_ms) {
    spi::session session = spi::begin(log::relation_oid(property_table));
    Datum values[] = {Int64GetDatum(stream_id), Int64GetDatum(to_ms)};
    spi::write(move_statement, values, nullptr);
    spi::end(session);
}

// Where newest_of_life() goes on to look further back.
bool is_settled_otherwise(TransactionId xmin, bool begins_anew) {
    if (!TransactionIdIsNormal(xmin) || TransactionIdIsCurrentTransactionId(xmin))
        return false;
    if (TransactionIdIsInProgress(xmin))
        return begins_anew;
    return !TransactionIdDidCommit(xmin);
}

bool is_no_sign_of_life(log::entry const &e) {
    auto const &row = *reinterpret_cast<log_prefix const *>(e.prefix);
    if (row.mode == static_cast<char>(mode::ended)) // it is the end that it tells of
        return true;
    return is_settled_otherwise(e.xmin,
                                row.mode == static_cast<char>(mode::dropped) || (row.ordinal & behind_own_drop));
}

bool is_no_best_effort_sign(log::entry const &e) {
    return is_settled_otherwise(e.xmin,
                                reinterpret_cast<best_effort_prefix const *>(e.prefix)->ordinal & behind_own_drop);
}

int64 newest_now(int64 stream_id) {
    bool standby = RecoveryInProgress();
    log::table logged = log::open(log_source, AccessShareLock), best_effort{};
    if (!standby)
        best_effort = log::open(best_effort_source, AccessShareLock);
    int64 newest = newest_of_life(logged, standby ? nullptr : &best_effort, stream_id);
    if (!standby)
        log::close(best_effort);
    log::close(logged);
    return newest;
}

worker::outcome end_or_move(due const &d) {
    if (!pg::try_lock_key(pg::lock_class::maintenance, 0, d.stream_id))
        return {worker::outcome::what::not_now};
    Snapshot latest = pg::take_snapshot();
    properties p = properties_seen(d.stream_id, latest);
    name::entry entry = name::entered(d.stream_id, latest);
    UnregisterSnapshot(latest);
    if (!has_lifetime(p)) // altered or dropped meanwhile
        return {};
    if (entry.kind == ended_streams.code)
        return remove_ended_step(entry.name, d.stream_id);
    int64 end = end_of(p, newest_now(d.stream_id));
    if (end <= log::clock::now_us() / 1000)
        return end_step(entry.name, d.stream_id);
    move_end(d.stream_id, end);
    return {};
}

} // namespace

int64 end_of(properties const &p, int64 newest) {
    int64 end = never;
    if (p.is_set(property::ttl)) {
        int64 since_append = newest < 0 ? 0 : core::ms_of(newest) + p.integer(property::ttl);
        end = since_append > p.due_ms ? since_append : p.due_ms;
    }
    if (p.is_set(property::expires_at) && p.integer(property::expires_at) < end)
        end = p.integer(property::expires_at);
    return end;
}

int64 newest_of_life(log::table const &logged, log::table const *best_effort, int64 stream_id) {
    constexpr int max_undone = 1000;
    int64 newest = -1;
    log::entry e = log::newest(logged, stream_id, is_no_sign_of_life);
    if (e.readable)
        newest = reinterpret_cast<log_prefix const *>(e.prefix)->id;
    if (best_effort == nullptr)
        return newest;
    e = log::newest(*best_effort, stream_id, is_no_best_effort_sign, max_undone);
    int64 best_effort_newest = e.readable ? reinterpret_cast<best_effort_prefix const *>(e.prefix)->id : -1;
    return best_effort_newest > newest ? best_effort_newest : newest;
}

bool is_over(int64 stream_id) {
    properties p = properties_of(stream_id);
    if (likely(!has_lifetime(p)))
        return false;
    int64 now_ms = log::clock::now_us() / 1000;
    if (p.is_set(property::expires_at) && p.integer(property::expires_at) <= now_ms)
        return true;
    if (now_ms < p.due_ms || RecoveryInProgress())
        return false;
    return end_of(p, newest_now(stream_id)) <= now_ms;
}

int64 find_living(std::string_view name, Snapshot snapshot) {
    int64 stream_id = find(name, snapshot);
    return is_over(stream_id) ? 0 : stream_id;
}

void ask_for_end(properties const &p) {
    if (!has_lifetime(p))
        return;
    int64 left_us = p.due_ms * 1000 - log::clock::now_us();
    ask_to_end_streams(left_us > 0 ? left_us : 0);
}

worker::outcome lifetimes_step(int64) {
    using worker::outcome;
    static int64 passed = 0; // that are in use by somebody, and keep no others waiting
    due list[at_once + 1];
    int count = find_due(passed, list), done = 0;
    int64 now_ms = log::clock::now_us() / 1000;
    bool more = false;
    for (; !more && done < count && done < at_once && list[done].at_ms <= now_ms; done++) {
        enum outcome::what was = end_or_move(list[done]).what;
        passed += was == outcome::what::not_now;
        more = was == outcome::what::more;
    }
    if (more || done == at_once)
        return {outcome::what::more};
    int64 next_us = done < count ? (list[done].at_ms - now_ms) * 1000 : -1;
    if (passed > 0 && (next_us < 0 || next_us > retry_us))
        next_us = retry_us;
    passed = 0;
    return {outcome::what::done, next_us};
}

} // namespace weir::stream
