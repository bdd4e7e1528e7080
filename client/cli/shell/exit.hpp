// SPDX-License-Identifier: PostgreSQL
//
// How the command ends: its exit statuses (docs/command.md lists them), and the one place that turns errors into
// them and into messages on standard error, in the form that PostgreSQL's own programs use.
#pragma once

#include "weir/error.hpp"
#include "weir/result.hpp"

#include <stdexcept>
#include <string>

namespace weir::command {

enum exit_status {
    done = 0,
    failed = 1,        // the server refused; output could not be written; doctor found something
    usage = 2,         // wrong arguments
    no_connection = 3, // could not be made, or was lost
    refused = 4,       // closed stream, used key, cursor ahead or expired
    no_writes = 5,     // standby, read-only, or out of space
    pipe_failed = 125, // pipe: the command was not started, or ended well while the stream is not whole
    not_executable = 126,
    not_found = 127,
};

// An error of the command's own.
struct failure : std::runtime_error {
    failure(exit_status how, std::string message, std::string advice = {})
        : std::runtime_error(std::move(message)), status(how), hint(std::move(advice)) {}
    exit_status status;
    std::string hint;
};

// Nobody reads standard output any more.
struct reader_gone {};

exit_status status_of(error const &e) noexcept;

// weir: error: …, with detail and hint under it.
void report(error const &e);
void report(failure const &e);
void report(refusal const &r);
void warn(std::string const &message, std::string const &hint = {});
void note(std::string const &message);

// The value, or the refusal as a weir::error.
template <class T> T expect(result<T> r) { return std::move(r).value(); }

} // namespace weir::command
