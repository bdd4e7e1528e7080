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
    bool lines = false;

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
    for (std::string const &p : payloads)
        events.push_back({.stream = stream,
                          .type = type,
                          .payload = p,
                          .headers = headers.empty() ? std::nullopt : std::optional<std::string_view>(headers)});
    try {
        expect(weir::emit(db, events));
    } catch (error const &e) {
        if (e.sqlstate() != "22P02")
            throw;
        throw failure(failed, e.what(), "Payload and headers have to be JSON.");
    }
    return done;
}

} // namespace

void add_emit(command &all) {
    auto o = std::make_shared<emit_verb>();
    arguments verb(all.line, "emit", "Emit events to a stream",
                   R"(weir emit orders paid '{"order": 4711}' --headers '{"region": "eu"}'
weir emit deployments done
jq -c '.[]' orders.json | weir emit orders imported --lines      all of them or none)");
    verb.required("STREAM", o->stream, "The stream");
    verb.required("TYPE", o->type, "What happened");
    auto payload = verb.place("PAYLOAD", o->payload, "JSON; - reads it from standard input ({})");
    verb.text("--headers", o->headers, "JSON", "A JSON object to go with it, which subscriptions can filter by");
    verb.flag("--lines", o->lines, "Each line of standard input is the payload of an event").excludes(payload);
    all.run_by(verb, o);
}

} // namespace weir::command
