// SPDX-License-Identifier: PostgreSQL
//
// Makes a stream that keeps its frames for a week, appends three, resumes from a cursor, closes, and meets the refusal
// that a later append gets. Connects as libpq's environment says.
#include <weir/weir.hpp>

#include <array>
#include <chrono>
#include <iostream>

int main() try {
    weir::connection db;
    weir::stream s(db, "example");
    s.create({.max_age = std::chrono::hours(7 * 24)}); // or with the first frame, and defaults

    weir::position first = s.append(R"({"step": 1})", {.type = "progress"}).value();
    (void)s.append_text("two", {.idempotency_key = "second"}).value();
    (void)s.append_text("two", {.idempotency_key = "second"}).value(); // a retry leaves one frame
    std::array<std::byte, 3> raw{std::byte{0}, std::byte{0xff}, std::byte{0x80}};
    (void)s.append_bytes(raw).value();

    for (weir::frame const &f : s.read({.after = first}).value())
        std::cout << to_string(f.mode) << ' ' << f.payload.value_or("-") << ' ' << (f.bytes ? f.bytes->size() : 0)
                  << " bytes\n";

    s.close("done");
    std::cout << to_string(s.read({.max = 1, .reverse = true}).value().front().mode) << '\n';

    // What belongs to the matter is a value, not an exception.
    if (auto refused = s.append("{}"); !refused)
        std::cout << refused.error().sqlstate() << '\n';
} catch (weir::error const &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
