// SPDX-License-Identifier: PostgreSQL
//
// subscribe() and unsubscribe(). To subscribe twice in the same words is to
// subscribe once, so that every start of a consumer may do it.
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "core/position.hpp"
#include "log/life.hpp"
#include "log/table.hpp"
#include "name/argument.hpp"
#include "outbox/cursor.hpp"
#include "outbox/owner.hpp"
#include "outbox/retention.hpp"
#include "outbox/start.hpp"
#include "outbox/subscription.hpp"
#include "pg/argument.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/settings.hpp"
#include "pg/snapshot.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"

namespace name = weir::name;
namespace core = weir::core;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace spi = weir::pg::spi;

namespace {

constexpr int max_streams = 100;
constexpr int max_types = 1000;
constexpr std::size_t max_type_bytes = 512; // no frame has a longer one
constexpr std::size_t max_header_bytes = 8192;
constexpr std::size_t max_filter_bytes = 65536; // of all together

constinit weir::log::source subscription_table{"subscription"};

constinit spi::statement insert_statement{
    "INSERT INTO weir.subscription (name, subscription_id, streams, types, headers, hold, owner, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, pg_catalog.clock_timestamp())"
    " ON CONFLICT (name) DO NOTHING RETURNING true",
    7,
    {TEXTOID, INT8OID, TEXTARRAYOID, TEXTARRAYOID, JSONBOID, BOOLOID, REGROLEOID}};

constinit spi::statement count_statement{
    "SELECT true FROM weir.subscription WHERE owner OPERATOR(pg_catalog.=) $1 LIMIT $2", 2, {REGROLEOID, INT8OID}};

constinit spi::statement remove_statement{
    "DELETE FROM weir.subscription WHERE subscription_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

[[noreturn]] void too_large(const char *what, std::size_t size, std::size_t limit) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s", what),
                    errdetail("It has %zu bytes, the limit is %zu.", size, limit)));
    pg_unreachable();
}

// One name is refused where it may not be read; of what a pattern finds, such are left out.
void check_stream(std::string_view stream) {
    name::check_pattern(stream, "stream name");
    if (!core::is_glob(stream))
        name::require(name::level::read, name::literal_part(stream));
}

// An array of one, or the one given.
Datum streams_argument(FunctionCallInfo fcinfo, int n, bool several) {
    if (PG_ARGISNULL(n))
        pg::null_argument(several ? "streams" : "stream");
    if (!several) {
        Datum stream = PG_GETARG_DATUM(n);
        check_stream(pg::view_of(stream));
        return PointerGetDatum(construct_array(&stream, 1, TEXTOID, -1, false, TYPALIGN_INT));
    }
    pg::text_array streams = pg::text_array_argument(fcinfo, n, "streams", max_streams, "Use a pattern.");
    if (streams.count == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("streams must not be empty")));
    for (int i = 0; i < streams.count; i++)
        check_stream(pg::view_of(streams.values[i]));
    return PointerGetDatum(streams.array);
}

NullableDatum types_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        return {Datum{0}, true};
    pg::text_array types = pg::text_array_argument(fcinfo, n, "types", max_types);
    for (int i = 0; i < types.count; i++) {
        std::size_t size = pg::view_of(types.values[i]).size();
        if (size == 0)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("an element of types must not be empty")));
        if (size > max_type_bytes)
            too_large("an element of types is too long", size, max_type_bytes);
    }
    return {PointerGetDatum(types.array), false};
}

NullableDatum headers_argument(FunctionCallInfo fcinfo, int n) {
    NullableDatum headers = pg::headers_argument(fcinfo, n);
    if (!headers.isnull && VARSIZE_ANY_EXHDR(DatumGetPointer(headers.value)) > max_header_bytes)
        too_large("headers are too large", VARSIZE_ANY_EXHDR(DatumGetPointer(headers.value)), max_header_bytes);
    return headers;
}

bool is_equal(NullableDatum const &a, NullableDatum const &b) {
    if (a.isnull || b.isnull)
        return a.isnull == b.isnull;
    return pg::view_of(a.value) == pg::view_of(b.value);
}

// Of arrays of text without NULLs.
bool is_array_equal(Datum a, Datum b) {
    Datum *x = nullptr, *y = nullptr;
    bool *nulls = nullptr;
    int m = 0, n = 0;
    deconstruct_array(DatumGetArrayTypeP(a), TEXTOID, -1, false, TYPALIGN_INT, &x, &nulls, &m);
    deconstruct_array(DatumGetArrayTypeP(b), TEXTOID, -1, false, TYPALIGN_INT, &y, &nulls, &n);
    bool equal = m == n;
    for (int i = 0; equal && i < m; i++)
        equal = pg::view_of(x[i]) == pg::view_of(y[i]);
    return equal;
}

struct wish {
    std::string_view name;
    Datum name_datum;
    Datum streams;
    NullableDatum types;
    NullableDatum headers;
    outbox::place start;
    bool hold;
};

bool is_as_wished(outbox::subscription const &s, wish const &w) {
    if (s.types.isnull != w.types.isnull || (!s.types.isnull && !is_array_equal(s.types.value, w.types.value)))
        return false;
    return is_array_equal(s.streams, w.streams) && is_equal(s.headers, w.headers) && s.hold == w.hold;
}

