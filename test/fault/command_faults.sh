#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: through restarts, crashes and lost connections weir pipe loses and doubles nothing and makes its writer wait
# while the server is away; weir tail shows every frame once; a server that takes no writes is a clear
# error with a status of its own.
set -euo pipefail
. "$(dirname "$0")/command_common.sh"

command_make
cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'
cd "$WEIR_TMP"

note "cut off in mid-transaction, again and again"
cut_off() {
    local n=0
    poll 60 has_frames cut 1
    while [ $n -lt 20 ]; do
        n=$((n + $(value -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                             WHERE application_name = 'weir'")))
    done
    touch was_cut
}
# For as long as that takes.
count_on() {
    local i=0
    until [ -e was_cut ] && ((i % 100 == 0 && i >= 15000)); do
        i=$((i + 1))
        echo "$i"
        ((i % 100)) || sleep 0.02
    done
}
cut_off &
count_on | tee numbers | weir pipe cut --linger 1ms >passed 2>err
wait $!
check "everything passed" same_bytes numbers passed
check "nothing is lost, doubled or out of order" same_bytes numbers <(weir read cut --raw)
contains "it said so" "$(<err)" "recording again after"

note "restart and crash under a pipe and a tail"
# From the start on, else it would begin with the newest ten, of as many as the pipe has recorded by then.
weir tail -f --raw -q --after 0-0 steps >tailed &
tail=$!
mkfifo steps
weir pipe steps --close --buffer 64kB <steps >passed 2>err &
pipe=$!
# Lines as fast as they are taken; how far it came is in a file.
(i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); echo "$i"; ((i % 100)) || echo "$i" >>reached; done >steps) &
writer=$!
poll 60 has_frames steps 1000
before=$(frames steps)
cluster_stop main immediate
recorded=$(tail -n 1 reached)
stalled() { local at; at=$(tail -n 1 reached); sleep 0.5; [ "$(tail -n 1 reached)" = "$at" ]; }
poll 60 stalled
# 64 kB in its buffer and as many in the fifo are 22,000 lines.
check "while the server is away the writer waits, with a bounded amount held back" \
    test $(($(tail -n 1 reached) - recorded)) -lt 25000
cluster_start main >/dev/null
poll 120 has_frames steps $((before + 2000))
crash_and_restart main >/dev/null
wait $writer
status=0; wait $pipe || status=$?
is "it ends well" $status 0
status=0; wait $tail || status=$?
is "the tail ends with the stream" $status 0
seq 60000 >numbers
check "every line is in the stream, once" same_bytes numbers <(weir read steps --raw)
check "and was tailed, once" same_bytes numbers tailed
contains "the loss was told" "$(<err)" "weir: warning: "

note "cursor file"
weir tail -f --raw --cursor cursor -q steps >part1 &
poll 60 test -s part1
kill $!; wait $! 2>/dev/null || true
weir tail --raw --cursor cursor steps >part2
cat part1 part2 >both
check "what was shown before and after an interruption is everything, once" same_bytes numbers both
run weir tail --raw --cursor cursor steps
is "after which there is nothing to show" "$out" ""
weir append other --text one >/dev/null
weir tail --raw --cursor cursor other >/dev/null
is "one file keeps several streams" "$(cut -d ' ' -f 2 cursor)" $'other\nsteps'
is "no other file is left beside it" "$(echo cursor*)" cursor
echo nonsense >bad
fails "a file that is something else is not overwritten" 1 'is not a cursor file' weir tail --cursor bad steps
is "it is not" "$(<bad)" nonsense
fails "one that cannot be written is an error" 1 'could not write' weir tail --cursor /nonexistent/cursor steps

note "no server"
fails "a connection that cannot be made" 3 'No such file or directory' weir -h /nonexistent read x
fails "before a command is started" 125 'No such file or directory' weir -h /nonexistent pipe x -- touch started
check "so it was not" test ! -e started
cluster_stop main
status=0
echo lost | weir pipe steps2 2>err >passed || status=$?
is "a pipe that has nowhere to go from the start fails at once" $status 3
cluster_start main >/dev/null
mkfifo lost
weir pipe lost --patience 1s <lost >passed 2>err &
exec 4>lost
echo one >&4
poll 60 has_frames lost 1
cluster_stop main immediate
echo two >&4
poll 60 grep -q 'no more is recorded' err
echo three >&4
exec 4>&-
status=0; wait $! || status=$?
is "patience ends: output passes on, the status tells" "$status $(<passed)" $'3 one\ntwo\nthree'
contains "and how much is missing" "$(<err)" "2 lines were not recorded"
cluster_start main >/dev/null

note "a server that takes no writes"
psql -c "ALTER SYSTEM SET default_transaction_read_only = on" -c "SELECT pg_reload_conf()" -o /dev/null
reads_only() { [ "$(value -c 'SHOW default_transaction_read_only')" = "$1" ]; }
poll 60 reads_only on
fails "append says so" 5 'read-only transaction' weir append x 1
contains "with what to do" "$err" "hint: "
fails "pipe says so before it starts" 5 'read-only' weir pipe x
fails "and before it starts a command" 125 'read-only' weir pipe x -- true
run weir read steps -n 1
is "reading works" $status 0
psql -c "SET default_transaction_read_only = off" -c "ALTER SYSTEM RESET default_transaction_read_only" -c "SELECT pg_reload_conf()" -o /dev/null
poll 60 reads_only off
# A full disk cannot be had everywhere; a function in the place of the true one says what the server would.
createdb full
psql -d full -c 'CREATE EXTENSION weir' -c "DO \$\$
    DECLARE f oid;
    BEGIN
        FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'weir'::regnamespace AND proname ~ '^append_(text|batch|text_batch)$' LOOP
            EXECUTE regexp_replace(pg_get_functiondef(f), 'LANGUAGE c .*|LANGUAGE c\n.*', format('LANGUAGE plpgsql AS %L',
                'BEGIN RAISE ''could not extend file: No space left on device'' USING ERRCODE = ''disk_full'', HINT = ''Check free disk space.''; END'));
        END LOOP;
    END\$\$"
fails "a full disk: append" 5 'No space left on device' weir -d full append x --text 1
contains "with the server's hint" "$err" "hint: Check free disk space."
fails "a full disk: pipe, once its patience is over" 5 'No space left on device' sh -c 'echo 1 | weir -d full pipe x --patience 1s'
contains "all is said" "$err" "1 line was not recorded"
fails "a full disk, under a command that goes well" 125 'No space left on device' weir -d full pipe x --patience 1s -- echo 1
fails "its own failure comes first" 6 'No space left on device' weir -d full pipe x --patience 1s -- sh -c 'echo 1; exit 6'
finish
