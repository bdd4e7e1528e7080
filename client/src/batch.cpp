// SPDX-License-Identifier: PostgreSQL
//
// A batch goes out as few statements: frames that follow each other and are of one kind
// are one. Where they are also of one stream, type and headers it is weir.append_batch,
// otherwise the plain call over unnested arrays, whose rows are taken in order.
#include "weir/batch.hpp"

#include "calls.hpp"
#include "decode.hpp"
#include "failure.hpp"

#include <algorithm>
#include <type_traits>

namespace weir::inline v0 {

namespace {

using namespace internal;

// Below the limits that a server has by default.
constexpr std::size_t max_frames = 5000, max_bytes = 8 << 20;

// A call, with what it was given in one piece of memory.
struct item {
    std::unique_ptr<char[]> held = {};
    std::size_t bytes;
    std::string_view stream, data;
    append_options options = {};
    payload::form form;
    keeping how;

    bool one_statement_with(item const &other) const { return how == other.how && form == other.form; }
    // One weir.append_batch even.
    bool one_batch_with(item const &other) const {
        return one_statement_with(other) && stream == other.stream && options == other.options;
    }
};

template <class F> void for_each_text(append_options &o, F &&f) {
    for_each_append_option([&](option const &, auto member) {
        if constexpr (std::is_same_v<std::optional<std::string_view>, std::remove_cvref_t<decltype(o.*member)>>)
            if (o.*member)
                f(*(o.*member));
    });
}

item item_of(keeping how, std::string_view stream, payload what, append_options const &o) {
    check_options(how, o);
    item i{.bytes = what.data().size(),
           .stream = stream,
           .data = what.data(),
           .options = o,
           .form = what.kind(),
           .how = how};
    for_each_text(i.options, [&](std::string_view text) { i.bytes += text.size(); });
    i.held = std::make_unique_for_overwrite<char[]>(i.bytes + stream.size());
    char *to = i.held.get();
    auto const keep = [&to](std::string_view &text) {
        char *const from = to;
        to = std::copy(text.begin(), text.end(), to);
        text = {from, text.size()};
    };
    keep(i.stream);
    keep(i.data);
    for_each_text(i.options, keep);
    return i;
}

// One statement and the frames that it appends.
struct run {
    std::span<item const> items;
    bool as_batch;
};

std::vector<run> runs_of(std::vector<item> const &items) {
    std::vector<run> runs;
    for (std::size_t from = 0; from < items.size();) {
        item const &first = items[from];
        auto const end_of = [&](auto &&belongs) {
            std::size_t to = from, bytes = 0;
            while (to < items.size() && to - from < max_frames && bytes < max_bytes && belongs(items[to]))
                bytes += items[to++].bytes;
            return to;
        };
        std::size_t to = end_of([&](item const &i) { return !i.options.idempotency_key && first.one_batch_with(i); });
        bool const as_batch = to - from > 16 || (to - from > 1 && to == items.size());
        if (!as_batch)
            to = end_of([&](item const &i) { return first.one_statement_with(i); });
        runs.push_back({std::span(items).subspan(from, to - from), as_batch});
        from = to;
    }
    return runs;
}

session::request request_of(run const &r) {
    item const &first = r.items.front();
    auto const array = [&r](parameters &p, element type, auto &&get) {
        p.begin(type, r.items.size());
        for (item const &i : r.items)
            p.add(get(i));
        p.end();
    };
    auto const data = [](item const &i) { return i.data; };
    if (r.as_batch) {
        session::request q{append_batch_statement(first.how, first.form), {}};
        q.with.raw(first.stream);
        array(q.with, element_of(first.form), data);
        add_options(q.with, first.how, first.options);
        add_each(q.with, {});
        return q;
    }
    session::request q{append_rows_statement(first.how, first.form), {}};
    array(q.with, element::text, [](item const &i) { return i.stream; });
    array(q.with, element_of(first.form), data);
    for_each_option_of(first.how, [&](option const &o, auto member) {
        array(q.with, o.type, [member](item const &i) { return in_parameter(i.options.*member); });
    });
    return q;
}

} // namespace

struct batch::state {
    std::vector<item> items;
    std::size_t bytes = 0;
    bool all_keyed = true;

    void add(item i) {
        bytes += i.bytes;
        all_keyed = all_keyed && i.options.idempotency_key;
        items.push_back(std::move(i));
    }
};

batch::batch() : state_(std::make_unique<state>()) {}
batch::~batch() = default;
batch::batch(batch &&) noexcept = default;
batch &batch::operator=(batch &&) noexcept = default;

void batch::append(std::string_view stream, payload what, append_options const &o) {
    state_->add(item_of(keeping::durable, stream, what, o));
}

void batch::append_best_effort(std::string_view stream, payload what, append_options const &o) {
    state_->add(item_of(keeping::best_effort, stream, what, o));
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
