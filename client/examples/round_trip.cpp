// SPDX-License-Identifier: PostgreSQL
//
// Appends three frames, resumes from a cursor, closes, and meets the error that a
// later append gets. Connects as libpq's environment says.
#include "weir/connection.hpp"

#include <array>
#include <iostream>

int main() try {
    weir::connection db;
    std::string first = db.append("example", R"({"step": 1})", {.type = "progress"});
    db.append_text("example", "two", {.idempotency_key = "second"});
    db.append_text("example", "two", {.idempotency_key = "second"}); // a retry
    std::array<std::byte, 3> raw{std::byte{0}, std::byte{0xff}, std::byte{0x80}};
    db.append_bytes("example", raw);

    for (weir::frame const &f : db.read("example", first))
        std::cout << f.mode << ' ' << f.payload.value_or("-") << ' ' << (f.bytes ? f.bytes->size() : 0) << " bytes\n";

    db.close("example", "done");
    std::cout << (db.read("example", first, 10000).back().mode) << '\n';
    try {
        db.append("example", "{}");
    } catch (weir::error const &e) {
        std::cout << e.sqlstate() << '\n';
    }
} catch (weir::error const &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
