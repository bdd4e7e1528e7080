// SPDX-License-Identifier: PostgreSQL
//
// weir append: one frame, from the command line or from standard input.
#include "screen/json.hpp"
#include "screen/terminal.hpp"
#include "shell/exit.hpp"
#include "verbs/verb.hpp"
#include "weir/stream.hpp"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace weir::command {

namespace {

struct append_verb {
    std::string stream = {}, type = {}, headers = {}, key = {};
    std::optional<std::string> payload = {};
    bool text = false, bytes = false, patch = false, best_effort = false, json = false;
    std::optional<std::chrono::milliseconds> ttl = {};

    int operator()(command &all) const;

private:
    std::string take() const;
};

std::optional<std::string_view> view(std::string const &text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

std::string read_input() {
    std::string all;
    for (char some[65536];;) {
        ssize_t const n = ::read(STDIN_FILENO, some, sizeof some);
        if (n > 0)
            all.append(some, static_cast<std::size_t>(n));
        else if (n == 0)
            return all;
        else if (errno != EINTR)
            throw failure(failed, std::string("could not read standard input: ") + std::strerror(errno));
    }
}

std::string append_verb::take() const { return !payload || payload == "-" ? read_input() : *payload; }

int append_verb::operator()(command &all) const {
    // The server is asked first: whoever types the payload should not do it for nothing.
    connection db = all.server.connect(std::chrono::seconds(key.empty() ? 0 : 30));
    std::string const what = take();
    auto const raw = std::as_bytes(std::span(what));
    append_options const o{.type = view(type), .headers = view(headers), .idempotency_key = view(key), .ttl = ttl};
    weir::stream to(db, stream);
    json::object answer;
    std::string line;
    try {
        position id;
        if (patch) {
            auto const r = expect(to.append_patch(what, o));
            id = r.id;
            line = "\t" + std::to_string(r.summary_version);
            answer.text("id", id.text()).number("summary_version", r.summary_version);
        } else {
            id = expect(best_effort ? text    ? to.append_best_effort_text(what, o)
                                      : bytes ? to.append_best_effort_bytes(raw, o)
                                              : to.append_best_effort(what, o)
                        : text ? to.append_text(what, o)
                        : bytes     ? to.append_bytes(raw, o)
                                    : to.append(what, o));
            answer.text("id", id.text());
        }
        write((json ? answer.str() : id.text() + line) + "\n");
    } catch (error const &e) {
        if (e.sqlstate() != "22P02" || text || bytes)
            throw;
        throw failure(failed, e.what(), "The payload has to be JSON; --text takes any text, --bytes anything.");
    }
    return done;
}

} // namespace

void add_append(command &all) {
    auto o = std::make_shared<append_verb>();
    arguments verb(all.line, "append", "Append one frame, and print its position",
                   R"(weir append orders '{"order": 4711}' --key order-4711
weir append run-17 --text 'deploying' --type note
weir append run-17 --patch '{"state": "running"}'    keeps the summary document up to date
weir append frames --bytes --type image/png < picture.png
weir append tokens --best-effort --ttl 10s --text ' fox')");
    verb.required("STREAM", o->stream, "The stream");
    verb.place("PAYLOAD", o->payload, "What to append: JSON, unless an option says otherwise");
    auto text = verb.flag("--text", o->text, "The payload is text");
    auto bytes = verb.flag("--bytes", o->bytes, "The payload is raw bytes").excludes(text);
    auto patch = verb.flag("--patch", o->patch, "The payload is a merge patch of the summary document")
                     .excludes(text)
                     .excludes(bytes);
    verb.text("-t,--type", o->type, "TYPE", "Type of the frame");
    verb.text("--headers", o->headers, "JSON", "A JSON object to go with it");
    verb.text("-k,--key", o->key, "KEY", "Idempotency key: the same again under it appends nothing");
    auto best_effort =
        verb.flag("--best-effort", o->best_effort, "Best effort: fast, kept for a while, gone after a crash")
            .excludes(patch);
    verb.duration("--ttl", o->ttl, "With --best-effort: how long it is kept (30s)").needs(best_effort);
    verb.flag("-j,--json", o->json, "Print the position as JSON");
    all.run_by(verb, o);
}

} // namespace weir::command
