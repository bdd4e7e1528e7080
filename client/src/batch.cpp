// SPDX-License-Identifier: PostgreSQL
//
// A batch goes out as few statements: frames that follow each other and are of one kind
// are one. Where they are also of one stream, type and headers it is weir.append_batch,
// otherwise the plain call over unnested arrays, whose rows are taken in order.
#include "weir/batch.hpp"

#include "calls.hpp"
#include "decode.hpp"
#include "failure.hpp"

#include <string>
#include <tuple>

namespace weir::inline v0 {

namespace {

using namespace internal;

// Below the limits that a server has by default.
constexpr std::size_t most_frames = 5000, most_bytes = 8 << 20;

struct item {
    std::string stream = {}, data = {};
    std::optional<std::string> type = {}, headers = {}, key = {}, lease = {};
    std::optional<std::int64_t> epoch = {};
    payload::form form = payload::form::json;
    bool best_effort = false;
    std::int64_t ttl_ms = 0;
    int floor = 0, ceiling = 0;
    double alpha = 0;

    // What frames of one statement have in common.
    auto kind() const { return std::tie(best_effort, form, ttl_ms, floor, ceiling, alpha); }
    // And of one weir.append_batch.
    auto frame_kind() const { return std::tie(stream, type, headers, lease, epoch); }
    std::size_t bytes() const { return data.size() + (type ? type->size() : 0) + (headers ? headers->size() : 0); }
};

std::optional<std::string> copy(std::optional<std::string_view> v) {
    return v ? std::optional<std::string>(*v) : std::nullopt;
}

std::optional<std::string_view> view(std::optional<std::string> const &v) {
    return v ? std::optional<std::string_view>(*v) : std::nullopt;
}

template <class Options> item item_of(std::string_view stream, payload what, Options const &o) {
    item i{.stream = std::string(stream), .data = std::string(what.data())};
    i.form = what.kind();
    i.type = copy(o.type);
    i.headers = copy(o.headers);
    i.key = copy(o.idempotency_key);
    i.lease = copy(o.lease);
    i.epoch = o.epoch;
    return i;
}

#define WEIR_DURABLE "u.s, u.p, type => u.t, headers => u.h, idempotency_key => u.k, lease => u.l, epoch => u.e"
#define WEIR_BEST_EFFORT                                                                                               \
    WEIR_DURABLE ", ttl_ms => $8::int4, maxlen_floor => $9::int4, maxlen_ceiling => $10::int4, ema_alpha => "          \
                 "$11::float8"
#define WEIR_ROWS(payloads)                                                                                            \
    ")::bigint FROM unnest($1::text[], $2::" payloads                                                                  \
    ", $3::text[], $4::jsonb[], $5::text[], $6::text[], $7::int8[]) AS u(s, p, t, h, k, l, e)"

constexpr statement appends[] = {
    {"SELECT weir.append(" WEIR_DURABLE WEIR_ROWS("jsonb[]")},
    {"SELECT weir.append_text(" WEIR_DURABLE WEIR_ROWS("text[]")},
    {"SELECT weir.append_bytes(" WEIR_DURABLE WEIR_ROWS("bytea[]")},
};
constexpr statement best_efforts[] = {
    {"SELECT weir.append_best_effort(" WEIR_BEST_EFFORT WEIR_ROWS("jsonb[]")},
    {"SELECT weir.append_best_effort_text(" WEIR_BEST_EFFORT WEIR_ROWS("text[]")},
    {"SELECT weir.append_best_effort_bytes(" WEIR_BEST_EFFORT WEIR_ROWS("bytea[]")},
};

// One statement and the frames that it appends.
struct run {
    std::span<item const> items;
    bool as_batch;
};

std::vector<run> runs_of(std::vector<item> const &items) {
    std::vector<run> runs;
    for (std::size_t from = 0; from < items.size();) {
        auto const &first = items[from];
        std::size_t to = from, bytes = 0;
        // As long as they could be one weir.append_batch, and as long as they are of one kind.
        while (to < items.size() && to - from < most_frames && bytes < most_bytes && !items[to].key &&
               items[to].kind() == first.kind() && items[to].frame_kind() == first.frame_kind())
            bytes += items[to++].bytes();
        bool const as_batch = to - from > 16 || (to - from > 1 && to == items.size());
        if (!as_batch) {
            bytes = 0;
            to = from;
            while (to < items.size() && to - from < most_frames && bytes < most_bytes &&
                   items[to].kind() == first.kind())
                bytes += items[to++].bytes();
        }
        runs.push_back({std::span(items).subspan(from, to - from), as_batch});
        from = to;
    }
    return runs;
}

session::request request_of(run const &r) {
    item const &first = r.items.front();
    auto const form = static_cast<std::size_t>(first.form);
    session::request q;
    parameters &p = q.with;
    auto column = [&](element type, auto &&get) {
        p.begin(type, r.items.size());
        for (item const &i : r.items)
            p.add(get(i));
        p.end();
    };
    auto data = [](item const &i) { return std::string_view(i.data); };
    if (r.as_batch) {
        p.raw(first.stream);
        column(element_of(first.form), data);
        p.raw(view(first.type)).jsonb(view(first.headers)).null().raw(view(first.lease)).bigint(first.epoch);
        q.what =
            first.best_effort ? append_best_effort_batch_statement(first.form) : append_batch_statement(first.form);
    } else {
        column(element::text, [](item const &i) { return std::string_view(i.stream); });
        column(element_of(first.form), data);
        column(element::text, [](item const &i) { return view(i.type); });
        column(element::jsonb, [](item const &i) { return view(i.headers); });
        column(element::text, [](item const &i) { return view(i.key); });
        column(element::text, [](item const &i) { return view(i.lease); });
        column(element::int8, [](item const &i) { return i.epoch; });
        q.what = first.best_effort ? best_efforts[form] : appends[form];
    }
    if (first.best_effort)
        p.integer(static_cast<std::int32_t>(first.ttl_ms))
            .integer(first.floor)
            .integer(first.ceiling)
            .real(first.alpha);
    return q;
}

} // namespace

struct batch::state {
    std::vector<item> items;
    std::size_t bytes = 0;
    bool all_keyed = true;

