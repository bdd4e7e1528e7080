// SPDX-License-Identifier: PostgreSQL
//
// A writer: random transactions that stop at the gate between any two statements,
// also in the middle of a transaction, behind a savepoint rolled back or between
// PREPARE TRANSACTION and COMMIT PREPARED.
#pragma once

#include "database.hpp"
#include "shared.hpp"

namespace waking {

class writer {
public:
    writer(const options &o, shared &s, gate &g, unsigned number);
    void run();

private:
    bool execute(const std::string &sql, const checker::parameters &values = {});
    bool append();
    bool append_to_all();
    bool append_under_lock();
    void transaction();
    void prepare();

    const options &opt;
    shared &common;
    gate &stop;
    dice roll;
    unsigned number, serial = 0;
    checker::connection db;
};

} // namespace waking
