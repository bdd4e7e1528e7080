#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: emit, subscribe, lease and blockers do what their help says: events are printed once and acknowledged, a
# command runs only under its lease, and is ended with it.
set -euo pipefail
. "$(dirname "$0")/command_common.sh"

command_make
cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'
cd "$WEIR_TMP"

note "events"
weir emit shop/1 '{"n": 0}' --type paid
is "a new subscription starts now" "$(weir subscribe mail 'shop/*' --type paid && weir subscribe mail)" ''
weir emit shop/1 '{"n": 1}' --type paid --headers '{"region": "eu"}'
weir emit shop/1 --type sent
printf '{"n": 2}\n\n{"n": 3}\n' | weir emit shop/2 --type paid --lines
echo '{"n": 4}' | weir emit shop/1 - --type paid
is "to look is not to take" "$(weir subscribe mail --peek --raw && weir subscribe mail --peek --raw)" \
    "$(for _ in 1 2; do printf '{"n": %s}\n' 1 2 3 4; done)"
is "they come in order, with their streams" "$(weir subscribe mail --json | sed -E 's/.*"stream": ?("[^"]*").*"payload": ?(\{[^}]*\}).*/\1 \2/')" \
    '"shop/1" {"n": 1}
"shop/2" {"n": 2}
"shop/2" {"n": 3}
"shop/1" {"n": 4}'
is "once" "$(weir subscribe mail)" ''
is "where it stands" "$(weir subscribe --json | wc -l) $(value -c 'SELECT sum(lag_frames) FROM weir.subscriptions')" '2 0'
contains "for people too" "$(weir subscribe)" 'mail'
is "from the beginning" "$(weir subscribe all shop/1 --beginning --raw | head -n 1)" '{"n": 0}'
fails "another one of that name" 4 'already' weir subscribe mail other
fails "one that is not there" 1 'nobody' weir subscribe nobody
fails "an event that is no JSON" 1 'have to be JSON' weir emit shop/1 nonsense --type paid
weir subscribe -f --raw mail >followed &
follower=$!
for n in 5 6 7; do weir emit "shop/$n" "$n" --type paid; done
# Printed, and acknowledged after that.
settled() { [ "$(wc -l <followed)" = 3 ] && [ "$(value -c "SELECT sum(lag_frames) FROM weir.subscriptions WHERE name = 'mail'")" = 0 ]; }
check "it follows, also streams made later" poll 20 settled
kill -TERM $follower
run wait $follower
is "in order" "$(cat followed)" "$(printf '5\n6\n7')"
weir subscribe mail --drop
weir subscribe forms forms
weir emit forms --text 'no "JSON"' && printf 'a\0b' | weir emit forms - --bytes --type raw
is "text and bytes as they are" "$(value -c "SELECT payload #>> '{}', bytes, type FROM weir.read('forms')")" 'no "JSON"||
|\x610062|raw'
fails "dropped" 1 'does not exist' weir subscribe mail --drop

note "properties"
weir create kept --max-frames 7 --max-age 30d --rate-alpha 0.5 --expires-at '2100-01-01 00:00Z'
properties() { value -c "SELECT properties FROM weir.streams WHERE stream = 'kept'"; }
is "a stream with properties" "$(properties)" \
    "$(value -c "SELECT weir.create_stream('same', max_frames => 7, max_age => '30 days', rate_alpha => 0.5, expires_at => '2100-01-01 00:00Z')" \
        -c "SELECT properties FROM weir.streams WHERE stream = 'same'" | tail -n 1)"
fails "one that is there" 4 'exists already' weir create kept
weir alter kept --max-frames 8 --reset max-age --reset rate-alpha --reset expires-at
is "altered" "$(properties)" '{"max_frames": 8}'
fails "nothing to alter" 1 'no property is given' weir alter kept
fails "no such stream" 1 'does not exist' weir alter nowhere --ttl 1h
fails "out of range" 1 'range' weir alter kept --max-frame-bytes 99999999999
fails "no number" 2 'like 0.2' weir alter kept --rate-alpha x
fails "no time" 2 'is not a time' weir create other --expires-at soon

note "leases"
is "the command knows its lease" "$(weir lease job --ttl 1m -- sh -c 'echo $WEIR_LEASE $WEIR_EPOCH')" 'job 1'
run weir lease job -- sh -c 'exit 7'
is "its status is passed on" "$status" 7
fails "what cannot be run" 127 'no-such-program' weir lease job -- no-such-program
is "released each time" "$(value -c "SELECT state FROM weir.leases WHERE name = 'job'")" released
weir lease job --owner first -- sleep 60 &
holder=$!
held() { [ "$(value -c "SELECT state FROM weir.leases WHERE name = 'job' AND owner = '$1'")" = held ]; }
check "it is held meanwhile" poll 20 held first
fails "and by nobody else" 4 'held by "first"' weir lease job -- true
fails "however long one waits" 4 'held by "first"' weir lease job --wait 300ms -- true
contains "who has it" "$(weir lease)" first
weir lease job --owner second --forever -- sh -c 'echo second' >second &
second=$!
kill -TERM $holder
run wait $holder
is "a signal is passed on, and ends both" "$status" 143
run wait $second
is "who stood by gets it" "$status $(cat second)" '0 second'
weir lease job --ttl 2s --owner third -- sleep 60 2>lost &
holder=$!
check "held again" poll 20 held third
USER=ops weir lease job --revoke --reason drain
run wait $holder
is "revoked, the command ends" "$status" 4
contains "and why is said" "$(cat lost)" revoked
contains "by whom" "$(weir lease job --json)" '"ended_by":"ops"'
fails "nobody has it" 1 'nobody holds' weir lease job --revoke

note "blockers"
is "nobody blocks" "$(weir blockers)" ''
psql -c "SELECT weir.append('blocked', '0')" >blocker.out
psql -c 'BEGIN' -c "SELECT weir.append('blocked', '1')" -c 'SELECT pg_sleep(60)' >blocker.out 2>&1 &
blocker=$!
blocks() { weir blockers | grep -q '^blocked .*pg_sleep'; }
check "an open transaction with its query" poll 20 blocks
contains "as JSON" "$(weir blockers --json)" '"log":"blocked"'
kill $blocker
finish
