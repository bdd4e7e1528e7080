// SPDX-License-Identifier: PostgreSQL
//
// Claim: every call of a stream does what the call of that name does in SQL, bytes come
// back as they were sent, and refusals are values.
#include "options.hpp"
#include "support.hpp"

#include <array>

using namespace test;

namespace {

std::vector<std::byte> every_byte() {
    std::vector<std::byte> all;
    for (int i = 0; i < 256; i++)
        all.push_back(static_cast<std::byte>(i));
    return all;
}

using reason = weir::refusal::reason;

} // namespace

TEST_CASE("each frame of a batch has its own type and headers", "[stream]") {
    weir::connection db;
    weir::stream s(db, unique("each"));
    std::string_view const three[] = {"1", "2", "3"};
    std::optional<std::string_view> const types[] = {"a", std::nullopt, "c"},
                                          headers[] = {std::nullopt, "{\"n\": 2}", {}};
    std::span<std::string_view const> const jsons(three);
    weir::append_options const all{.type = "all"};
    weir::each_options const each{.types = types, .headers = headers};
    for (auto const call : {&weir::stream::append_batch, &weir::stream::append_text_batch,
                            &weir::stream::append_best_effort_batch, &weir::stream::append_best_effort_text_batch}) {
        weir::position const first = (s.*call)(jsons, all, each).value().first_id;
        auto const frames = s.read({.after = weir::position(first.value() - 1)}).value();
        REQUIRE(frames.size() == 3);
        CHECK(frames[0].type == "a");
        CHECK(!frames[0].headers);
        CHECK(frames[1].type == "all");
        CHECK(frames[1].headers == "{\"n\": 2}");
        CHECK(frames[2].type == "c");
    }
    std::span<std::byte const> const pieces[] = {std::as_bytes(std::span(three[0])),
                                                 std::as_bytes(std::span(three[1]))};
    CHECK(s.append_bytes_batch(pieces, {}, {.types = std::span(types).first(2)}).value().frames == 2);
    CHECK(s.append_best_effort_bytes_batch(pieces, {}, {.headers = std::span(headers).first(2)}).value().frames == 2);
    try {
        (void)s.append_batch(jsons, {}, {.types = std::span(types).first(2)});
        FAIL("it was taken");
    } catch (weir::error const &e) {
        CHECK(e.sqlstate() == "22023");
    }
}

TEST_CASE("streams are listed by page and dropped by pattern", "[stream]") {
    weir::connection db;
    std::string const all = unique("list");
    for (char const *n : {"/a", "/b", "/c"})
        (void)weir::stream(db, all + n).append("1").value();
    weir::stream(db, all + "/b").close();
    auto const page = weir::list_streams(db, {.pattern = all + "/*", .max = 2});
    REQUIRE(page.size() == 2);
    CHECK(page[0].stream == all + "/a");
    CHECK(!page[0].closed);
    CHECK(page[1].closed);
    auto const rest = weir::list_streams(db, {.pattern = all + "/*", .after = page[1].stream});
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].stream == all + "/c");
    CHECK(weir::drop_streams(db, all + "/?") == 3);
    CHECK(weir::list_streams(db, {.pattern = all + "/*"}).empty());
}

