// SPDX-License-Identifier: PostgreSQL
#include "writer.hpp"

#include <chrono>
#include <thread>

namespace waking {

writer::writer(const options &o, shared &s, gate &g, unsigned n)
    : opt(o), common(s), stop(g), roll(o.seed * 1000 + n), number(n), db(o.conninfo) {}

bool writer::execute(const std::string &sql, const checker::parameters &values) {
    stop.pass();
    checker::result r = db.execute(sql, values);
    if (!r.ok())
        common.complain(sql + ": " + r.sqlstate() + " " + r.message());
    return r.ok();
}

bool writer::append() {
    if (opt.wide && roll.percent(5))
        return append_to_all();
    std::string stream = opt.stream(roll.below(opt.streams));
    switch (roll.below(8)) {
    case 0:
        return execute("SELECT weir.append_best_effort($1, '1')", {stream});
    case 1:
        return execute("SELECT weir.append_batch($1, '{1,2,3}'::jsonb[])", {stream});
    case 2:
        return execute("SELECT weir.append_patch($1, '{\"a\": 1}')", {stream});
    default:
        return execute("SELECT weir.append($1, '1')", {stream});
    }
}

// More than a transaction keeps account of.
bool writer::append_to_all() {
    ++common.wide;
    return execute("SELECT weir.append($1 || '/' || n, '1') FROM generate_series(0, $2::int - 1) n",
                   {opt.run, std::to_string(opt.streams)});
}

// Readers that look meanwhile wait for the lock, with a snapshot from before the frame.
bool writer::append_under_lock() {
    return execute("DO $do$ BEGIN PERFORM set_config('lock_timeout', '5ms', true); LOCK TABLE weir.frame_log IN ACCESS "
                   "EXCLUSIVE MODE; PERFORM weir.append('" +
                   opt.stream(roll.below(opt.streams)) +
                   "', '1'), pg_sleep(0.001); EXCEPTION WHEN lock_not_available THEN NULL; END $do$");
}

void writer::prepare() {
    std::string gid = "'" + opt.run + "-" + std::to_string(number) + "-" + std::to_string(serial++) + "'";
    if (!execute("PREPARE TRANSACTION " + gid))
        return;
    ++common.prepared;
    execute((roll.percent(60) ? "COMMIT PREPARED " : "ROLLBACK PREPARED ") + gid);
}

void writer::transaction() {
    if (!execute("BEGIN"))
        return;
    unsigned savepoints = 0;
    for (unsigned steps = 1 + roll.below(5); steps > 0; --steps) {
        unsigned pick = roll.below(10);
        if (pick < 3) {
            execute("SAVEPOINT s" + std::to_string(savepoints++));
            append();
        } else if (pick < 6 && savepoints > 0) {
            execute("ROLLBACK TO s" + std::to_string(roll.below(savepoints)));
            ++common.savepoint_rollbacks;
            savepoints = 0;
        } else {
            append();
        }
        if (roll.percent(10))
            std::this_thread::sleep_for(std::chrono::microseconds(roll.below(3000)));
    }
    unsigned pick = roll.below(100);
    if (opt.prepared && pick < 20) {
        prepare();
    } else if (pick < 60) {
        execute("COMMIT");
        ++common.commits;
    } else {
        execute("ROLLBACK");
        ++common.rollbacks;
    }
}

void writer::run() {
    if (!db.connect())
        common.complain("a writer cannot connect: " + db.error());
    while (!common.enough && db.connected()) {
        if (roll.percent(3)) {
            append_under_lock();
        } else if (roll.percent(40)) {
            append();
            ++common.commits;
        } else {
            transaction();
        }
    }
    stop.leave();
}

} // namespace waking
