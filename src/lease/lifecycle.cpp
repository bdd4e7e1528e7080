// SPDX-License-Identifier: PostgreSQL
//
// The calls on one lease. Each looks at the row as it is now, decides by the rules
// of core/lease.hpp, writes the row and its event, and starts over where
// another transaction wrote the row in between.
//
// An acquire that is refused takes no lock and writes nothing: it can be polled.
#include "pg/pg.hpp"

#include "lease/clock.hpp"
#include "lease/epoch.hpp"
#include "lease/fence.hpp"
#include "lease/history.hpp"
#include "lease/reject.hpp"
#include "lease/sweep.hpp"
#include "name/argument.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace name = weir::name;
namespace core = weir::core;
namespace lease = weir::lease;
namespace pg = weir::pg;
namespace column = lease::column;
using core::issuance;
using core::standing;
using lease::event;
using lease::happening;
using lease::row;

namespace {

constexpr int64 least_ttl_us = 1000;
constexpr int64 greatest_ttl_us = USECS_PER_DAY;
constexpr std::size_t max_headers_bytes = 8192;
constexpr std::size_t max_reason_bytes = 8192;
constexpr NullableDatum none{Datum{0}, true};

NullableDatum text_of(const char *s) { return {CStringGetTextDatum(s), false}; }

// Arguments ------------------------------------------------------------------

std::string_view name_argument(FunctionCallInfo fcinfo, name::level wanted = name::level::write) {
    return name::name_argument(fcinfo, 0, wanted, "name", "lease name");
}

Datum required_label(FunctionCallInfo fcinfo, int n, const char *what) {
    if (PG_ARGISNULL(n))
        pg::null_argument(what);
    return pg::label_argument(fcinfo, n, what).value;
}

int64 epoch_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        pg::null_argument("epoch");
    return PG_GETARG_INT64(n);
}

int64 ttl_argument(FunctionCallInfo fcinfo, int n) {
    return pg::duration_argument(fcinfo, n, "ttl", {least_ttl_us, greatest_ttl_us, "from 1 millisecond to 1 day"},
                                 "A lease is kept for longer by renewing it.");
}

NullableDatum reason_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        return none;
    text *reason = PG_GETARG_TEXT_PP(n);
    if (VARSIZE_ANY_EXHDR(reason) > max_reason_bytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("reason is too long"),
                        errdetail("It has %zu bytes, the limit is %zu.",
                                  static_cast<std::size_t>(VARSIZE_ANY_EXHDR(reason)), max_reason_bytes)));
    return {PointerGetDatum(reason), false};
}

NullableDatum lease_headers(FunctionCallInfo fcinfo, int n) {
    NullableDatum headers = pg::headers_argument(fcinfo, n);
    if (!headers.isnull && VARSIZE_ANY_EXHDR(DatumGetPointer(headers.value)) > max_headers_bytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("headers of a lease are too large"),
                        errdetail("They have %zu bytes, the limit is %zu.",
                                  static_cast<std::size_t>(VARSIZE_ANY_EXHDR(DatumGetPointer(headers.value))),
                                  max_headers_bytes)));
    return headers;
}

// Acquire ----------------------------------------------------------------------

struct wish {
    std::string_view name;
    Datum owner;
    int64 ttl_us;
    Datum headers; // as events carry them
    NullableDatum namespace_;
};

issuance judge(row const &r, wish const &w, TimestampTz now) {
    core::lease known{};
    if (r.there)
        known = lease::to_core(r);
    return core::issuance_of(r.there ? &known : nullptr, now, pg::view_of(w.owner));
}

void write_down_as_expired(row &r) {
    r.set(column::state, CharGetDatum(static_cast<char>(core::lease_state::expired)));
    r.set(column::ended_at, TimestampTzGetDatum(GetCurrentTimestamp()));
}