TEST_CASE("frames come back as they were sent") {
    weir::connection db;
    weir::stream s(db, unique("every form \"quoted\" 'x' \\ é"));
    auto const bytes = every_byte();
    std::string_view const odd = "text with 'quotes', \\ and \u00e9\U0001f600\n";
    auto const a = s.append(R"({"a": [1, null, "x"]})", {.type = "t1", .headers = R"({"k": "v"})"}).value();
    auto const b = s.append_text(odd).value();
    auto const c = s.append_bytes(bytes).value();
    auto const d = s.append_bytes({}).value();
    auto const e = s.append_best_effort("1").value();
    auto const f = s.append_best_effort_text("best_effort", {.type = "t2"}).value();
    auto const g = s.append_best_effort_bytes(bytes).value();
    auto const h = s.append_patch(R"({"p": 1})").value();
    auto const frames = s.read().value();
    REQUIRE(frames.size() == 8);
    auto const ids = std::array{a, b, c, d, e, f, g, h.id};
    for (std::size_t i = 0; i < ids.size(); i++)
        CHECK(frames[i].id == ids[i]);
    CHECK(frames[0].type == "t1");
    CHECK(frames[0].headers == R"({"k": "v"})");
    CHECK(frames[0].payload == R"({"a": [1, null, "x"]})");
    CHECK(!frames[0].bytes);
    CHECK(frames[1].text() == odd);
    CHECK(!frames[1].type);
    CHECK(frames[2].bytes == bytes);
    CHECK(!frames[2].payload);
    REQUIRE(frames[3].bytes);
    CHECK(frames[3].bytes->empty());
    CHECK(frames[4].mode == weir::frame_mode::best_effort);
    CHECK(frames[5].text() == "best_effort");
    CHECK(frames[6].bytes == bytes);
    CHECK(frames[7].mode == weir::frame_mode::summary);
    CHECK(h.summary_version == 1);
    CHECK(value(
              db, "SELECT extract(epoch FROM at)::numeric * 1000 = " +
                      std::to_string(frames[0].at().time_since_epoch().count()) + " FROM weir.read('" +
                      [&] {
                          std::string n = s.name();
                          for (std::size_t i = 0; (i = n.find('\'', i)) != n.npos; i += 2)
                              n.insert(i, "'");
                          return n;
                      }() +
                      "') LIMIT 1") == "t");
}

TEST_CASE("batches keep their order and their bytes") {
    weir::connection db;
    weir::stream s(db, unique("batch"));
    auto const bytes = every_byte();
    std::vector<std::string> texts;
    std::vector<std::string_view> views;
    for (int i = 0; i < 500; i++)
        texts.push_back(std::to_string(i));
    for (auto const &t : texts)
        views.push_back(t);
    std::span<std::byte const> const raw[] = {bytes, {}, std::span(bytes).first(1)};
    CHECK(s.append_batch(views, {.type = "n"}).value().frames == 500);
    CHECK(s.append_text_batch(views).value().frames == 500);
    auto const three = s.append_bytes_batch(raw).value();
    CHECK(three.frames == 3);
    CHECK(three.first_id < three.last_id);
    CHECK(s.append_best_effort_batch(views).value().frames == 500);
    CHECK(s.append_best_effort_text_batch(std::span(views).first(2)).value().frames == 2);
    CHECK(s.append_best_effort_bytes_batch(raw).value().frames == 3);
    auto const frames = s.read({.max = 10000}).value();
    REQUIRE(frames.size() == 1508);
    for (std::size_t i = 0; i < 500; i++) {
        CHECK(frames[i].payload == texts[i]);
        CHECK(frames[i].type == "n");
        CHECK(frames[500 + i].text() == texts[i]);
        CHECK(frames[1003 + i].payload == texts[i]);
    }
    CHECK(frames[1000].bytes == bytes);
    CHECK(frames[1001].bytes->empty());
    CHECK(frames[1002].id == three.last_id);
}

TEST_CASE("what the matter refuses is a value") {
    weir::connection db;
    weir::stream s(db, unique("refused"));
    (void)s.append("1", {.idempotency_key = "k"}).value();
    auto const conflict = s.append("2", {.idempotency_key = "k"});
    REQUIRE(!conflict);
    CHECK(conflict.error().why == reason::idempotency_conflict);
    CHECK(conflict.error().sqlstate() == "WR005");
    CHECK(!conflict.error().message.empty());
    auto const ahead = s.read({.after = weir::position::greatest()});
    REQUIRE(!ahead);
    CHECK(ahead.error().why == reason::cursor_ahead);
    CHECK(s.summary_at(weir::position::greatest()).error().why == reason::cursor_ahead);
    auto const mark = s.close("done");
    CHECK(s.close() == mark);
    for (auto const &refused : {s.append("3"), s.append_text("3"), s.append_bytes({}), s.append_best_effort("3")}) {
        REQUIRE(!refused);
        CHECK(refused.error().why == reason::stream_closed);
        CHECK_THROWS_AS(refused.value(), weir::error);
    }
    CHECK(!s.append_patch("{}"));
    std::string_view const one[] = {"1"};
    CHECK(!s.append_batch(one));
    CHECK(!s.append_best_effort_batch(one));
}

