// SPDX-License-Identifier: PostgreSQL
#include "shell/help.hpp"

#include "screen/terminal.hpp"
#include "screen/text.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace weir::command {

namespace {

constexpr int min_columns = 60, max_columns = 100, left = 30;

std::string heading(std::string_view text) { return "\n" + paint(standard_output(), style::bold, text) + "\n"; }

// "name  text", the text folded and kept in its column.
std::string entry(std::string const &name, std::string const &text, int column, std::string_view how) {
    screen const &out = standard_output();
    int const room = std::clamp(out.columns(), min_columns, max_columns) - column;
    std::string line = "  " + paint(out, how, name);
    if (width(line) + 2 > column)
        line += "\n" + std::string(static_cast<std::size_t>(column), ' ');
    else
        line = pad(line, column);
    int used = 0;
    std::istringstream words(text);
    for (std::string word; words >> word; used += width(word) + 1) {
        if (used > 0 && used + width(word) > room) {
            line += "\n" + std::string(static_cast<std::size_t>(column), ' ');
            used = 0;
        }
        line.append(used > 0 ? " " : "").append(word);
    }
    return line + "\n";
}

std::string option_entry(CLI::Option const *o) {
    std::string name;
    for (std::string const &s : o->get_snames())
        name.append(name.empty() ? "-" : ", -").append(s);
    for (std::string const &l : o->get_lnames())
        name.append(name.empty() ? "    --" : ", --").append(l);
    if (o->get_type_size() > 0 && !o->get_type_name().empty())
        name += " " + o->get_type_name();
    return entry(name, o->get_description(), left, style::cyan);
}

std::string usage_line(CLI::App const *app) {
    std::string line =
        app->get_parent() == nullptr ? "weir [options] VERB …" : "weir " + app->get_name() + " [options]";
    for (CLI::Option const *o : app->get_options([](CLI::Option const *each) { return each->get_positional(); })) {
        std::string word = o->get_name(true);
        if (o->get_expected_max() > 1)
            word += " …";
        if (o->get_single_name() == "COMMAND")
            word = "-- " + word;
        line += o->get_required() ? " " + word : " [" + word + "]";
    }
    return line;
}

std::string options_of(CLI::App const *app, std::string const &group, std::string_view title) {
    auto const options =
        app->get_options([&](CLI::Option const *o) { return o->nonpositional() && o->get_group() == group; });
    if (options.empty())
        return {};
    std::string text = heading(title);
    for (CLI::Option const *o : options)
        text += option_entry(o);
    return text;
}

} // namespace

std::string help_format::make_help(CLI::App const *app, std::string, CLI::AppFormatMode) const {
    CLI::App const *top = app->get_parent() == nullptr ? app : app->get_parent();
    std::string text = app->get_description() + "\n" + heading("Usage") + "  " + usage_line(app) + "\n";
    if (app == top) {
        text += heading("Verbs");
        for (CLI::App const *verb : app->get_subcommands({}))
            if (!verb->get_group().empty()) {
                std::string const about = verb->get_description();
                text += entry(verb->get_name(), about.substr(0, about.find('\n')), 14, style::cyan);
            }
    } else {
        text += options_of(app, "Options", "Options");
    }
    for (std::string const &group : top->get_groups())
        if (!group.empty() && group != "Options")
            text += options_of(top, group, group);
    text += heading(app == top ? "Exit status" : "Examples");
    std::istringstream lines(app->get_footer());
    for (std::string line; std::getline(lines, line);)
        text += line.empty() ? "\n" : "  " + line + "\n";
    if (app == top)
        text += "\nEach verb has its own help with examples: weir tail --help\n";
    // help() ends it with a newline of its own making.
    return text;
}

std::string explain(CLI::ParseError const &e) {
    std::string text = e.what();
    auto replaced = [&](std::string_view front, std::string_view by) {
        if (text.starts_with(front))
            text.replace(0, front.size(), by);
    };
    replaced("The following argument was not expected: ", "not expected here: ");
    replaced("The following arguments were not expected: ", "not expected here: ");
    replaced("A subcommand is required", "which verb?");
    if (std::size_t const at = text.find(": 1 required "); at != text.npos)
        text = text.substr(0, at) + " needs a value";
    if (!text.empty() && text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0)
        text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    while (text.ends_with('\n') || text.ends_with('.'))
        text.pop_back();
    return text;
}

} // namespace weir::command
