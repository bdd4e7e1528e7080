#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims about leases: one holder at a time, epochs that only go up, and nothing of an
# old epoch once another was given out, whatever holders, revocations and sweeps do
# side by side (test/lease_checker), also while the server's clock steps back and
# forth; an epoch that was given out is not given out again after a crash, with
# synchronous_commit off, and after a failover that lost it; work under a lease that is
# prepared keeps the lease over a crash. WEIR_STRESS_SECONDS for a long run, or
# WEIR_STRESS=1 for ten minutes.
set -euo pipefail
. "$(dirname "$0")/common.sh"

seconds=${WEIR_STRESS_SECONDS:-${WEIR_STRESS:+600}}
lease_checker=$(program_build lease_checker weir-lease-checker)
run_lease_checker() { "$lease_checker" --conninfo dbname=postgres "$@" || not_ok_lines=$((not_ok_lines + 1)); }
acquire() { value -F ' ' -c "SELECT acquired, epoch FROM weir.lease_acquire('$1', '$2', '${3:-1 day}')"; }
held() { value -c "SELECT state FROM weir.leases WHERE name = '$1'"; }
is_in_state() { [ "$(held "$1")" = "$2" ]; }

cluster_start lease
cluster_use lease
psql -c 'CREATE EXTENSION weir'

i=0
for shape in "3 8" "2 6" "20 12"; do
    read -r leases holders <<<"$shape"
    i=$((i + 1))
    note "$holders holders, $leases leases"
    run_lease_checker --run "lease$i" --seed "$((${WEIR_SEED:-1} + i))" --seconds "$((${seconds:-15} / 3))" --leases "$leases" --holders "$holders"
done

note "the same, while the clock steps"
fake_clock_begin
set_clock +0
cluster_stop lease
fake_clock_start lease
(while :; do set_clock "$(printf '%+d' $((RANDOM % 7200 - 3600)))"; sleep 0.1; done) &
stepper=$!
run_lease_checker --run stepping --seconds "${seconds:-6}" --timeout 0
kill $stepper
wait $stepper 2>/dev/null || true

note "the clock, step by step"
set_clock +0
createdb steps
export PGDATABASE=steps
psql -c 'CREATE EXTENSION weir'
is "a lease for a minute" "$(acquire minute ann '1 minute')" "t 1"
is "and one for two seconds" "$(acquire short ann '2 seconds')" "t 1"
set_clock +36000
is "ten hours ahead both are held" "$(held minute) $(held short)" "held held"
is "by the clock as it is then" \
    "$(value -c "SELECT expires_at - clock_timestamp() BETWEEN '0' AND '1 minute' FROM weir.leases WHERE name = 'minute'")" t
is "and refused to others" "$(acquire minute bob)" "f "
is "and renewed by their holder" "$(sqlstate "SELECT weir.lease_renew('minute', 'ann', 1)")" 00000
set_clock -36000
check "ten hours behind, two seconds are two seconds" poll 30 is_in_state short expired
is "and over" "$(sqlstate "SELECT weir.lease_renew('short', 'ann', 1)")" WR012
is "a minute is a minute" "$(held minute)" held
cluster_stop lease
set_clock -72000
fake_clock_start lease
is "started behind the clock of the lease it is held still" "$(acquire minute bob)" "f "
value -c 'SELECT weir.lease_sweep()' >/dev/null
is "after a sweep for its ttl, and not for hours" "$(value -c "SELECT expires_at - clock_timestamp() <= '1 minute' FROM weir.leases WHERE name = 'minute'")" t
is "with the same epoch" "$(sqlstate "SELECT weir.lease_renew('minute', 'ann', 1)")" 00000
cluster_stop lease
set_clock +0
cluster_start lease

note "a crash"
is "given out before" "$(PGOPTIONS='-c synchronous_commit=off' acquire crash ann)" "t 1"
crash_and_restart lease
is "not given out again, with synchronous_commit off" "$(acquire crash ann)" "t 2"
PGOPTIONS='-c synchronous_commit=off' value -c "SELECT weir.lease_revoke('crash', 'ops')" >/dev/null
crash_and_restart lease
is "and revoked stays revoked" "$(held crash)" revoked
is "acquired" "$(acquire prepared ann)" "t 1"
psql -c "BEGIN" -c "SELECT weir.append('prepared', '1', lease => 'prepared', epoch => 1)" -c "PREPARE TRANSACTION 'work'" >/dev/null
value -c "UPDATE weir.lease SET expires_at = weir.lease_time() - interval '1 second' WHERE name = 'prepared'"
crash_and_restart lease
is "prepared work keeps its lease" \
    "$(PGOPTIONS='-c lock_timeout=200ms' sqlstate "SELECT weir.lease_acquire('prepared', 'bob')")" 55P03
psql -c "COMMIT PREPARED 'work'"
is "until it is decided" "$(acquire prepared bob)" "t 2"

note "a failover that loses the last transactions"
make_standby standby lease
on_standby() { (cluster_use standby; PGDATABASE=steps "$@"); }
is "given out before" "$(acquire failover ann)" "t 1"
replicated() { [ "$(on_standby held failover)" = held ]; }
check "and replicated" poll 30 replicated
is "a standby shows leases" "$(on_standby value -c "SELECT owner, epoch FROM weir.leases WHERE name = 'failover'")" "ann|1"
is "and gives out none" "$(on_standby sqlstate "SELECT weir.lease_acquire('failover', 'bob')")" 25006
on_standby psql -c "ALTER SYSTEM SET primary_conninfo = ''" -c 'SELECT pg_reload_conf()' >/dev/null
cut_off() { [ "$(on_standby value -c 'SELECT count(*) FROM pg_stat_wal_receiver')" = 0 ]; }
check "cut off from the primary" poll 30 cut_off
is "given out and lost" "$(acquire failover ann) $(acquire 'new with the failover' ann)" "t 2 t 1"
cluster_stop lease immediate
on_standby value -c 'SELECT pg_promote()' >/dev/null
cluster_use standby
export PGDATABASE=steps
is "the lease goes on far above" "$(value -c "SELECT acquired, epoch > 1000000 FROM weir.lease_acquire('failover', 'ann')")" "t|t"
is "and then by one" "$(value -c "SELECT b.epoch - a.epoch FROM weir.lease_acquire('failover', 'ann') a, weir.lease_acquire('failover', 'ann') b")" 1
is "and so do new names" "$(value -c "SELECT acquired, epoch > 1000000 FROM weir.lease_acquire('new with the failover', 'ann')")" "t|t"
is "each then by one" "$(value -c "SELECT b.epoch - a.epoch FROM weir.lease_acquire('newer', 'ann') a, weir.lease_acquire('newer', 'ann') b")" 1
is "what the old primary gave out is worth nothing" "$(sqlstate "SELECT weir.append('s', '1', lease => 'failover', epoch => 2)")" WR013
finish