TEST_CASE("a lease fences every kind of append") {
    weir::connection db;
    weir::stream s(db, unique("fenced"));
    std::string const lease = s.name();
    std::int64_t const epoch =
        std::stoll(value(db, "SELECT epoch FROM weir.lease_acquire('" + lease + "', 'me', interval '1 hour')"));
    std::string_view const one[] = {"1"};
    weir::batch batch;
    batch.append(s.name(), weir::json("1"), {.lease = lease, .epoch = epoch});
    batch.append_best_effort(s.name(), weir::json("1"), {.lease = lease, .epoch = epoch});
    auto const all = [&](std::int64_t e) {
        return std::array{s.append("1", {.lease = lease, .epoch = e}).has_value(),
                          s.append_best_effort("1", {.lease = lease, .epoch = e}).has_value(),
                          s.append_batch(one, {.lease = lease, .epoch = e}).has_value(),
                          s.append_best_effort_text_batch(one, {.lease = lease, .epoch = e}).has_value(),
                          s.append_patch("{}", {.lease = lease, .epoch = e}).has_value()};
    };
    CHECK(all(epoch) == std::array{true, true, true, true, true});
    CHECK(batch.send(db));
    CHECK(all(epoch + 1) == std::array{false, false, false, false, false});
    CHECK(s.append("1", {.lease = lease, .epoch = epoch + 1}).error().why == reason::stale_lease);
    CHECK(s.append("1", {.lease = "no such", .epoch = 1}).error().why == reason::lease_not_held);
    CHECK(value(db, "SELECT weir.lease_revoke('" + lease + "', 'you')") == "t");
    CHECK(s.append("1", {.lease = lease, .epoch = epoch}).error().why == reason::lease_revoked);
    CHECK(!batch.send(db));
    CHECK_THROWS_AS(s.append("1", {.lease = lease}), weir::error);
}

TEST_CASE("bad input is an error with the server's SQLSTATE") {
    weir::connection db;
    weir::stream s(db, unique("bad"));
    auto sqlstate = [](auto &&f) -> std::string {
        try {
            f();
            return "none";
        } catch (weir::error const &e) {
            CHECK(e.retry_is_safe());
            return e.sqlstate();
        }
    };
    CHECK(sqlstate([&] { (void)s.append("{"); }) == "22P02");
    CHECK(sqlstate([&] { (void)s.append(""); }) == "22P02");
    CHECK(sqlstate([&] { (void)s.append_text(std::string_view("a\0b", 3)); }) == "22021");
    CHECK(sqlstate([&] { (void)s.append_text("\xff"); }) == "22021");
    CHECK(sqlstate([&] { (void)s.append("1", {.headers = "[]"}); }) == "22023");
    CHECK(sqlstate([&] { (void)s.append_patch("[]"); }) == "22023");
    CHECK(sqlstate([&] { (void)s.append_batch({}); }) == "22023");
    CHECK(sqlstate([&] { (void)s.append_best_effort("1", {.ttl = 0ms}); }) == "22023");
    CHECK(sqlstate([&] { (void)s.append_best_effort("1", {.ttl = std::chrono::hours(1 << 20)}); }) == "22023");
    CHECK(sqlstate([&] { (void)s.append("1", {.ttl = 1s}); }) == "22023");
    CHECK(sqlstate([&] { weir::batch().append(s.name(), weir::json("1"), {.ttl = 1s}); }) == "22023");
    CHECK(sqlstate([&] { (void)s.read({.max = 0}); }) == "22023");
    CHECK(sqlstate([&] { (void)s.append_text(std::string(2 << 20, 'x')); }) == "54000");
    CHECK(sqlstate([&] { (void)weir::stream(db, "").append("1"); }) == "22023");
    CHECK(sqlstate([&] { (void)weir::stream(db, std::string("a\0b", 3)).append("1"); }) == "22021");
    CHECK(sqlstate([&] { (void)weir::stream(db, std::string(1000, 'x')).head(); }) == "54000");
    CHECK(s.read().value().empty());
}

