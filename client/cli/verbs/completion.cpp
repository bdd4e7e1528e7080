// SPDX-License-Identifier: PostgreSQL
//
// weir completion: the scripts by which bash, zsh and fish complete weir's verbs, options and streams. They are made
// from the command line's own description, so that they cannot fall behind it.
#include "screen/terminal.hpp"
#include "shell/exit.hpp"
#include "verbs/verb.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace weir::command {

namespace {

struct completion_verb {
    CLI::App const *line = nullptr;
    std::string shell = {};

    int operator()(command &) const;
};

using verbs = std::vector<CLI::App const *>;
using options = std::vector<CLI::Option const *>;

verbs verbs_of(CLI::App const *app) {
    return app->get_subcommands([](CLI::App const *v) { return !v->get_group().empty(); });
}
options options_of(CLI::App const *app) {
    return app->get_options([](CLI::Option const *o) { return o->nonpositional() && !o->get_group().empty(); });
}
bool takes_value(CLI::Option const *o) { return o->get_items_expected_max() > 0; }
std::string first_line(std::string const &text) { return text.substr(0, text.find('\n')); }
std::string positional(CLI::App const *verb) {
    auto const all = verb->get_options([](CLI::Option const *o) { return o->get_positional(); });
    return all.empty() ? "" : all.front()->get_single_name();
}
bool many(CLI::App const *verb) {
    return verb->get_options([](CLI::Option const *o) { return o->get_positional(); }).front()->get_expected_max() > 1;
}

// The values that a kind of value can have, where they are few.
std::string choices(std::string const &kind) {
    return kind == "WHEN" ? "auto always never" : kind == "SHELL" ? "bash zsh fish" : "";
}

std::string names_of(options const &all, bool (*wanted)(CLI::Option const *), std::string_view between) {
    std::string out;
    auto add = [&](std::string const &name) { out.append(out.empty() ? "" : between).append(name); };
    for (CLI::Option const *o : all) {
        if (!wanted(o))
            continue;
        for (std::string const &s : o->get_snames())
            add("-" + s);
        for (std::string const &l : o->get_lnames())
            add("--" + l);
    }
    return out;
}

bool any(CLI::Option const *) { return true; }
bool is_file(CLI::Option const *o) { return o->get_type_name() == "FILE"; }
bool is_when(CLI::Option const *o) { return o->get_type_name() == "WHEN"; }

std::string replace_all(std::string text, std::string_view what, std::string_view by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
        text.replace(at, what.size(), by);
    return text;
}

std::string bash(CLI::App const *app) {
    options every = options_of(app);
    std::string cases, verbs_line;
    for (CLI::App const *v : verbs_of(app)) {
        auto const own = options_of(v);
        every.insert(every.end(), own.begin(), own.end());
        verbs_line.append(verbs_line.empty() ? "" : " ").append(v->get_name());
        std::string const what = positional(v);
        cases += "        " + v->get_name() + ") options='" + names_of(own, any, " ") + "'";
        if (what == "STREAM")
            cases += std::string(" streams=") + (many(v) ? "many" : "one");
        else if (!choices(what).empty())
            cases += " words='" + choices(what) + "'";
        cases += " ;;\n";
    }
    std::string text = R"sh(# bash completion for weir, made by: weir completion bash

_weir() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local verb='' given=0 words='' options='' streams='' server=() i word name
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            --) # a command of its own from here on
                if ((i + 1 == COMP_CWORD)); then
                    mapfile -t COMPREPLY < <(compgen -c -- "$cur")
                else
                    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                fi
                return ;;
            -d | --dsn | -h | --host | -p | --port | -U | --user) server+=("$word" "${COMP_WORDS[++i]}") ;;
            @VALUES@) ((i++)) ;;
            -*) ;;
            *) if [ -z "$verb" ]; then verb=$word; else ((given++)); fi ;;
        esac
    done
    case $prev in
        @FILES@) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        @WHENS@) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur"); return ;;
        @VALUES@) return ;;
    esac
    case $verb in
        '') words='@VERBS@' ;;
@CASES@    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options @COMMON@" -- "$cur")
    elif [ "$streams" = many ] || { [ "$streams" = one ] && ((given == 0)); }; then
        while IFS= read -r name; do
            [[ $name != "$cur"* ]] || COMPREPLY+=("$(printf %q "$name")")
        done < <(PGCONNECT_TIMEOUT=2 weir info --names "${server[@]}" 2>/dev/null </dev/null)
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    fi
}
complete -F _weir weir
)sh";
    text = replace_all(text, "@VALUES@", names_of(every, takes_value, " | "));
    text = replace_all(text, "@FILES@", names_of(every, is_file, " | "));
    text = replace_all(text, "@WHENS@", names_of(every, is_when, " | "));
    text = replace_all(text, "@VERBS@", verbs_line);
    text = replace_all(text, "@CASES@", cases);
    return replace_all(text, "@COMMON@", names_of(options_of(app), any, " "));
}

// In single quotes, within _arguments' own.
std::string zsh_quoted(std::string text) {
    text = replace_all(text, "\\", "\\\\");
    for (char const *c : {"[", "]", ":"})
        text = replace_all(text, c, std::string("\\") + c);
    return replace_all(text, "'", "'\\''");
}

