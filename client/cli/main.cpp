// SPDX-License-Identifier: PostgreSQL
//
// The weir command: reads the command line, runs the verb, and ends as exit.hpp says.
#include "screen/terminal.hpp"
#include "shell/exit.hpp"
#include "shell/help.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <unistd.h>

namespace weir::command {

namespace {

constexpr char exit_statuses[] = R"(0    done
1    the server refused, output could not be written, or doctor found a problem
2    wrong arguments
3    no connection to the server, or it was lost
4    refused: the stream is closed, the key is taken, the cursor expired or lies ahead, or the lease is held or lost
5    the server takes no writes: it is a standby, read-only, or out of space
125  pipe: the command was not started, or it went well but the stream is not whole
126  pipe: the command cannot be executed
127  pipe: there is no such command
128+n  ended by signal n)";

void add_verbs(command &all) {
    add_pipe(all);
    add_append(all);
    add_create(all);
    add_alter(all);
    add_read(all);
    add_tail(all);
    add_summary(all);
    add_info(all);
    add_top(all);
    add_emit(all);
    add_subscribe(all);
    add_lease(all);
    add_blockers(all);
    add_doctor(all);
    add_completion(all);
}

// What was asked for, found out before the arguments are taken apart: help is in colours too.
colours wanted_colours(int argc, char **argv) {
    colours wanted = colours::automatic;
    for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; i++) {
        std::string_view arg = argv[i];
        if (arg == "--color" && i + 1 < argc)
            arg = argv[i + 1];
        else if (arg.starts_with("--color="))
            arg.remove_prefix(8);
        else
            continue;
        wanted = arg == "always" ? colours::always : arg == "never" ? colours::never : colours::automatic;
    }
    return wanted;
}

void add_common(CLI::App &app, command &all, std::string &colour) {
    app.set_help_flag("-?,--help", "Show help")->group("General");
    app.set_version_flag("-V,--version", "weir " WEIR_VERSION, "Show the version")->group("General");
    app.add_option("--color", colour, "Colours: auto (the default), always, never")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}).description(""))
        ->group("General");
    char const group[] = "Connection (what is not given comes from libpq's environment and service file)";
    app.add_option("-d,--dsn", all.server.dsn, "Database name, key=value list or postgresql:// URI")
        ->type_name("DSN")
        ->group(group);
    app.add_option("-h,--host", all.server.host, "Host, or directory of the socket")->type_name("HOST")->group(group);
    app.add_option("-p,--port", all.server.port, "Port")->type_name("PORT")->group(group);
    app.add_option("-U,--user", all.server.user, "Role to connect as")->type_name("ROLE")->group(group);
}

int run(int argc, char **argv) {
    set_up_terminal(wanted_colours(argc, argv));
    CLI::App app("Ordered, resumable streams in PostgreSQL, from the shell.", "weir");
    command all{app};
    std::string colour;
    app.formatter(std::make_shared<help_format>());
    add_common(app, all, colour);
    app.require_subcommand(1);
    app.fallthrough();
    app.footer(exit_statuses);
    add_verbs(all);
    try {
        app.parse(argc, argv);
    } catch (CLI::CallForHelp const &) {
        CLI::App const *shown = &app;
        for (CLI::App const *verb : app.get_subcommands())
            shown = verb;
        write(shown->help());
        flush();
        return done;
    } catch (CLI::CallForVersion const &e) {
        write(std::string(e.what()) + "\n");
        flush();
        return done;
    } catch (CLI::ParseError const &e) {
        std::string verb;
        for (CLI::App const *each : app.get_subcommands())
            verb = each->get_name() + " ";
        auto const rest = app.remaining();
        bool const unknown = verb.empty() && !rest.empty() && !rest.front().starts_with('-');
        throw failure(usage, unknown ? "there is no verb \"" + rest.front() + "\"" : explain(e),
                      "Try \"weir " + verb + "--help\".");
    }
    signals::set_up();
    int const status = all.run();
    flush();
    return status;
}

int run_and_report(int argc, char **argv) {
    try {
        return run(argc, argv);
    } catch (reader_gone const &) {
        signals::die_of_closed_pipe();
    } catch (failure const &e) {
        report(e);
        return e.status;
    } catch (error const &e) {
        if (e.stopped() && signals::caught() != 0)
            return done; // of the signal
        report(e);
        return status_of(e);
    } catch (std::exception const &e) {
        report(failure(failed, e.what()));
        return failed;
    }
}

} // namespace

} // namespace weir::command

int main(int argc, char **argv) {
    using namespace weir::command;
    int const status = run_and_report(argc, argv);
    if (int const number = signals::caught())
        signals::die_of(number);
    return status;
}
