// SPDX-License-Identifier: PostgreSQL
//
// The writer rule, once, for every log: README.md has the proof.
//
//     pages, relations, invalidations    -- may wait
//     lock
//        what was assigned last, the newest entries, what they say   -- the policy's judge()
//        the clock, the mint, what is remembered
//        heap and index inserts          -- of the rows, or of a guard that stands for them
//     unlock                             -- long before commit
//     what the guard stands for          -- where that takes long
//
// Whatever has to be waited for, looked up or raised is done with the lock released, and then everything is
// looked at afresh: another transaction whose end decides what may follow, another table that has to be opened, a
// bound of the clock that has to be moved.
//
// What the entries mean is the family's own, and comes in as a policy:
//
//     int64 key()                        the log; may be another one after resolve()
//     std::string_view name()            for messages
//     void make_ready()                  ready.hpp; whatever judge() and fill() touch
//     void before_clock_moves()          this writer is going to move the bound of the clock itself
//     judgement judge(last_assigned, now_us)   under the lock: what the newest entries say. Waits for nothing
//     void resolve()                     after retry, with the lock released; may raise
//     void fill(assigned, rows)          under the lock: completes the rows, which are in no table yet
//
// A policy is a template's argument, so nothing is called through a pointer under the lock.
#pragma once

#include "pg/pg.hpp"

#include "log/clock.hpp"
#include "log/insert.hpp"
#include "log/lock.hpp"

namespace weir::log {

// Of a transaction that wrote or deleted a row, as of now. The running one counts as committed.
enum class status { aborted, in_progress, committed };
status status_of(TransactionId xid);

struct judgement {
    enum class verdict {
        assign,
        wait,  // for a transaction: its end decides
        retry, // resolve() knows what for
        stop   // nothing is to be written
    };
    verdict then = verdict::assign;
    TransactionId wait_for = InvalidTransactionId;
    int64 newest = -1;           // position in the log's tables, whoever wrote it; -1: there is none
    int64 above = -1;            // likewise in those of a log that this one takes the place of
    bool control_record = false; // remembered: what is written may decide what may follow
};

struct assigned {
    bool stopped;
    int64 first;
    int64 now_us;
};

// Under the lock: assigns `count` positions behind all that was. False, with the lock released: the bound of the clock
// has to be moved over wanted_ms first. Raises 22003 where no position is left.
bool assign_position(int64 key, std::string_view name, judgement const &j, last_assigned const &known, int count,
                     assigned &out, int64 &wanted_ms);

// Returns with the lock held, unless it was stopped.
template <class Policy> assigned assign_positions(Policy &policy, int count) {
    for (int64 wanted_ms = clock::now_us() / 1000 + 1;;) {
        if (!clock::covers(wanted_ms)) {
            policy.before_clock_moves();
            clock::cover(wanted_ms);
        }
        CHECK_FOR_INTERRUPTS();
        int64 key = policy.key();
        policy.make_ready();
        lock(key);
        assigned out{false, -1, clock::now_us()};
        last_assigned known = recall(key);
        judgement j = policy.judge(known, out.now_us);
        if (j.then == judgement::verdict::assign) {
            if (assign_position(key, policy.name(), j, known, count, out, wanted_ms))
                return out;
            continue;
        }
        unlock(key);
        if (j.then == judgement::verdict::wait)
            XactLockTableWait(j.wait_for, nullptr, nullptr, XLTW_None);
        else if (j.then == judgement::verdict::retry)
            policy.resolve();
        else
            return {true, -1, out.now_us};
    }
}

// Assigns and inserts. Returns with the lock released.
template <class Policy> assigned append(Policy &policy, table &target, rows &r) {
    assigned out = assign_positions(policy, positions(r));
    if (out.stopped)
        return out;
    policy.fill(out, r);
    insert(target, r);
    unlock(policy.key());
    insert_guarded(target, r);
    return out;
}

} // namespace weir::log
