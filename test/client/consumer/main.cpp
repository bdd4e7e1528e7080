// SPDX-License-Identifier: PostgreSQL
#include <weir/weir.hpp>

#include <chrono>
#include <iostream>

int main() {
    weir::notifier by;
    weir::tail t(by, "consumer");
    weir::connection db;
    auto const id = weir::stream(db, "consumer").append_text("hello").value();
    for (;;) {
        auto const f = t.next(std::chrono::seconds(20));
        if (!f)
            return 1;
        if (f->id == id) {
            std::cout << *f->text() << '\n';
            return 0;
        }
    }
}
