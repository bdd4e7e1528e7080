// SPDX-License-Identifier: PostgreSQL
//
// weir emit: events, from the command line or from the lines of standard input, all in one transaction.
#include "shell/exit.hpp"
#include "verbs/verb.hpp"
#include "weir/outbox.hpp"

#include <iostream>
#include <iterator>

namespace weir::command {

namespace {

struct emit_verb {
    std::string stream = {}, type = {}, headers = {};
    std::optional<std::string> payload = {};
    bool text = false, bytes = false, lines = false;

    int operator()(command &all) const;

private:
    std::vector<std::string> take() const;
};

std::vector<std::string> emit_verb::take() const {
    std::vector<std::string> all;
    if (lines) {
        for (std::string line; std::getline(std::cin, line);)
            if (!line.empty())
                all.push_back(std::move(line));
    } else if (payload == "-") {
        all.emplace_back(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    } else {
        all.push_back(payload.value_or("{}"));
    }
    return all;
}

int emit_verb::operator()(command &all) const {
    // The server is asked first: whoever types the payload should not do it for nothing.
    connection db = all.server.connect(std::chrono::seconds(0));
    std::vector<std::string> const payloads = take();
    std::vector<new_event> events;
    auto const given = [](std::string const &s) {
        return s.empty() ? std::nullopt : std::optional<std::string_view>(s);
    };
    for (std::string const &p : payloads)
        events.push_back({.stream = stream,
                          .payload = text    ? weir::text(p)
                                     : bytes ? weir::bytes(std::as_bytes(std::span(p)))
                                             : weir::json(p),
                          .type = given(type),
                          .headers = given(headers)});
    try {
        expect(weir::emit(db, events));
    } catch (error const &e) {
        if (e.sqlstate() != "22P02")
            throw;
        throw failure(failed, e.what(),
                      text || bytes ? "Headers have to be JSON."
                                    : "Payload and headers have to be JSON; --text takes any text, --bytes anything.");
    }
    return done;
}

} // namespace

void add_emit(command &all) {
    auto o = std::make_shared<emit_verb>();
    arguments verb(all.line, "emit", "Emit events to a stream",
                   R"(weir emit orders '{"order": 4711}' --type paid --headers '{"region": "eu"}'
weir emit deployments --type done
jq -c '.[]' orders.json | weir emit orders --type imported --lines      all of them or none)");
    verb.required("STREAM", o->stream, "The stream");
    auto payload =
        verb.place("PAYLOAD", o->payload, "JSON, unless an option says otherwise; - reads it from standard input ({})");
    auto text = verb.flag("--text", o->text, "The payload is text");
    verb.flag("--bytes", o->bytes, "The payload is raw bytes").excludes(text);
    verb.text("-t,--type", o->type, "TYPE", "What happened");
    verb.text("--headers", o->headers, "JSON", "A JSON object to go with it, which subscriptions can filter by");
    verb.flag("--lines", o->lines, "Each line of standard input is the payload of an event").excludes(payload);
    all.run_by(verb, o);
}

} // namespace weir::command
