// SPDX-License-Identifier: PostgreSQL
#include "shell/connect.hpp"

#include "screen/terminal.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <memory>
#include <termios.h>
#include <unistd.h>

namespace weir::command {

namespace {

void add(std::string &to, std::string_view key, std::string_view value) {
    if (value.empty())
        return;
    to.append(to.empty() ? "" : " ").append(key).append("='");
    for (char const c : value) {
        if (c == '\'' || c == '\\')
            to += '\\';
        to += c;
    }
    to += "'";
}

bool is_conninfo(std::string_view text) {
    return text.find('=') != text.npos || text.starts_with("postgresql://") || text.starts_with("postgres://");
}

// From the terminal, wherever standard input comes from; empty where there is none.
std::string ask_password() {
    int const fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return {};
    std::string password;
    termios as_it_was{};
    if (tcgetattr(fd, &as_it_was) == 0) {
        termios silent = as_it_was;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(fd, TCSAFLUSH, &silent);
        write_fully(fd, "Password: ");
        for (char c; signals::caught() == 0 && read(fd, &c, 1) == 1 && c != '\n';)
            password += c;
        write_fully(fd, "\n");
        tcsetattr(fd, TCSAFLUSH, &as_it_was);
    }
    close(fd);
    return password;
}

} // namespace

std::string connector::conninfo() const {
    if (host.empty() && port.empty() && user.empty() && password_.empty())
        return dsn;
    std::string all;
    if (is_conninfo(dsn)) {
        char *why = nullptr;
        std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption *)> const parsed(PQconninfoParse(dsn.c_str(), &why),
                                                                                     PQconninfoFree);
        std::unique_ptr<char, void (*)(void *)> const message(why, PQfreemem);
        if (!parsed) {
            std::string text = why == nullptr ? "out of memory" : why;
            while (text.ends_with('\n'))
                text.pop_back();
            throw failure(usage, text);
        }
        for (auto const *o = parsed.get(); o->keyword != nullptr; o++)
            if (o->val != nullptr)
                add(all, o->keyword, o->val);
    } else {
        add(all, "dbname", dsn);
    }
    // Of a keyword given twice libpq takes the later one.
    add(all, "host", host);
    add(all, "port", port);
    add(all, "user", user);
    add(all, "password", password_);
    return all;
}

connection connector::connect_to_any() {
    return connect_with({.conninfo = conninfo(), .retry_time = std::chrono::seconds(5), .stop = signals::stop()});
}

connection connector::connect_with(connection_options options) {
    try {
        return connection(options);
    } catch (error const &e) {
        bool const wants_password = std::string_view(e.what()).find("no password supplied") != std::string_view::npos;
        if (!wants_password || !password_.empty() || (password_ = ask_password()).empty())
            throw;
    }
    options.conninfo = conninfo();
    return connection(options);
}

connection connector::connect(std::chrono::milliseconds retry_time) { return connect(retry_time, signals::stop()); }

connection connector::connect(std::chrono::milliseconds retry_time, std::stop_token stop) {
    connection db = connect_with({.conninfo = conninfo(), .retry_time = retry_time, .stop = std::move(stop)});
    if (db.server().weir_version.empty())
        throw failure(failed, "this database has no weir", "CREATE EXTENSION weir, as a superuser, in this database.");
    return db;
}

} // namespace weir::command
