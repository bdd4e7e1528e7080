// SPDX-License-Identifier: PostgreSQL
//
// A transaction of the program's own whose outcome may be in doubt: the key of the frame in it
// makes doing it again safe. Without one, the program would have to look first.
#include <weir/weir.hpp>

#include <iostream>
#include <string>

// Does it until it is done; returns the position of the order's frame.
static weir::position place_order(weir::connection &db, std::string const &order) {
    for (;;) {
        try {
            weir::transaction tx(db);
            auto const id = weir::stream(db, "orders")
                                .append(R"({"order": ")" + order + R"("})", {.idempotency_key = order})
                                .value();
            db.query("INSERT INTO example_order VALUES ($1) ON CONFLICT DO NOTHING", {order});
            tx.commit();
            return id;
        } catch (weir::error const &e) {
            if (!e.transient())
                throw;
        }
    }
}

int main() try {
    weir::connection db;
    db.execute("CREATE TABLE IF NOT EXISTS example_order (name text PRIMARY KEY)");
    auto const first = place_order(db, "4711");
    std::cout << (place_order(db, "4711") == first ? "one order" : "two orders") << '\n';

    // In a transaction of its own an append is done again by the library, if it has a key.
    auto const again = weir::stream(db, "orders").append(R"({"order": "4711"})", {.idempotency_key = "4711"});
    std::cout << (again.value() == first ? "one order" : "two orders") << '\n';
    if (auto other = weir::stream(db, "orders").append(R"({"order": "4712"})", {.idempotency_key = "4711"}); !other)
        std::cout << other.error().message << '\n';
} catch (weir::error const &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
