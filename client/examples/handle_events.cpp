// SPDX-License-Identifier: PostgreSQL
//
// Emits an event with the change it tells of, and keeps a balance by these events: each counts exactly once,
// however often this is interrupted, because it is acknowledged in the transaction that counts it.
#include <weir/weir.hpp>

#include <chrono>
#include <iostream>
#include <span>

int main() try {
    using namespace std::chrono_literals;
    weir::connection db;
    db.execute("CREATE TABLE IF NOT EXISTS example_payment (amount int);"
               "CREATE TABLE IF NOT EXISTS example_balance (amount int);"
               "INSERT INTO example_balance SELECT 0 WHERE NOT EXISTS (SELECT FROM example_balance)");
    (void)weir::subscription(db, "balance").subscribe("payments").value();

    for (char const *amount : {"10", "20", "12"}) {
        weir::transaction tx(db);
        db.query("INSERT INTO example_payment VALUES ($1)", {amount});
        (void)weir::emit(db, {.stream = "payments", .payload = weir::json(amount), .type = "paid"}).value();
        tx.commit();
    }

    weir::notifier notifier; // one of each for all subscribers of a program
    weir::pool pool;
    weir::subscriber subscriber(notifier, pool, "balance");
    auto count = [](weir::connection &in, std::span<weir::event const> events) {
        for (weir::event const &e : events)
            in.query("UPDATE example_balance SET amount = amount + $1::int", {*e.frame.payload});
    };
    // Until none come for a second. A service gives a stop_token in place of the time, and calls run().
    while (subscriber.handle(count, 1s).value() > 0) {
    }
    std::cout << db.query("SELECT amount FROM example_balance").at(0, 0).value() << '\n';
} catch (weir::error const &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