TEST_CASE("reading: from, to, filters, backwards") {
    weir::connection db;
    weir::stream s(db, unique("read"));
    CHECK(s.read().value().empty());
    CHECK(s.head() == weir::position::least());
    CHECK(!s.info());
    std::vector<weir::position> ids;
    for (int i = 0; i < 10; i++)
        ids.push_back(
            s.append(std::to_string(i), {.type = i % 2 ? "odd" : "even", .headers = i == 7 ? R"({"x": 1})" : "{}"})
                .value());
    ids.push_back(s.append_best_effort("10").value());
    CHECK(s.head() == ids.back());
    CHECK(s.read({.after = ids[3]}).value().size() == 7);
    CHECK(s.read({.after = ids[3], .upto = ids[5]}).value().size() == 2);
    CHECK(s.read({.max = 3}).value().size() == 3);
    CHECK(s.read({.best_effort = false}).value().size() == 10);
    CHECK(s.read({.types = {"odd"}}).value().size() == 5);
    CHECK(s.read({.types = {"odd", "even"}}).value().size() == 10);
    CHECK(s.read({.headers = R"({"x": 1})"}).value().front().id == ids[7]);
    CHECK(s.read({.max = 1, .reverse = true}).value().front().id == ids.back());
    CHECK(s.read({.since = ids[0].time()}).value().size() == 11);
    CHECK(s.read({.since = ids.back().time() + 1h}).value().empty());
    auto const info = s.info();
    REQUIRE(info);
    CHECK(info->stream == s.name());
    CHECK(info->frames == 11);
    CHECK(info->first_id == ids[0]);
    CHECK(info->best_effort_frames == 1);
    CHECK(info->rate_hz);
    CHECK(!info->closed);
    auto const all = weir::streams(db);
    CHECK(std::any_of(all.begin(), all.end(), [&](auto const &i) { return i.stream == s.name() && i.frames == 11; }));
    CHECK(s.trim_keep(5) >= 5);
    CHECK(s.trim_before(weir::position::greatest()) >= 4);
    CHECK(s.drop());
    CHECK(!s.drop());
}

TEST_CASE("several streams in one read") {
    weir::connection db;
    weir::stream a(db, unique("many")), b(db, unique("many"));
    auto const first = a.append("1").value();
    (void)a.append("2").value();
    (void)b.append("3").value();
    weir::stream_cursor const cursors[] = {{a.name(), first}, {b.name(), {}}, {"no such stream", {}}};
    auto const frames = weir::read_many(db, cursors).value();
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].stream == a.name());
    CHECK(frames[0].frame.payload == "2");
    CHECK(frames[1].stream == b.name());
    // The options of read().
    weir::stream_cursor const upto[] = {{a.name(), {}, first}, {b.name(), {}}};
    auto const bounded = weir::read_many(db, upto, {.reverse = true}).value();
    REQUIRE(bounded.size() == 2);
    CHECK(bounded[0].frame.id == first);
    CHECK(bounded[1].frame.payload == "3");
    auto const later = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now() + 1h);
    CHECK(weir::read_many(db, upto, {.since = later}).value().empty());
    weir::stream_cursor const ahead[] = {{a.name(), weir::position::greatest()}};
    CHECK(weir::read_many(db, ahead).error().why == reason::cursor_ahead);
}

