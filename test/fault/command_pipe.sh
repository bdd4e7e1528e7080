#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: weir pipe is tee with a stream behind it: every byte passes and comes back from the stream, live, with standard
# output and standard error apart; the command that it runs behaves, ends and is interrupted as without it.
set -euo pipefail
. "$(dirname "$0")/command_common.sh"

command_make
cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'
cd "$WEIR_TMP"

note "bytes"
# Every byte, lines that are no UTF-8, NUL, empty lines, carriage returns, no newline at the end, a line beyond a frame's limit.
{
    printf 'plain\n\n\r\ncaf\xe9\nnul\0 inside\n\xff\xfe\nüml€t\n'
    head -c 300000 /dev/urandom
    head -c 1500000 /dev/zero | tr '\0' 'x'
    head -c 1500000 /dev/zero | tr '\0' '\377'
    printf '\n\0\n\xe2\x82'
} >bytes
weir pipe lines <bytes >passed
check "every byte passes through" same_bytes bytes passed
weir read lines --raw >back
check "every byte comes back from lines" same_bytes bytes back
weir pipe chunks --chunks <bytes >passed
weir read chunks --raw >back
check "every byte comes back from chunks" same_bytes bytes back
weir pipe live --best-effort --ttl 1h <bytes >/dev/null
weir read live --raw | tail -c 100 >back
check "and from best-effort frames, as far as they are kept" same_bytes <(tail -c 100 bytes) back
is "what is text is text, with or without its newline" \
    "$(printf 'a\nb' | weir pipe text | cat; value -c "SELECT payload, headers FROM weir.read('text')")" $'a\nb"a"|\n"b"|{"eol": false}'
is "what is not is bytes" \
    "$(printf '\xff\n\0' | weir pipe raw >/dev/null; value -c "SELECT bytes, headers FROM weir.read('raw')")" \
    $'\\xff|{"eol": true}\n\\x00|'
seq 20000 >numbers
weir pipe numbers <numbers >/dev/null
check "order is kept over many batches" same_bytes numbers <(weir read numbers --raw)
createdb -E SQL_ASCII -T template0 --lc-collate C --lc-ctype C ascii
psql -d ascii -c 'CREATE EXTENSION weir'
printf 'ü\nplain\n' >latin
weir pipe latin -d ascii <latin >/dev/null
check "a database that is not UTF-8 keeps all bytes as well" same_bytes latin <(weir read -d ascii --raw latin)

note "a command"
cat >both.sh <<'SH'
echo out 1; echo err 1 >&2; echo out 2; printf 'no end'; printf 'err end' >&2; exit "${1:-0}"
SH
weir pipe both -- bash both.sh >o 2>e || true
is "standard output passes as standard output" "$(<o)" $'out 1\nout 2\nno end'
is "standard error passes as standard error" "$(<e)" $'err 1\nerr end'
check "and is of its own type in the stream" same_bytes e <(weir read both --raw --type stderr)
check "as the other is" same_bytes o <(weir read both --raw --type stdout)
run weir pipe both -q -- bash both.sh 3
is "its exit status is kept" $status 3
is "nothing is added to its output" "$out$err" $'out 1\nout 2\nno enderr 1\nerr end'
run weir pipe both -- sh -c 'kill -TERM $$'
is "so is its death by a signal" $status 143
fails "a command that does not exist: 127" 127 'could not run "no-such-command": No such file' weir pipe both -- no-such-command
fails "one that is none: 126" 126 'Permission denied' weir pipe both -- /etc/passwd
is "its standard input is that of weir" "$(echo hello | weir pipe both -- cat)" hello
is "its arguments are its own" "$(weir pipe both -q -- echo --help -q --)" "--help -q --"

note "live"
mkfifo words
weir pipe slow <words >/dev/null &
exec 4>words
echo first >&4
check "a line is there while the program runs" poll 10 has_frames slow 1
echo second >&4
check "so is the next one" poll 10 has_frames slow 2
exec 4>&-
wait $!

note "the summary document"
cat >counted.sh <<'SH'
echo warning: one
echo x/main.o
until weir summary sum 2>/dev/null | grep -q '"file": "main"'; do sleep 0.05; done
echo seen 1; echo seen 2; echo two warning: >&2
exit 4
SH
weir pipe sum --close --count warnings='warning:' --current file='([a-z]+)\.o' --last seen='seen ([0-9]+)' -- bash counted.sh >/dev/null 2>&1 || true
is "it counts, picks out, drops what is no longer current, and ends with the exit status" \
    "$(value -c "SELECT document - 'elapsed_ms' FROM weir.summary('sum')")" \
    '{"seen": "2", "bytes": 49, "lines": 5, "state": "finished", "command": "bash counted.sh", "warnings": 2, "exit_status": 4, "stderr_lines": 1}'
is "the stream is closed, with the reason" "$(value -c "SELECT payload FROM weir.read('sum') WHERE mode = 'close'")" '{"reason": "exit status 4"}'
fails "a closed stream is found before the command starts" 125 'stream "sum" is closed' weir pipe sum -- touch started
check "so it did not" test ! -e started
fails "and refused as such where there is no command" 4 'stream "sum" is closed' weir pipe sum

note "signals"
# Background jobs of a shell like this one have SIGINT ignored.
env --default-signal=INT weir pipe int -q -- env --default-signal=INT sh -c \
    'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.05; done' >out &
poll 10 grep -q ready out
kill -INT $!
status=0; wait $! || status=$?
is "an interrupt is passed on, and what the command makes of it counts" "$status $(<out)" $'9 ready\ncaught'
is "its last words are recorded" "$(weir read int --raw)" $'ready\ncaught'
mkfifo endless
env --default-signal=INT weir pipe int2 <endless >out &
exec 4>endless
echo one >&4
poll 10 grep -q one out
kill -INT $!
status=0; wait $! || status=$?
exec 4>&-
is "without a command an interrupt ends it, once all is recorded" "$status $(weir read int2 --raw)" "130 one"
status=0
{ weir pipe gone -- yes 2>err || echo $? >code; } | head -n 1 >/dev/null
is "a reader that goes away ends the command as it would without weir, quietly" "$(<code)$(<err)" 141
{ yes | { weir pipe gone2 2>err || echo $? >code; } | head -n 1 >/dev/null; } || true
is "and weir itself where there is no command" "$(<code)$(<err)" 141
weir read gone --raw -n 3 | is "what it saw is in the stream" "$(cat)" $'y\ny\ny'
fails "output that cannot be written is said, and everything is recorded" 1 'No space left on device' \
    sh -c 'echo kept | weir pipe full >/dev/full'
is "so it is" "$(weir read full --raw)" kept

note "on a terminal"
if has_terminals; then
    in_terminal 'weir pipe tty -- sh -c "echo one; sleep 0.4; echo two"'
    contains "a line tells of the progress" "$out" $'\r\e[1mtty\e[0m  1 line'
    contains "and in the end of it all" "$out" '2 lines, 8 B in'
    in_terminal 'weir pipe tty -q -- echo one'
    is "-q keeps it still" "$out" $'one\r'
    in_terminal 'NO_COLOR=1 weir pipe tty -- echo one'
    check "NO_COLOR leaves the colours out" bash -c '! grep -q "\[[0-9]*m" out'
fi
finish
