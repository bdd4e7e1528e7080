// SPDX-License-Identifier: PostgreSQL
//
// Follows a stream until it is closed, and goes on from where the last run ended: the
// cursor is kept in a file.
//
//   follow STREAM CURSOR-FILE
#include <weir/weir.hpp>

#include <fstream>
#include <iostream>
#include <string>

int main(int argc, char **argv) try {
    if (argc != 3) {
        std::cerr << "usage: follow STREAM CURSOR-FILE\n";
        return 2;
    }
    weir::position after;
    if (std::string text; std::ifstream(argv[2]) >> text)
        after = weir::position::parse(text);

    weir::notifier notifier; // one for all tails of a program
    weir::tail tail(notifier, argv[1], {.from = weir::start::after(after)});
    while (auto frame = tail.next()) {
        if (frame->mode != weir::frame_mode::close)
            std::cout << frame->text().value_or(frame->payload.value_or("(bytes)")) << std::endl;
        // Only after it has been dealt with: each frame at least once.
        std::ofstream(argv[2]) << tail.cursor().text() << '\n';
    }
    if (auto why = tail.why()) // a failover that lost frames, for example
        why->raise();
} catch (weir::error const &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