TEST_CASE("the rolling document") {
    weir::connection db;
    weir::stream s(db, unique("summary"));
    CHECK(!s.summary());
    CHECK(s.create({.null_sentinel = "NIL"}));
    CHECK(!s.create({.null_sentinel = "NIL"}));
    auto const first = s.append_patch(R"({"a": 1, "b": {"c": "NIL"}})").value();
    CHECK(s.append_patch(R"({"a": null})").value().summary_version == 2);
    auto const now = s.summary();
    REQUIRE(now);
    CHECK(now->document == R"({"b": {"c": null}})");
    CHECK(now->version == 2);
    CHECK(now->first_applied == first.id.time());
    CHECK(now->id > first.id);
    auto const then = s.summary_at(first.id).value();
    CHECK(!s.summary_at(first.id.time() - std::chrono::hours(1)).value());
    CHECK(s.summary_at(first.id.time() + std::chrono::milliseconds(1)).value()->version >= then->version);
    REQUIRE(then);
    CHECK(then->version == 1);
}

TEST_CASE("properties of a stream are set, altered and reset") {
    weir::connection db;
    weir::stream s(db, unique("properties"));
    auto const set = [&] { return s.info()->properties; };
    CHECK(s.create({.null_sentinel = "NIL", .max_age = 24h, .max_frames = 1000}));
    CHECK(!s.create({.max_frames = 1}));
    CHECK(set() == R"({"max_age": "1 day", "max_frames": 1000, "null_sentinel": "NIL"})");
    s.alter({.max_frames = 10, .hold_age = 90min});
    std::array<std::string, 1> const max_age{"max_age"}, unknown{"colour"};
    s.alter({}, max_age);
    CHECK(set() == R"({"hold_age": "01:30:00", "max_frames": 10, "null_sentinel": "NIL"})");
    auto const sqlstate = [](auto &&f) -> std::string {
        try {
            f();
        } catch (weir::error const &e) {
            return e.sqlstate();
        }
        return "none";
    };
    s.alter({.ttl = 1h, .expires_at = std::chrono::sys_days(std::chrono::year(2200) / 1 / 2)});
    CHECK(value(db, "SELECT (i.properties ->> 'ttl') || ' ' || (i.properties ->> 'expires_at')::date"
                    " FROM weir.stream_info('" +
                        s.name() + "') i") == "01:00:00 2200-01-02");
    CHECK(sqlstate([&] { s.alter({}); }) == "22023");
    CHECK(sqlstate([&] { s.alter({}, unknown); }) == "22023");
    CHECK(sqlstate([&] { s.alter({.max_frames = -1}); }) == "22023");
    CHECK(sqlstate([&] { s.alter({.null_sentinel = "other"}); }) == "55000");
    CHECK(sqlstate([&] { weir::stream(db, unique("nowhere")).alter({.max_frames = 1}); }) == "42704");
}

TEST_CASE("the client knows each property that the server knows, by its type") {
    weir::connection db;
    std::string here;
    auto const has = [](std::string_view text, char const *part) { return text.find(part) != text.npos; };
    weir::internal::for_each_property([&](weir::internal::option const &o, auto) {
        std::string const type = has(o.value, "timestamptz") ? "timestamptz"
                                 : has(o.value, "interval")  ? "interval"
                                                             : weir::internal::sql_type(o.type);
        here += std::string(o.name) + " " + type + "\n";
    });
    CHECK(here == value(db,
                        "SELECT string_agg(p.property || ' ' || t.typname || E'\\n', '' ORDER BY p.n)"
                        " FROM weir.list_stream_properties() WITH ORDINALITY AS p(property, type, \"default\", range,"
                        " alterable, n) JOIN pg_catalog.pg_type t ON t.oid = p.type"));
}

