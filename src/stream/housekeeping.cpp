// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "stream/housekeeping.hpp"
#include "stream/best_effort.hpp"
#include "stream/names.hpp"

namespace weir::stream {

namespace {

// An append that crosses a multiple of so many rows asks for a checkpoint. Patches are
// dearer to fold than frames are to count.
constexpr int64 run = 1024;
constexpr int64 run_of_patches = 512;

constexpr int keyed_calls = 64; // of this backend, after which it asks

constexpr int64 dead_rows_of_a_backend = 1024; // likewise

int checkpoints, frames, names, keys, vacuum, clock, lifetimes;

} // namespace

void register_jobs() {
    checkpoints = worker::register_job({.name = "checkpoints", .step = checkpoint_step, .next_key = next_stream});
    frames = worker::register_job({.name = "frames", .step = trim_step, .next_key = next_with_best_effort_rows});
    names = worker::register_job({.name = "names", .step = forget_names_step, .at_first = true, .patient = true});
    keys = worker::register_job({.name = "keys", .step = expire_keys_step, .at_first = true, .patient = true});
    vacuum = worker::register_job({.name = "vacuum", .step = vacuum_step, .own_transactions = true});
    lifetimes = worker::register_job({.name = "lifetimes", .step = lifetimes_step, .at_first = true});
    clock = worker::register_job({.name = "clock", .step = clock_step});
}

void ask_for_checkpoint(int64 stream_id, written const &appended, int count) {
    int64 every = appended.version > 0 ? run_of_patches : run;
    if (appended.ordinal / every != (appended.ordinal - count) / every)
        worker::ask(checkpoints, stream_id);
}

void ask_to_trim(int64 stream_id, written const &appended, int count) {
    if (!is_worth_a_trim(stream_id, appended.ordinal, appended.maxlen, count))
        return;
    // As fast as all processors together can append, one cannot trim.
    if (worker::falls_behind(frames))
        worker::help(frames, stream_id);
    worker::ask(frames, stream_id);
}

void ask_to_end_streams(int64 in_us) { worker::ask_for_everything_within(lifetimes, in_us); }

void ask_to_forget_names() { worker::ask(names, 0); }

void ask_to_expire_keys() {
    static int calls_until = keyed_calls;
    if (--calls_until > 0)
        return;
    calls_until = keyed_calls;
    worker::ask(keys, 0);
}

// At once, not as the transaction ends: it may have to wait there for what this spares others.
void ask_to_move_clock() {
    worker::say_of_use(clock);
    worker::ask_within(clock, 0);
}

bool is_clock_in_use() {
    bool used = worker::is_of_use(clock);
    worker::say_of_no_use(clock);
    return used;
}

void ask_to_vacuum(int64 dead_rows) {
    static int64 dead = 0;
    dead += dead_rows;
    if (dead < dead_rows_of_a_backend)
        return;
    dead = 0;
    worker::ask(vacuum, 0);
}

} // namespace weir::stream