void check_filter_size(wish const &w) {
    std::size_t size = VARSIZE_ANY_EXHDR(DatumGetPointer(w.streams));
    for (NullableDatum const &part : {w.types, w.headers}) {
        if (!part.isnull)
            size += VARSIZE_ANY_EXHDR(DatumGetPointer(part.value));
    }
    if (size > max_filter_bytes)
        too_large("the streams, types and headers of the subscription are too large", size, max_filter_bytes);
}

// Anybody who may read may subscribe, and each one is a row for ever.
void check_room(Oid owner) {
    Datum values[] = {ObjectIdGetDatum(owner), Int64GetDatum(int64{pg::settings::max_subscriptions} + 1)};
    if (spi::write(count_statement, values, nullptr) <= static_cast<uint64>(pg::settings::max_subscriptions))
        return;
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many subscriptions of one role"),
                    errdetail("The limit is %d.", pg::settings::max_subscriptions),
                    errhint("Remove some with weir.unsubscribe(), or raise weir.max_subscriptions.")));
}

bool insert(wish const &w) {
    Oid owner = GetUserId();
    Datum id = Int64GetDatum(weir::log::life::new_id());
    spi::session session = spi::begin(weir::log::relation_oid(subscription_table));
    Datum values[] = {w.name_datum,           id, w.streams, w.types.value, w.headers.value, BoolGetDatum(w.hold),
                      ObjectIdGetDatum(owner)};
    bool nulls[] = {false, false, false, w.types.isnull, w.headers.isnull, false, false};
    bool inserted = spi::write(insert_statement, values, nulls) == 1;
    if (inserted)
        check_room(owner);
    spi::end(session);
    return inserted;
}

// A stream that is there begins where it was asked for; one that comes into being later,
// at its beginning.
bool subscribe(wish const &w) {
    outbox::lock_own_subscription(w.name);
    if (w.hold)
        outbox::keep_retention_out();
    bool made = insert(w);
    Snapshot snapshot = pg::take_snapshot();
    outbox::subscription s;
    if (!outbox::find_subscription(w.name, snapshot, s))
        elog(ERROR, "subscription vanished");
    outbox::require_owner(s);
    if (made) {
        std::string_view only;
        bool strict = outbox::is_single(s, &only);
        outbox::covered_streams streams = outbox::streams_of(s, outbox::lost::leave_out, snapshot);
        for (int i = 0; i < streams.count; i++) {
            outbox::covered_stream const &t = streams.streams[i];
            outbox::start at = outbox::find_start(pg::view_of(t.name), t.stream_id, w.start, strict, snapshot);
            outbox::move_cursor(s.id, t.stream_id, {}, at.position, at.frames);
        }
    } else if (!is_as_wished(s, w)) {
        ereport(ERROR, (errcode(pg::errcode_already_exists),
                        errmsg("subscription \"%.*s\" already exists", pg::shown(w.name), w.name.data()),
                        errdetail("It differs in its streams, types, headers or hold."),
                        errhint("Take another name, or remove it first with weir.unsubscribe().")));
    }
    UnregisterSnapshot(snapshot);
    return made;
}

Datum subscribe_call(FunctionCallInfo fcinfo, bool several) {
    enum { name_argument, stream_argument, after_argument, types_at, headers_at, hold_argument, since_argument };
    pg::require_writable(several ? "weir.subscribe_many()" : "weir.subscribe()");
    wish w{};
    w.name = outbox::subscription_argument(fcinfo, name_argument);
    w.name_datum = PG_GETARG_DATUM(name_argument);
    w.streams = streams_argument(fcinfo, stream_argument, several);
    w.start = outbox::take_place(fcinfo, after_argument, since_argument, "after", core::greatest);
    w.types = types_argument(fcinfo, types_at);
    w.headers = headers_argument(fcinfo, headers_at);
    if (PG_ARGISNULL(hold_argument))
        pg::null_argument("hold");
    w.hold = PG_GETARG_BOOL(hold_argument);
    check_filter_size(w);
    PG_RETURN_BOOL(subscribe(w));
}

} // namespace

WEIR_FUNCTION(weir_subscribe) { return subscribe_call(fcinfo, false); }
WEIR_FUNCTION(weir_subscribe_many) { return subscribe_call(fcinfo, true); }

WEIR_FUNCTION(weir_unsubscribe) {
    pg::require_writable("weir.unsubscribe()");
    std::string_view name = outbox::subscription_argument(fcinfo, 0);
    outbox::lock_own_subscription(name);
    Snapshot snapshot = pg::take_snapshot();
    outbox::subscription s;
    bool found = outbox::find_subscription(name, snapshot, s);
    if (found) {
        outbox::require_owner(s);
        outbox::remove_cursors(s.id, snapshot);
        spi::session session = spi::begin(weir::log::relation_oid(subscription_table));
        Datum id = Int64GetDatum(s.id);
        spi::write(remove_statement, &id, nullptr);
        spi::end(session);
    }
    UnregisterSnapshot(snapshot);
    PG_RETURN_BOOL(found);
}
