// SPDX-License-Identifier: PostgreSQL
#include "proxy.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace test {

namespace {

constexpr int step_ms = 10;

int connect_to_server() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string const path = std::string(std::getenv("PGHOST")) + "/.s.PGSQL." + std::getenv("PGPORT");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    int const fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool send_all(int fd, std::string_view data) {
    while (!data.empty()) {
        ssize_t const n = send(fd, data.data(), data.size(), MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        data.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool readable(int fd) {
    pollfd p{fd, POLLIN, 0};
    return poll(&p, 1, step_ms) > 0;
}

} // namespace

struct proxy::pair {
    int client = -1, server = -1;
    std::thread thread;
};

proxy::proxy() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr *>(&address), size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size) != 0)
        throw std::runtime_error("no port");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

proxy::~proxy() {
    ending_ = true;
    acceptor_.join();
    for (pair &p : pairs_)
        p.thread.join();
    close(listener_);
}

void proxy::arm(fault what, std::string text) {
    std::lock_guard const guard(lock_);
    armed_ = what;
    needle_ = std::move(text);
}

// What is to happen to this request.
proxy::fault proxy::strike(std::string_view data) {
    std::lock_guard const guard(lock_);
    return armed_ != fault::none && data.find(needle_) != data.npos ? std::exchange(armed_, fault::none) : fault::none;
}

void proxy::swallow_answer_to(std::string text) {
    swallowed_ = false;
    arm(fault::swallow, std::move(text));
}
void proxy::hold_request(std::string text) { arm(fault::hold_request, std::move(text)); }
void proxy::hold_answer_to(std::string text) { arm(fault::hold_answer, std::move(text)); }
void proxy::release() { holds_ = false; }

// False where the connection is to end first.
bool proxy::wait_for_release(int cut_before) {
    holds_ = true;
    while (holds_ && !ending_ && cut_ == cut_before)
        poll(nullptr, 0, step_ms);
    return !holds_;
}

void proxy::accept_all() {
    while (!ending_) {
        if (!readable(listener_))
            continue;
        int const client = accept(listener_, nullptr, nullptr);
        made_++;
        int const server = refusing_ ? -1 : connect_to_server();
        if (server < 0) {
            close(client);
            continue;
        }
        pair &p = pairs_.emplace_back();
        p.client = client;
        p.server = server;
        p.thread = std::thread([this, &p] { serve(p); });
    }
}

void proxy::serve(pair &p) {
    int const cut_before = cut_;
    fault now = fault::none;
    char buffer[65536];
    while (!ending_ && cut_ == cut_before) {
        if (frozen_) {
            poll(nullptr, 0, step_ms);
            continue;
        }
        pollfd fds[2] = {{p.client, POLLIN, 0}, {p.server, POLLIN, 0}};
        if (poll(fds, 2, step_ms) <= 0 || frozen_)
            continue;
        if (fds[0].revents != 0) {
            ssize_t const n = recv(p.client, buffer, sizeof buffer, 0);
            if (n <= 0)
                break;
            std::string_view const data(buffer, static_cast<std::size_t>(n));
            if (fault const f = strike(data); f != fault::none)
                now = f;
            if (now == fault::hold_request) {
                now = fault::none;
                if (!wait_for_release(cut_before))
                    break;
            }
            if (!send_all(p.server, data))
                break;
        }
        if (fds[1].revents != 0) {
            ssize_t const n = recv(p.server, buffer, sizeof buffer, 0);
            if (n <= 0)
                break;
            if (now == fault::swallow) { // the server has done it
                swallowed_ = true;
                break;
            }
            if (now == fault::hold_answer) {
                now = fault::none;
                if (!wait_for_release(cut_before))
                    break;
            }
            if (!send_all(p.client, {buffer, static_cast<std::size_t>(n)}))
                break;
        }
    }
    close(p.client);
    close(p.server);
}

} // namespace test