TEST_CASE("a batch of many streams is one transaction, in order") {
    weir::connection db;
    weir::stream a(db, unique("mixed")), b(db, unique("mixed"));
    auto const bytes = every_byte();
    weir::batch batch;
    CHECK(batch.send(db).value().empty());
    batch.append(a.name(), weir::text("out 1"), {.type = "stdout"});
    batch.append(a.name(), weir::text("err 1"), {.type = "stderr"});
    batch.append(b.name(), weir::json("{}"));
    batch.append(a.name(), weir::bytes(bytes), {.headers = R"({"h": 1})"});
    batch.append_best_effort(b.name(), weir::text("best_effort"));
    for (int i = 0; i < 100; i++)
        batch.append(a.name(), weir::text("line " + std::to_string(i)));
    CHECK(batch.size() == 105);
    CHECK(batch.bytes() > 500);
    auto const ids = batch.send(db).value();
    REQUIRE(ids.size() == 105);
    auto const in_a = a.read().value(), in_b = b.read().value();
    REQUIRE(in_a.size() == 103);
    REQUIRE(in_b.size() == 2);
    CHECK(in_a[0].id == ids[0]);
    CHECK(in_a[0].type == "stdout");
    CHECK(in_a[1].type == "stderr");
    CHECK(in_a[1].text() == "err 1");
    CHECK(in_a[2].bytes == bytes);
    CHECK(in_a[2].headers == R"({"h": 1})");
    for (std::size_t i = 0; i < 100; i++) {
        CHECK(in_a[3 + i].text() == "line " + std::to_string(i));
        CHECK(in_a[3 + i].id == ids[5 + i]);
    }
    CHECK(in_b[0].id == ids[2]);
    CHECK(in_b[1].id == ids[4]);
    b.close();
    auto const refused = batch.send(db);
    REQUIRE(!refused);
    CHECK(refused.error().why == reason::stream_closed);
    CHECK(a.read().value().size() == 103); // all or none
    batch.clear();
    CHECK(batch.empty());
    batch.append(a.name(), weir::text("x"), {.idempotency_key = "x"});
    auto const once = batch.send(db).value();
    CHECK(batch.send(db).value() == once);
}

TEST_CASE("a pipeline reports every append in order, and a group fails as a whole") {
    weir::connection db;
    weir::stream open(db, unique("pipeline")), closed(db, unique("pipeline"));
    closed.close();
    std::vector<weir::append_outcome> outcomes;
    auto collect = [&](weir::append_outcome const &o) { outcomes.push_back(o); };
    {
        weir::pipeline p(db, collect, {.group = 10, .groups = 3});
        for (int i = 0; i < 95; i++)
            CHECK(p.append(open.name(), weir::json(std::to_string(i))) == static_cast<std::size_t>(i));
        p.finish();
        REQUIRE(outcomes.size() == 95);
        auto const frames = open.read().value(); // the connection is free again
        REQUIRE(frames.size() == 95);
        for (std::size_t i = 0; i < 95; i++) {
            CHECK(outcomes[i].number == i);
            CHECK(outcomes[i].value() == frames[i].id);
        }
        outcomes.clear();
        for (int i = 0; i < 30; i++)
            p.append(i == 15 ? closed.name() : open.name(), weir::text("x"));
        p.append_best_effort(open.name(), weir::text("y"));
        p.append_patch(open.name(), R"({"z": 1})");
        p.flush();
        p.finish();
    }
    REQUIRE(outcomes.size() == 32);
    for (std::size_t i = 0; i < 32; i++) {
        if (i == 15) {
            REQUIRE(std::holds_alternative<weir::refusal>(outcomes[i].what));
            CHECK(std::get<weir::refusal>(outcomes[i].what).why == reason::stream_closed);
        } else if (i >= 10 && i < 20) {
            REQUIRE(std::holds_alternative<weir::error>(outcomes[i].what));
            CHECK(std::get<weir::error>(outcomes[i].what).retry_is_safe());
        } else {
            CHECK(outcomes[i].ok());
        }
    }
    CHECK(open.read().value().size() == 95 + 20 + 2);
    db.execute("BEGIN");
    CHECK_THROWS_AS(weir::pipeline(db, collect).append("x", weir::json("1")), weir::error);
    db.execute("ROLLBACK");
    {
        weir::pipeline p(db, collect);
        p.append(open.name(), weir::json("\"left\""));
    }
    CHECK(open.read().value().size() == 117); // never sent
}