// Makes r the lease as w wants it, and says what happened, in up to two events.
int issue(row &r, wish const &w, issuance how, TimestampTz now, event *events) {
    int count = 0;
    row before = r;
    if (how == issuance::over_expired && core::has_lapsed(lease::to_core(r), now)) {
        write_down_as_expired(before);
        events[count++] = lease::event_of(happening::expired, before, none);
    }
    lease::next_epoch(r);
    TimestampTz clock = GetCurrentTimestamp();
    r.set(column::state, CharGetDatum(static_cast<char>(core::lease_state::held)));
    r.set(column::expires_at, TimestampTzGetDatum(now + w.ttl_us));
    r.set(column::ttl_us, Int64GetDatum(w.ttl_us));
    r.set(column::acquired_at, TimestampTzGetDatum(clock));
    r.set(column::renewed_at, TimestampTzGetDatum(clock));
    r.clear(column::ended_at);
    r.set(column::previous_owner, before.nullable(column::owner));
    r.set(column::owner, w.owner);
    r.clear(column::ended_by);
    r.clear(column::reason);
    r.set(column::namespace_, w.namespace_);
    r.set(column::headers, w.headers);
    switch (how) {
    case issuance::over_expired:
        events[count++] = lease::event_of(happening::reclaimed, r, text_of("expired"));
        break;
    case issuance::over_own:
        events[count++] = lease::event_of(happening::reclaimed, r, text_of("acquired again by its owner"));
        break;
    case issuance::after_release:
        events[count++] = lease::event_of(happening::acquired, r, text_of("released"));
        break;
    case issuance::after_revoke:
        events[count++] = lease::event_of(happening::acquired, r, text_of("revoked"));
        break;
    case issuance::first:
    case issuance::refused:
        events[count++] = lease::event_of(happening::acquired, r, none);
        break;
    }
    return count;
}

// True, and r is the new lease; or r is that of another holder.
bool acquire(row &r, wish const &w) {
    Relation leases = lease::open_table();
    event events[2];
    int count = 0;
    for (bool locked = false, written = false; !written;) {
        r = lease::find(leases, w.name);
        TimestampTz now = lease::now();
        issuance how = judge(r, w, now);
        if (how == issuance::refused) {
            lease::close_table(leases);
            return false;
        }
        if (!locked) {
            lease::lock(w.name, lease::purpose::end);
            locked = true;
            if (!r.there)
                continue; // somebody may have made it meanwhile; that a row was written, its update finds out
            now = lease::now();
        }
        count = issue(r, w, how, now, events);
        if (r.there) {
            written = lease::update(leases, r);
        } else {
            lease::insert(leases, r);
            written = true;
        }
    }
    lease::close_table(leases);
    for (int i = 0; i < count; i++)
        lease::write(events[i]);
    ForceSyncCommit(); // an epoch that was given out must not be forgotten in a crash
    lease::ask_to_sweep(w.ttl_us);
    return true;
}

// The others -------------------------------------------------------------------

row find_for(Relation leases, std::string_view name, int64 epoch, std::string_view owner, standing &now_is,
             TimestampTz &now) {
    row r = lease::find(leases, name);
    now = lease::now();
    core::lease known{};
    if (r.there)
        known = lease::to_core(r);
    now_is = core::standing_of(r.there ? &known : nullptr, now, epoch, owner);
    return r;
}

TimestampTz renew(std::string_view name, std::string_view owner, int64 epoch, int64 ttl_us) {
    // A reclaim waits for this lock from here on, and not for the row, so that this
    // transaction can go on to work under the lease, or to end it.
    lease::lock(name, lease::purpose::renew);
    Relation leases = lease::open_table();
    row r;
    standing now_is;
    TimestampTz now;
    do {
        r = find_for(leases, name, epoch, owner, now_is, now);
        if (now_is != standing::live)
            lease::reject(r, now_is, epoch);
        if (ttl_us > 0)
            r.set(column::ttl_us, Int64GetDatum(ttl_us));
        r.set(column::expires_at, TimestampTzGetDatum(now + r.integer(column::ttl_us)));
        r.set(column::renewed_at, TimestampTzGetDatum(GetCurrentTimestamp()));
    } while (!lease::update(leases, r));
    lease::close_table(leases);
    event e = lease::event_of(happening::renewed, r, none);
    lease::write(e);
    return lease::shown(r.integer(column::expires_at));
}

void end(row &r, core::lease_state how, NullableDatum by, NullableDatum reason) {
    r.set(column::state, CharGetDatum(static_cast<char>(how)));
    r.set(column::ended_at, TimestampTzGetDatum(GetCurrentTimestamp()));
    r.set(column::ended_by, by);
    r.set(column::reason, reason);
}