std::string zsh_options(options const &all, std::string_view indent) {
    std::string text;
    for (CLI::Option const *o : all) {
        std::string const about = "[" + zsh_quoted(o->get_description()) + "]";
        std::string value;
        if (takes_value(o)) {
            std::string const kind = o->get_type_name();
            value = ":" + zsh_quoted(kind) + ":";
            if (is_file(o))
                value += "_files";
            else if (!choices(kind).empty())
                value += "(" + choices(kind) + ")";
            else
                value += " ";
        }
        std::string const star = o->get_expected_max() > 1 ? "*" : "";
        for (std::string const &s : o->get_snames())
            text.append(indent).append("'" + star + "-" + s + about + value + "' \\\n");
        for (std::string const &l : o->get_lnames())
            text.append(indent).append("'" + star + "--" + l + about + value + "' \\\n");
    }
    return text;
}

std::string zsh(CLI::App const *app) {
    std::string text = R"sh(#compdef weir
# zsh completion for weir, made by: weir completion zsh

_weir_streams() {
    local -a server names
    local i
    for ((i = 2; i < $#words; i++)); do
        case $words[i] in
            -d|--dsn|-h|--host|-p|--port|-U|--user) server+=($words[i] $words[i+1]) ;;
        esac
    done
    names=(${(f)"$(PGCONNECT_TIMEOUT=2 weir info --names $server 2>/dev/null </dev/null)"})
    compadd -a names
}

_weir() {
    local curcontext=$curcontext state line
    local -A opt_args
    _arguments -C \
)sh" + zsh_options(options_of(app), "        ") +
                       R"sh(        '1:verb:->verb' \
        '*::argument:->argument'
    case $state in
        verb)
            local -a verbs=(
)sh";
    for (CLI::App const *v : verbs_of(app))
        text += "                '" + v->get_name() + ":" + zsh_quoted(first_line(v->get_description())) + "'\n";
    text += R"sh(            )
            _describe verb verbs ;;
        argument)
            case $line[1] in
)sh";
    for (CLI::App const *v : verbs_of(app)) {
        std::string const what = positional(v);
        text += "                " + v->get_name() + ")\n                    _arguments \\\n" +
                zsh_options(options_of(v), "                        ") +
                zsh_options(options_of(app), "                        ");
        text += "                        ";
        if (v->get_name() == "pipe")
            text += "'1:stream:_weir_streams' '2:command: _command_names -e' '*::argument:_normal' ;;\n";
        else if (what == "STREAM")
            text += std::string("'") + (many(v) ? "*" : "1") + ":stream:_weir_streams' ;;\n";
        else if (!choices(what).empty())
            text += "'1:" + what + ":(" + choices(what) + ")' ;;\n";
        else
            text += "':' ;;\n";
    }
    return text + R"sh(            esac ;;
    esac
}

if [ "$funcstack[1]" = _weir ]; then
    _weir "$@"
else
    compdef _weir weir
fi
)sh";
}

std::string fish_quoted(std::string text) {
    text = replace_all(replace_all(std::move(text), "\\", "\\\\"), "'", "\\'");
    return "'" + text + "'";
}

std::string fish_options(options const &all, std::string const &when) {
    std::string text;
    for (CLI::Option const *o : all) {
        text += "complete -c weir" + when;
        for (std::string const &s : o->get_snames())
            text += s == "?" ? "" : " -s " + s;
        for (std::string const &l : o->get_lnames())
            text += " -l " + l;
        if (is_file(o))
            text += " -r -F";
        else if (takes_value(o))
            text += choices(o->get_type_name()).empty() ? " -x" : " -x -a " + fish_quoted(choices(o->get_type_name()));
        text += " -d " + fish_quoted(o->get_description()) + "\n";
    }
    return text;
}

std::string fish(CLI::App const *app) {
    std::string text = R"sh(# fish completion for weir, made by: weir completion fish

function __weir_streams
    set -l server
    set -l words (commandline -opc)
    for i in (seq (count $words))
        if contains -- $words[$i] -d --dsn -h --host -p --port -U --user
            set -a server $words[$i] $words[(math $i + 1)]
        end
    end
    PGCONNECT_TIMEOUT=2 weir info --names $server 2>/dev/null </dev/null
end

complete -c weir -f
)sh" + fish_options(options_of(app), "");
    for (CLI::App const *v : verbs_of(app)) {
        std::string const when = " -n '__fish_seen_subcommand_from " + v->get_name() + "'", what = positional(v);
        text += "\ncomplete -c weir -n __fish_use_subcommand -a " + v->get_name() + " -d " +
                fish_quoted(first_line(v->get_description())) + "\n" + fish_options(options_of(v), when);
        if (what == "STREAM")
            text += "complete -c weir" + when + " -a '(__weir_streams)'\n";
        else if (!choices(what).empty())
            text += "complete -c weir" + when + " -a " + fish_quoted(choices(what)) + "\n";
    }
    return text;
}

int completion_verb::operator()(command &) const {
    write(shell == "bash" ? bash(line) : shell == "zsh" ? zsh(line) : fish(line));
    return done;
}

} // namespace

void add_completion(command &all) {
    auto o = std::make_shared<completion_verb>();
    arguments verb(all.line, "completion", "Print what makes a shell complete weir's arguments",
                   R"(source <(weir completion bash)                in ~/.bashrc
source <(weir completion zsh)                 in ~/.zshrc, after compinit
weir completion fish | source                 in ~/.config/fish/config.fish)");
    o->line = &all.line;
    verb.choice("SHELL", o->shell, {"bash", "zsh", "fish"}, "", "bash, zsh or fish").required();
    all.run_by(verb, o);
}

} // namespace weir::command