TEST_CASE("a bookmark moves a filtered read on past what it drops") {
    weir::connection db;
    weir::stream s(db, unique("bookmark"));
    (void)s.append("1", {.type = "wanted"}).value();
    auto const last = s.append("2", {.type = "other"}).value();
    weir::read_options wanted{.types = {"wanted"}, .bookmark = true};
    auto frames = s.read(wanted).value();
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].payload == "1");
    CHECK(frames[1].mode == weir::frame_mode::bookmark);
    CHECK(frames[1].id == last);
    CHECK(!frames[1].type);
    wanted.after = frames[1].id;
    frames = s.read(wanted).value();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].id == last);
    std::array const from{weir::stream_cursor{s.name(), {}}};
    auto const many = weir::read_many(db, from, {.bookmark = true}).value();
    REQUIRE(many.size() == 3);
    CHECK(many[2].frame.mode == weir::frame_mode::bookmark);
    CHECK_THROWS_AS(s.read({.reverse = true, .bookmark = true}), weir::error);
}

namespace {
// A wait that is over at once, and why.
weir::wait_reason outcome(weir::result<weir::wait_outcome> const &waited) {
    CHECK(waited.value().ready == (waited->reason == weir::wait_reason::frames));
    return waited->reason;
}
} // namespace

TEST_CASE("waiting in the server ends with a frame, a close, a time or a stop, and says which") {
    using why = weir::wait_reason;
    weir::connection db, other;
    weir::stream s(db, unique("wait")), writer(other, s.name());
    auto const first = writer.append("1").value();
    CHECK(outcome(s.wait({}, long_enough)) == why::frames);
    CHECK(outcome(s.wait(first, 100ms)) == why::timeout);
    CHECK(outcome(s.wait(first, 0s)) == why::timeout);
    std::jthread const soon([&writer] {
        std::this_thread::sleep_for(100ms);
        (void)writer.append("2").value();
    });
    CHECK(outcome(s.wait(first, long_enough)) == why::frames);
    auto const last = s.head();
    std::stop_source stop;
    std::jthread const stopper([&stop] {
        std::this_thread::sleep_for(100ms);
        stop.request_stop();
    });
    CHECK(outcome(s.wait(last, stop.get_token())) == why::stopped);
    db.execute("BEGIN");
    CHECK_THROWS_AS(s.wait(last, 1s), weir::error);
    db.execute("ROLLBACK");
    CHECK(s.wait(weir::position::greatest(), 1s).error().why == reason::cursor_ahead);

    (void)writer.trim_keep(1);
    CHECK(outcome(s.wait(first, 1s)) == why::frames); // nothing behind it is gone
    auto const third = writer.append("3").value();
    (void)writer.trim_keep(1);
    CHECK(outcome(s.wait(first, long_enough)) == why::expired);
    CHECK(outcome(s.wait(third, 0s)) == why::timeout);
    auto const end = writer.close();
    CHECK(outcome(s.wait(third, long_enough)) == why::frames); // the close mark
    CHECK(outcome(s.wait(end, long_enough)) == why::closed);
    REQUIRE(writer.drop());
    CHECK(outcome(s.wait(end, long_enough)) == why::dropped);
}

TEST_CASE("a subscription waits for what its filter lets through") {
    using why = weir::wait_reason;
    weir::connection db;
    weir::stream s(db, unique("waited"));
    weir::subscription sub(db, s.name());
    try {
        (void)sub.wait(0s);
        FAIL("no error");
    } catch (weir::error const &e) {
        CHECK(e.sqlstate() == "42704");
    }
    REQUIRE(sub.subscribe(s.name(), {.types = {"wanted"}}).value());
    CHECK(outcome(sub.wait(0s)) == why::timeout);
    (void)s.append("1", {.type = "other"}).value();
    CHECK(outcome(sub.wait(100ms)) == why::timeout);
    (void)s.append("2", {.type = "wanted"}).value();
    CHECK(outcome(sub.wait(long_enough)) == why::frames);
    (void)sub.ack(s.name(), s.close()).value();
    CHECK(outcome(sub.wait(long_enough)) == why::closed);
    REQUIRE(sub.unsubscribe());
}
