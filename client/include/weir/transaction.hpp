// SPDX-License-Identifier: PostgreSQL
//
// A transaction: everything done on its connection between construction and
// commit() happens together or not at all. The destructor rolls back.
#pragma once

#include "weir/connection.hpp"

namespace weir::inline v0 {

class WEIR_CLIENT_API transaction {
public:
    // Throws where one is open already. Makes a new connection where the old one was lost.
    explicit transaction(connection &db, std::string_view isolation = "read committed");
    ~transaction();
    transaction(transaction const &) = delete;
    transaction &operator=(transaction const &) = delete;

    // Throws with in_doubt() where the connection was lost before the answer came: it may have been
    // committed. A transaction that has failed already is rolled back, with an error of 25P02.
    void commit();
    void rollback();

private:
    connection &db_;
    bool open_ = true;
};

} // namespace weir::inline v0
