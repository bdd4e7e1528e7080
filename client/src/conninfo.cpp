// SPDX-License-Identifier: PostgreSQL
#include "conninfo.hpp"

#include "failure.hpp"

#include <algorithm>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <string_view>
#include <sys/socket.h>

namespace weir::inline v0 {
namespace internal {

namespace {

constexpr int idle_seconds = 10, interval_seconds = 5, probes = 3;
constexpr int user_timeout_ms = 20'000;

std::string_view option(PQconninfoOption const *options, std::string_view keyword) {
    for (auto const *o = options; o != nullptr && o->keyword != nullptr; o++)
        if (o->keyword == keyword)
            return o->val == nullptr ? "" : o->val;
    return {};
}

// A bare word is a database name, as everywhere in libpq's programs.
bool is_conninfo(std::string_view text) {
    return text.find('=') != text.npos || text.starts_with("postgres://") || text.starts_with("postgresql://");
}

} // namespace

conninfo::conninfo(std::string text, std::string application_name)
    : text_(std::move(text)), application_name_(std::move(application_name)) {
    if (!is_conninfo(text_))
        return;
    char *message = nullptr;
    owned<PQconninfoOption> const parsed(PQconninfoParse(text_.c_str(), &message));
    owned<char> const why(message);
    if (!parsed)
        misuse(trimmed(message));
}

owned<PGconn> conninfo::start() const {
    // Later ones win, and what the text says wins over what stands before it.
    char const *const keywords[] = {"fallback_application_name", "dbname", "client_encoding", nullptr};
    char const *const values[] = {application_name_.c_str(), text_.c_str(), "UTF8", nullptr};
    // An empty dbname would hide that of the environment.
    char const *const *k = keywords;
    char const *const *v = values;
    char const *const keywords_env[] = {"fallback_application_name", "client_encoding", nullptr};
    char const *const values_env[] = {application_name_.c_str(), "UTF8", nullptr};
    if (text_.empty()) {
        k = keywords_env;
        v = values_env;
    }
    owned<PGconn> c(PQconnectStartParams(k, v, 1));
    if (!c)
        throw std::bad_alloc();
    return c;
}

std::chrono::milliseconds connect_limit(PGconn *c, std::chrono::milliseconds by_default) {
    owned<PQconninfoOption> const options(PQconninfo(c));
    std::string_view hosts = option(options.get(), "hostaddr");
    if (hosts.empty())
        hosts = option(options.get(), "host");
    auto const count = 1 + std::count(hosts.begin(), hosts.end(), ',');
    auto each = by_default;
    if (std::string const given(option(options.get(), "connect_timeout")); !given.empty())
        each = std::chrono::seconds(std::max(0, std::atoi(given.c_str())));
    return each * count;
}

void keep_alive(PGconn *c) {
    int const fd = PQsocket(c);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (fd < 0 || getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) != 0 ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6))
        return;
    owned<PQconninfoOption> const options(PQconninfo(c));
    auto set = [&](char const *keyword, [[maybe_unused]] int name, int value) {
        if (option(options.get(), keyword).empty())
            setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value);
    };
    if (option(options.get(), "keepalives") != "0") {
        int const on = 1;
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#ifdef TCP_KEEPIDLE
        set("keepalives_idle", TCP_KEEPIDLE, idle_seconds);
#endif
#ifdef TCP_KEEPINTVL
        set("keepalives_interval", TCP_KEEPINTVL, interval_seconds);
#endif
#ifdef TCP_KEEPCNT
        set("keepalives_count", TCP_KEEPCNT, probes);
#endif
    }
#ifdef TCP_USER_TIMEOUT
    set("tcp_user_timeout", TCP_USER_TIMEOUT, user_timeout_ms);
#endif
}

} // namespace internal
} // namespace weir::inline v0
