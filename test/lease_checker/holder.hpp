// SPDX-License-Identifier: PostgreSQL
//
// A process that wants leases: takes one, works under it in its own transactions
// and in longer ones, renews it in time or not, sleeps through its end and wakes
// late, gives it back or just forgets about it.
#pragma once

#include <atomic>

#include "record.hpp"

namespace leases {

class holder {
public:
    holder(const options &o, unsigned number);
    void run(const std::atomic<bool> &stop);
    record seen;

private:
    bool acquire(unsigned lease);
    void work();
    void append();
    void renew();
    void release();
    void pause(std::int64_t max_us);
    void begin();
    void end(bool commit);
    void failed(const result &r, span at);
    void look_around();

    const options &o;
    unsigned number;
    dice choose;
    connection db;
    std::string owner;
    unsigned lives = 0, lease = 0;
    std::int64_t epoch = 0, ttl = 0, epoch_before = 0, ttl_before = 0, keys = 0;
    bool lost = false, in_transaction = false;
    std::size_t grants_before = 0, acts_before = 0;
};

} // namespace leases
