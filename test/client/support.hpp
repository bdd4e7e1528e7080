// SPDX-License-Identifier: PostgreSQL
//
// What the client's tests share. The server is the one that libpq's environment
// names, a private one with weir in it. Tests that stop it or start it do so by the
// program in WEIR_TEST_CONTROL (see control.sh).
#pragma once

#include "../unit/catch.hpp"

#include <weir/weir.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <unistd.h>

namespace test {

using namespace std::chrono_literals;

// Longer than anything takes that is going to happen at all.
inline constexpr auto long_enough = 20s;

// A name that no other test uses, nor another run.
inline std::string unique(std::string const &what) {
    static int n = 0;
    return what + "-" + std::to_string(getpid()) + "-" + std::to_string(++n);
}

// Polls until it is so.
template <class F> bool eventually(F &&so, std::chrono::milliseconds limit = long_enough) {
    auto const end = std::chrono::steady_clock::now() + limit;
    while (!so()) {
        if (std::chrono::steady_clock::now() >= end)
            return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

inline std::chrono::milliseconds since(std::chrono::steady_clock::time_point t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - t);
}

inline void control(std::string const &verb) {
    char const *const program = std::getenv("WEIR_TEST_CONTROL");
    REQUIRE(program != nullptr); // test/client/control.sh and the cluster
    INFO(verb);
    REQUIRE(std::system((std::string(program) + " " + verb + " >&2").c_str()) == 0);
}

// A single value of the server's, as text; "" for NULL.
inline std::string value(weir::connection &db, std::string const &sql) {
    auto const rows = db.query(sql);
    return rows.empty() ? "" : std::string(rows.at(0, 0).value_or(""));
}

} // namespace test
