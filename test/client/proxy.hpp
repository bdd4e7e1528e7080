// SPDX-License-Identifier: PostgreSQL
//
// A network in the way, with its faults on command: a TCP port of this process that
// passes everything on to the server's socket. It can stop passing anything on while
// connections stay up (a dead peer), cut all connections, refuse new ones, or take in one request, let the
// server do it, and cut the connection in place of the answer.
#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace test {

class proxy {
public:
    proxy();
    ~proxy();
    proxy(proxy const &) = delete;
    proxy &operator=(proxy const &) = delete;

    std::string conninfo() const { return "host=127.0.0.1 port=" + std::to_string(port_); }

    // Nothing goes either way any more, on old connections and new ones.
    void freeze() { frozen_ = true; }
    void thaw() { frozen_ = false; }
    void cut() { cut_++; }
    void refuse(bool yes) { refusing_ = yes; }
    // The next request that contains this text is answered by a cut connection.
    void swallow_answer_to(std::string text);
    bool swallowed() const { return swallowed_; }
    // The next request that contains this text is kept back until release(), or done and its answer kept back.
    void hold_request(std::string text);
    void hold_answer_to(std::string text);
    bool holds() const { return holds_; }
    void release();
    int connections() const { return made_; }

private:
    struct pair;
    enum class fault { none, swallow, hold_request, hold_answer };
    void arm(fault what, std::string text);
    fault strike(std::string_view data);
    bool wait_for_release(int cut_before);
    void accept_all();
    void serve(pair &p);

    int listener_ = -1, port_ = 0;
    std::atomic<bool> ending_{false}, frozen_{false}, refusing_{false}, swallowed_{false}, holds_{false};
    std::atomic<int> cut_{0}, made_{0};
    std::mutex lock_;
    fault armed_ = fault::none;
    std::string needle_;
    std::list<pair> pairs_;
    std::thread acceptor_;
};

} // namespace test
