// SPDX-License-Identifier: PostgreSQL
//
// The registry of every log of every family: name, id, kind. A name keeps one id through drops, so a backend may
// remember it. A name that was dropped a day ago and not used since is forgotten (its family does that): backends are
// told to, and a writer that had just remembered it finds the log without its mark and looks the name up again.
//
// Creating a name waits for nobody who creates the same: under a short lock the table is searched for rows of any
// transaction, finished or not, and where another one in flight is creating the name, its id is taken over in a row
// of our own. Whichever of the two commits, the name is there, with that id. Only where the other makes a log of
// another kind of it, it is waited for.
//
// Whatever takes a kind raises 42809 where the name is one of another kind (kind.hpp).
#pragma once

#include "pg/pg.hpp"

#include "name/kind.hpp"

namespace weir::name {

// The id of a name, or 0 where it is unknown to the snapshot.
int64 find(kind const &of, std::string_view name, Snapshot snapshot);

// The same, but never from this backend's memory.
int64 look_up(kind const &of, std::string_view name, Snapshot snapshot);

// What kind of thing has a name, by its code; 0 where it is unknown to the snapshot.
char kind_of(std::string_view name, Snapshot snapshot);

// The name of a log, empty where there is none. Good until the next call here, in the
// same memory context.
std::string_view name_of(int64 id, Snapshot snapshot);

struct entry {
    int64 id;
    char kind; // its code
    std::string_view name;
};

// Hands over every name that has an id of its own.
void for_each(Snapshot snapshot, void (*take)(entry const &e, void *context), void *context);

enum class level : uint8; // access.hpp

// The names that a role may use at a level, begin so and come after another one (byte by byte), in their order, until
// take returns false. Looks at those alone that begin as the patterns of its grants do, so that what others have costs
// it nothing.
struct selection {
    kind const *of; // nullptr: of any kind
    Oid role;
    level wanted;
    std::string_view prefix;
    std::string_view after;
};
void for_each_open(selection const &which, Snapshot snapshot, bool (*take)(entry const &e, void *context),
                   void *context);

// Whether there is a registry in this database: the extension, that is.
bool is_there();

struct known {
    int64 id;
    bool from_memory; // not looked up in this call
};

// The id of a name, made known if it is not.
known find_or_create(kind const &of, std::string_view name);
known look_up_or_create(kind const &of, std::string_view name); // without asking this backend's memory

// The least id above another that has a name, -1: there is none.
int64 next(kind const &of, int64 after);

// Enters a name, unless it is there, and returns its id, else 0. Waits for another transaction that is
// entering it.
int64 create(kind const &of, std::string_view name);

// Whether another transaction in flight has entered a name with this id.
bool is_in_flight(int64 id);

// Whether a row would give a name another id, or an id another name.
bool is_at_odds(std::string_view name, int64 id);

// Enters a name anew, as when its log is dropped or made again (dropped_at: the mark's position,
// or -1); it keeps its id. Under the log's maintenance lock.
void replace(kind const &of, std::string_view name, int64 id, int64 dropped_at);

// Gives a name another id, entered as dropped, and the log that had it another name, of another kind. Waits for who is
// entering the same name. Under the old log's maintenance lock; told to others as the transaction commits.
struct succession {
    std::string_view name;
    int64 old_id;
    int64 new_id;
    int64 dropped_at;
    std::string_view old_name; // that of the old one from now on
};
void succeed(kind const &of, kind const &old_kind, succession const &s);

// What is entered of an id, never from this backend's memory; kind 0: nothing. The name is palloc'd.
entry entered(int64 id, Snapshot snapshot);

// Whether a name is entered as that of a dropped log. It may have been used again since.
bool is_entered_as_dropped(int64 id, Snapshot snapshot);

// Forgetting (dropped.cpp). Names of a kind that were dropped below a position, those dropped first, without the first
// `passed` of them; returns how many it wrote to out.
struct dropped {
    int64 id;
    std::string_view name; // palloc'd
};
inline constexpr int dropped_at_once = 8;
int list_dropped(kind const &of, int64 below, int64 passed, dropped (&out)[dropped_at_once]);
void forget(int64 id);

// Once this transaction commits, every backend drops the names it remembers.
void tell_others_to_forget();

} // namespace weir::name
