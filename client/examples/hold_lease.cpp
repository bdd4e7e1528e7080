// SPDX-License-Identifier: PostgreSQL
//
// One process at a time writes this stream: each append is fenced by the lease under which it is
// written, and the work ends when the lease is lost.
#include <weir/weir.hpp>

#include <chrono>
#include <iostream>
#include <string>

int main() try {
    using namespace std::chrono_literals;
    weir::connection db;
    weir::stream s(db, "example/shard-7");
    weir::lease_keeper keeper; // one for all leases of a program

    auto lease = keeper.acquire("example/shard-7", {.ttl = 10s}, 30s).value();
    std::stop_token const lost = lease.lost();
    for (int i = 1; i <= 3 && !lost.stop_requested(); i++)
        if (auto written = s.append(std::to_string(i), lease.fence(weir::append_options{})); !written)
            written.error().raise(); // somebody else has it
    std::cout << s.read().value().size() << " frames\n";

    if (auto other = keeper.try_acquire("example/shard-7"); !other)
        std::cout << other.error().sqlstate() << '\n';
    auto const epoch = lease.epoch();
    (void)lease.release("done").value();
    auto next = keeper.try_acquire("example/shard-7").value();
    if (auto late = s.append("4", {.lease = next.name(), .epoch = epoch}); !late)
        std::cout << late.error().sqlstate() << '\n';
} catch (weir::error const &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