    void add(item i) {
        bytes += i.bytes();
        all_keyed = all_keyed && i.key;
        items.push_back(std::move(i));
    }
};

batch::batch() : state_(std::make_unique<state>()) {}
batch::~batch() = default;
batch::batch(batch &&) noexcept = default;
batch &batch::operator=(batch &&) noexcept = default;

void batch::append(std::string_view stream, payload what, append_options const &o) {
    state_->add(item_of(stream, what, o));
}

void batch::append_best_effort(std::string_view stream, payload what, best_effort_options const &o) {
    item i = item_of(stream, what, o);
    i.best_effort = true;
    i.ttl_ms = o.ttl.count();
    i.floor = o.maxlen_floor;
    i.ceiling = o.maxlen_ceiling;
    i.alpha = o.ema_alpha;
    state_->add(std::move(i));
}

std::size_t batch::size() const noexcept { return state_->items.size(); }
std::size_t batch::bytes() const noexcept { return state_->bytes; }

void batch::clear() noexcept {
    state_->items.clear();
    state_->bytes = 0;
    state_->all_keyed = true;
}

result<std::vector<position>> batch::send(connection &db) const {
    if (empty())
        return std::vector<position>();
    return refusable<std::vector<position>>([&] {
        auto const runs = runs_of(state_->items);
        std::vector<session::request> requests;
        requests.reserve(runs.size());
        for (run const &r : runs)
            requests.push_back(request_of(r));
        repeat const again = state_->all_keyed ? repeat::allowed : repeat::never;
        std::vector<pg_result> answers;
        if (requests.size() == 1)
            answers.push_back(db.session().run(requests[0].what, requests[0].with, again));
        else
            answers = db.session().run_all(requests, again);
        std::vector<position> ids;
        ids.reserve(size());
        for (std::size_t i = 0; i < runs.size(); i++) {
            PGresult const *const r = answers[i].get();
            if (runs[i].as_batch) {
                // Consecutive: the integer form counts up, also past a full millisecond.
                position const first = row(r, 0).at(0);
                for (std::size_t n = 0; n < runs[i].items.size(); n++)
                    ids.emplace_back(first.value() + static_cast<std::int64_t>(n));
            } else {
                for (int n = 0; n < PQntuples(r); n++)
                    ids.push_back(row(r, n).at(0));
            }
        }
        return ids;
    });
}

} // namespace weir::inline v0
