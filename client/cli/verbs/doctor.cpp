// SPDX-License-Identifier: PostgreSQL
//
// weir doctor: looks at the whole way from here to a stream, and says what to do about what it finds.
#include "doctor/checks.hpp"
#include "screen/json.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"
#include "shell/exit.hpp"
#include "verbs/verb.hpp"

#include <algorithm>

namespace weir::command {

namespace {

struct doctor_verb {
    bool json = false;

    int operator()(command &all) const;
};

void print(finding const &f) {
    screen const &out = standard_output();
    std::string mark;
    switch (f.how) {
    case verdict::good:
        mark = paint(out, style::green, unicode() ? "✓" : "ok");
        break;
    case verdict::note:
        mark = paint(out, style::cyan, unicode() ? "·" : "--");
        break;
    case verdict::problem:
        mark = paint(out, style::bold_red, unicode() ? "✗" : "!!");
        break;
    }
    write(mark + " " + paint(out, style::bold, pad(f.about, 11)) + " " + printable(f.text, false) + "\n");
    if (!f.advice.empty())
        write(std::string(static_cast<std::size_t>(unicode() ? 14 : 15), ' ') +
              paint(out, style::yellow, unicode() ? "→ " : "-> ") + printable(f.advice, false) + "\n");
    flush(); // some of it takes a while
}

int doctor_verb::operator()(command &all) const {
    int problems = 0, notes = 0;
    check_everything(all.server, [&](finding const &f) {
        problems += f.how == verdict::problem ? 1 : 0;
        notes += f.how == verdict::note ? 1 : 0;
        if (!json)
            return print(f);
        write(json::object()
                  .text("verdict", f.how == verdict::good   ? "good"
                                   : f.how == verdict::note ? "note"
                                                            : "problem")
                  .text("about", f.about)
                  .text("text", f.text)
                  .text_or_null("advice", f.advice.empty() ? std::nullopt : std::optional(f.advice))
                  .str() +
              "\n");
    });
    if (!json) {
        screen const &out = standard_output();
        write("\n" +
              (problems > 0 ? paint(out, style::bold_red, plural(problems, "problem", "problems"))
                            : paint(out, style::bold_green, "all is well")) +
              (notes > 0 ? paint(out, style::dim, ", " + plural(notes, "note", "notes")) : "") + "\n");
    }
    return problems > 0 ? failed : done;
}

} // namespace

void add_doctor(command &all) {
    auto o = std::make_shared<doctor_verb>();
    arguments verb(all.line, "doctor", "Check connection, extension, doorbell, settings and privileges", R"(weir doctor
weir doctor -d service=production
weir doctor --json | jq -r 'select(.verdict == "problem") | .advice')");
    verb.flag("-j,--json", o->json, "A JSON object for each finding");
    all.run_by(verb, o);
}

} // namespace weir::command
