// SPDX-License-Identifier: PostgreSQL
#include "weir/transaction.hpp"

#include "failure.hpp"
#include "session.hpp"

#include <string>

namespace weir::inline v0 {

transaction::transaction(connection &db, std::string_view isolation) : db_(db) {
    if (db.in_transaction())
        internal::misuse("there is a transaction in progress on this connection", "25001");
    if (isolation.find_first_not_of("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ") != isolation.npos)
        internal::misuse("invalid isolation level: \"" + std::string(isolation) + "\"", "22023");
    // Nothing happens before the first statement, so a lost BEGIN is no doubt.
    std::string const begin = "BEGIN ISOLATION LEVEL " + std::string(isolation);
    try {
        db_.execute(begin);
    } catch (error const &e) {
        if (e.from() != error::source::connection)
            throw;
        db_.execute(begin);
    }
}

transaction::~transaction() {
    if (!open_)
        return;
    try {
        rollback();
    } catch (error const &) {
        // The server rolls back what has lost its connection.
    }
}

void transaction::commit() {
    if (!open_)
        internal::misuse("the transaction has ended");
    open_ = false;
    auto &session = db_.session();
    try {
        rows const answered = db_.query("COMMIT");
        if (!answered.tag().starts_with("ROLLBACK"))
            return;
    } catch (error const &e) {
        session.transaction_ended();
        // A FATAL of the server's own comes before the commit, see session::lost(); anything else that
        // took the connection away leaves it open.
        bool const doubt = (e.from() == error::source::connection && e.sqlstate() != "25P02" &&
                            (e.sqlstate().empty() || e.sqlstate().starts_with("08"))) ||
                           (e.poisons_connection() && e.from() != error::source::connection);
        throw error({.from = e.from(),
                     .message = e.what(),
                     .sqlstate = e.sqlstate(),
                     .detail = e.detail(),
                     .hint = doubt ? "The transaction may have been committed: look before doing it again." : e.hint(),
                     .in_doubt = doubt,
                     .retry_is_safe = !doubt,
                     .poisons_connection = e.poisons_connection()});
    }
    throw error(
        {.message = "the transaction was rolled back, because a statement in it had failed", .sqlstate = "25P02"});
}

void transaction::rollback() {
    if (!open_)
        return;
    open_ = false;
    auto &session = db_.session();
    try {
        db_.execute("ROLLBACK");
    } catch (error const &e) {
        bool const gone = e.from() == error::source::connection;
        session.transaction_ended();
        if (!gone)
            throw;
    }
}

} // namespace weir::inline v0
