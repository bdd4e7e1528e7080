// SPDX-License-Identifier: PostgreSQL
//
// Who may do what with which names, of every family's logs and of leases. EXECUTE on a function of weir lets a role
// call it; a row of weir.access_grant says with which names. Without a row that matches, no name is open. A role has
// the rows of all roles whose privileges it has, as the server counts them for its own objects; superusers and
// the owner of the extension have every name.
//
// It is asked once, at the edge of a call, as the role that the call runs as: what was allowed then happens, though
// it may be written at the commit. What is refused is refused whether the thing is there or not.
//
// A backend remembers the rows of each role it has asked for. A row, a membership, a role and the schema's own
// privileges all send invalidations, after which nothing remembered is used (docs/design/caches.md). So
// a grant or revoke counts for every statement that begins after its commit.
//
// A row counts as long as its role itself has USAGE on the schema weir, which grant_access() gives and which the server
// will not let a role leave behind: a role that gets the Oid of one that was dropped has nothing of it.
#pragma once

#include "pg/pg.hpp"

namespace weir::name {

enum class level : uint8 { none, read, write, admin }; // each includes those before it

// Other words are errors (22023).
level to_level(std::string_view word);
const char *name_of(level l);

bool may(level wanted, std::string_view name); // the current role
bool may(Oid role, level wanted, std::string_view name);

// All names that there are or will be.
bool may_all(level wanted);
bool may_all(Oid role, level wanted);

// Whether the current role may see figures and messages of all names, as those of all sessions in the server's views.
bool may_monitor();

// What all names that a role may use at a level begin with, those of them that begin as given: in their order (byte by
// byte), none of them the beginning of another. Palloc'd.
struct prefixes {
    std::string_view *of;
    int count;
};
prefixes open_prefixes(Oid role, level wanted, std::string_view within);

// Raises 42501. what: what it names, as in argument.hpp.
void require(level wanted, std::string_view name, const char *what = "stream name");
void require(Oid role, level wanted, std::string_view name, const char *what = "stream name");

} // namespace weir::name