bool release(std::string_view name, std::string_view owner, int64 epoch, NullableDatum reason) {
    lease::lock(name, lease::purpose::end);
    Relation leases = lease::open_table();
    row r;
    standing now_is;
    TimestampTz now;
    do {
        r = find_for(leases, name, epoch, owner, now_is, now);
        if (now_is == standing::not_held && r.there && r.integer(column::epoch) == epoch &&
            pg::view_of(r.get(column::owner)) == owner) {
            lease::close_table(leases);
            return false; // once more, as after a lost answer
        }
        if (now_is != standing::live)
            lease::reject(r, now_is, epoch);
        end(r, core::lease_state::released, none, reason);
    } while (!lease::update(leases, r));
    lease::close_table(leases);
    event e = lease::event_of(happening::released, r, reason);
    lease::write(e);
    return true;
}

// epoch: NULL for whatever it is at.
bool revoke(std::string_view name, Datum by, NullableDatum reason, NullableDatum epoch) {
    lease::lock(name, lease::purpose::end);
    Relation leases = lease::open_table();
    event e{};
    bool any = false, revoked = false;
    do {
        row r = lease::find(leases, name);
        any = revoked = false;
        if (!r.there || (!epoch.isnull && r.integer(column::epoch) != DatumGetInt64(epoch.value)))
            break;
        core::lease known = lease::to_core(r);
        TimestampTz now = lease::now();
        if (core::is_live(known, now)) {
            end(r, core::lease_state::revoked, {by, false}, reason);
            e = lease::event_of(happening::revoked, r, reason);
            any = revoked = true;
        } else if (core::has_lapsed(known, now)) {
            write_down_as_expired(r);
            e = lease::event_of(happening::expired, r, none);
            any = true;
        } else {
            break;
        }
        if (lease::update(leases, r))
            break;
    } while (true);
    lease::close_table(leases);
    if (any)
        lease::write(e);
    if (revoked)
        ForceSyncCommit();
    return revoked;
}

} // namespace

WEIR_FUNCTION(weir_lease_acquire) {
    pg::require_writable("weir.lease_acquire()");
    wish w{};
    w.name = name_argument(fcinfo);
    w.owner = required_label(fcinfo, 1, "owner");
    if (PG_ARGISNULL(2))
        pg::null_argument("ttl");
    w.ttl_us = ttl_argument(fcinfo, 2);
    w.headers = lease::event_headers(w.name, lease_headers(fcinfo, 3), w.namespace_);
    row r;
    bool acquired = acquire(r, w);
    Datum values[] = {BoolGetDatum(acquired), r.get(column::epoch),
                      TimestampTzGetDatum(lease::shown(r.integer(column::expires_at))), r.get(column::owner)};
    bool nulls[] = {false, !acquired, false, false}; // an epoch is for its holder only
    return pg::make_row(fcinfo, values, nulls);
}

WEIR_FUNCTION(weir_lease_renew) {
    pg::require_writable("weir.lease_renew()");
    std::string_view name = name_argument(fcinfo);
    std::string_view owner = pg::view_of(required_label(fcinfo, 1, "owner"));
    int64 epoch = epoch_argument(fcinfo, 2);
    PG_RETURN_TIMESTAMPTZ(renew(name, owner, epoch, PG_ARGISNULL(3) ? 0 : ttl_argument(fcinfo, 3)));
}

WEIR_FUNCTION(weir_lease_release) {
    pg::require_writable("weir.lease_release()");
    std::string_view name = name_argument(fcinfo);
    std::string_view owner = pg::view_of(required_label(fcinfo, 1, "owner"));
    int64 epoch = epoch_argument(fcinfo, 2);
    PG_RETURN_BOOL(release(name, owner, epoch, reason_argument(fcinfo, 3)));
}

WEIR_FUNCTION(weir_lease_revoke) {
    pg::require_writable("weir.lease_revoke()");
    std::string_view name = name_argument(fcinfo, name::level::admin);
    Datum by = required_label(fcinfo, 1, "by");
    NullableDatum epoch = PG_ARGISNULL(3) ? none : NullableDatum{PG_GETARG_DATUM(3), false};
    PG_RETURN_BOOL(revoke(name, by, reason_argument(fcinfo, 2), epoch));
}

WEIR_FUNCTION(weir_lease_check) {
    pg::require_writable("weir.lease_check()");
    lease::fence f{name_argument(fcinfo), epoch_argument(fcinfo, 1)};
    PG_RETURN_TIMESTAMPTZ(lease::shown(lease::hold(f)));
}

WEIR_FUNCTION(weir_lease_time) { PG_RETURN_TIMESTAMPTZ(lease::now()); }
