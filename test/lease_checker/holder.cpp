// SPDX-License-Identifier: PostgreSQL
#include <thread>

#include "holder.hpp"

namespace leases {

holder::holder(const options &options_, unsigned n)
    : o(options_), number(n), choose(o.seed * 7919 + n), db(o.conninfo) {}

void holder::pause(std::int64_t max_us) {
    std::this_thread::sleep_for(std::chrono::microseconds(choose.below(static_cast<unsigned>(max_us) + 1)));
}

void holder::begin() {
    if (!db.execute("BEGIN").ok())
        seen.errors.push_back("BEGIN failed");
    in_transaction = true;
    grants_before = seen.grants.size();
    acts_before = seen.acts.size();
    epoch_before = epoch;
    ttl_before = ttl;
}

void holder::end(bool commit) {
    result r = db.execute(commit ? "COMMIT" : "ROLLBACK");
    if (!r.ok())
        seen.errors.push_back(r.sqlstate() + " " + r.message());
    bool done = commit && r.committed();
    for (std::size_t i = grants_before; i < seen.grants.size(); ++i)
        seen.grants[i].committed = done;
    for (std::size_t i = acts_before; i < seen.acts.size(); ++i)
        seen.acts[i].committed = done;
    in_transaction = false;
    if (!done) { // an epoch is nobody's before the acquire has committed
        epoch = epoch_before;
        ttl = ttl_before;
    }
}

void holder::failed(const result &r, span at) {
    const std::string &state = r.sqlstate();
    if (state == "WR010" || state == "WR011" || state == "WR012" || state == "WR013")
        seen.losses.push_back({lease, epoch, at, state});
    else
        seen.errors.push_back(state + " " + r.message());
    lost = true;
}

bool holder::acquire(unsigned wanted) {
    lease = wanted;
    ttl = 20000 + choose.below(100000);
    span at{now(), 0};
    result r = db.execute(
        "SELECT acquired, epoch, held_by FROM weir.lease_acquire($1, $2, $3::bigint * interval '1 microsecond', "
        "jsonb_build_object('namespace', $4::text))",
        {o.lease(lease), owner, std::to_string(ttl), o.run});
    at.to = now();
    if (!r.ok()) {
        seen.errors.push_back(r.sqlstate() + " " + r.message());
        lost = true;
        return false;
    }
    if (*r.value(0, 0) != 't') {
        seen.refusals.push_back({lease, at, r.value(0, 2)});
        return false;
    }
    epoch = r.integer(0, 1);
    seen.grants.push_back({lease, epoch, at, ttl, true, owner, !in_transaction});
    return true;
}

void holder::look_around() {
    result r = db.execute("SELECT id::bigint FROM weir.read($1, reverse => true, max => 1)", {o.lease(lease)});
    if (!r.ok())
        seen.errors.push_back(r.sqlstate() + " " + r.message());
    else
        seen.looks.push_back({lease, epoch, r.rows() ? r.integer(0, 0) : 0});
}

void holder::append() {
    std::int64_t key = static_cast<std::int64_t>(number) * 100000000 + ++keys;
    span at{now(), 0};
    result r = db.execute("SELECT weir.append($1, jsonb_build_object('e', $2::bigint, 'k', $3::bigint), lease => $1, "
                          "epoch => $2::bigint)",
                          {o.lease(lease), std::to_string(epoch), std::to_string(key)});
    at.to = now();
    if (r.ok())
        seen.acts.push_back({deed::write, lease, epoch, at, key, !in_transaction});
    else
        failed(r, at);
}

void holder::renew() {
    span at{now(), 0};
    result r =
        db.execute("SELECT weir.lease_renew($1, $2, $3::bigint)", {o.lease(lease), owner, std::to_string(epoch)});
    at.to = now();
    if (r.ok())
        seen.grants.push_back({lease, epoch, at, ttl, false, owner, !in_transaction});
    else
        failed(r, at);
}

void holder::release() {
    span at{now(), 0};
    result r =
        db.execute("SELECT weir.lease_release($1, $2, $3::bigint)", {o.lease(lease), owner, std::to_string(epoch)});
    at.to = now();
    if (!r.ok())
        failed(r, at);
    else if (*r.value(0, 0) == 't')
        seen.acts.push_back({deed::release, lease, epoch, at, 0, !in_transaction});
    lost = true;
}

// One thing that a holder may do; in a transaction often several.
void holder::work() {
    unsigned what = choose.below(100);
    if (what < 45)
        append();
    else if (what < 65)
        renew();
    else if (what < 72 && !in_transaction)
        pause(ttl * 3); // and wake late
    else if (what < 76 && in_transaction)
        pause(ttl * 2); // where it is fenced nobody gets past it
    else if (what < 80)
        release();
    else if (what < 83)
        lost = !acquire(lease); // once more, as after a lost answer
    else
        pause(ttl / 4);
}

void holder::run(const std::atomic<bool> &stop) {
    if (!db.connect()) {
        seen.errors.push_back("no connection: " + db.error());
        return;
    }
    while (!stop) {
        owner = "h" + std::to_string(number) + "." + std::to_string(++lives);
        lost = false;
        bool together = choose.percent(15); // the acquire is part of a longer transaction
        if (together)
            begin();
        bool acquired = acquire(choose.below(o.leases));
        if (together) {
            if (acquired && choose.percent(70))
                append();
            bool commit = choose.percent(70);
            end(commit);
            acquired = acquired && commit && !lost;
        }
        if (!acquired) {
            pause(5000);
            continue;
        }
        look_around();
        // Now and then it goes on for a while after it lost the lease, as one who has not heard.
        for (unsigned stubborn = choose.below(4), steps = choose.below(20);
             !stop && steps > 0 && (!lost || stubborn-- > 0); --steps) {
            lost = false;
            if (choose.percent(30)) {
                begin();
                for (unsigned n = 1 + choose.below(4); n > 0 && !lost; --n)
                    work();
                end(!lost && choose.percent(80));
            } else {
                work();
            }
        }
    }
}

} // namespace leases
