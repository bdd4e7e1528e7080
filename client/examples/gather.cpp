// SPDX-License-Identifier: PostgreSQL
//
// A producer of many small frames: what comes within 20 milliseconds goes out as one
// batch, for a hundred streams at once, and a summary says how far it has come.
#include <weir/weir.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

int main() try {
    using namespace std::chrono_literals;
    weir::connection db;
    weir::stream progress(db, "gather/progress");
    weir::batch batch;
    int frames = 0;
    for (int tick = 1; tick <= 5; tick++) {
        for (int i = 0; i < 100; i++)
            batch.append_best_effort("gather/" + std::to_string(i), weir::text("token " + std::to_string(tick)));
        frames += static_cast<int>(batch.send(db).value().size());
        batch.clear();
        (void)progress.append_patch(R"({"frames": )" + std::to_string(frames) + "}").value();
        std::this_thread::sleep_for(20ms);
    }
    auto const summary = progress.summary();
    std::cout << summary->document << " after " << summary->version << " patches\n";
} catch (weir::error const &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
