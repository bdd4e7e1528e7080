#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claim: the verbs of the weir command do what their help says, in a terminal and in a pipe: JSON lines that are JSON,
# help with examples for each, completions that shells load, errors with the documented status.
set -euo pipefail
. "$(dirname "$0")/command_common.sh"

command_make
cluster_start main >/dev/null
cluster_use main
psql -c 'CREATE EXTENSION weir'
cd "$WEIR_TMP"
verbs=(pipe append create alter read tail summary info top emit subscribe lease blockers doctor completion)

if [ -z "${WEIR_COMMAND:-}" ]; then
    check "what it is made of" fixed_addresses "$client_build/test/client/cli/weir_command_test"
fi

note "help and arguments"
for verb in "${verbs[@]}"; do
    run weir "$verb" --help
    check "help of $verb has usage, options and examples" \
        bash -c 'test $0 = 0 && grep -q "^Usage" out && grep -q "^Examples" out && grep -q "^  .*weir $1" out' $status "$verb"
    # Each option that help names is in the documentation.
    for option in $(grep -oE '^ +(-., |    )--[a-z]+' out | grep -oE -- '--[a-z]+'); do
        grep -q -- "\`\(-., \)\?$option\b" "$WEIR_ROOT/docs/command.md" || not_ok "docs/command.md does not name $option of $verb"
    done
done
run weir --help
is "so has the command; every verb is in it" "$status $(grep -cE "^  ($(IFS='|'; echo "${verbs[*]}")) " out)" "0 ${#verbs[@]}"
while read -r code _; do
    grep -q "^| $code " "$WEIR_ROOT/docs/command.md" || not_ok "docs/command.md does not name the status $code"
done < <(sed -n '/^Exit status/,/^$/p' out | tail -n +2 | sed '/^$/d')
contains "its version" "$(weir --version)" "weir 0."
fails "no verb" 2 'which verb?' weir
fails "an unknown one" 2 'there is no verb "frobnicate"' weir frobnicate
fails "an unknown option" 2 '--frob' weir read x --frob
fails "a missing stream" 2 'STREAM is required' weir read
fails "an argument too many" 2 'not expected here: y' weir read x y
fails "no position" 2 '"x1" is no position' weir read x --after x1
fails "no duration" 2 '"5" is no duration' weir pipe x --linger 5
fails "no time" 2 'neither a time nor a duration' weir read x --since someday
fails "what excludes each other" 2 'excludes' weir read x --raw --json
fails "a dsn that is none" 2 'foo' weir -d foo=1 info

note "connection"
printf '[here]\nhost=%s\nport=%s\nuser=%s\ndbname=%s\n' "$PGHOST" "$PGPORT" "$PGUSER" "$PGDATABASE" >service
without() { env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE "$@"; }
weir append where --text here >/dev/null
is "by a service file" "$(without PGSERVICEFILE=service weir -d service=here read where --raw)" here
is "by its name in the environment" "$(without PGSERVICEFILE=service PGSERVICE=here weir read where --raw)" here
is "by a URI" "$(without weir -d "postgresql://$PGUSER@/$PGDATABASE?host=$PGHOST&port=$PGPORT" read where --raw)" here
is "by options, before and behind the verb" "$(without weir -h "$PGHOST" read where --raw -p "$PGPORT" -U "$PGUSER" -d "$PGDATABASE")" here
is "options win over a URI" "$(without weir -d "postgresql://nobody@/$PGDATABASE?host=/nonexistent&port=$PGPORT" -h "$PGHOST" -U "$PGUSER" read where --raw)" here
fails "a database that is not there" 3 'database "nowhere" does not exist' weir -d nowhere read x
fails "one without weir" 1 'this database has no weir' weir -d template1 read x
contains "what helps" "$err" "hint: CREATE EXTENSION weir"

note "append, read, info"
is "append prints the position" "$(weir append a '{"n": 1}' --type t --headers '{"h": 1}' --key k)" "$(value -c "SELECT id FROM weir.read('a')")"
is "again under the key, the same one" "$(weir append a '{"n": 1}' --type t --headers '{"h": 1}' --key k)" "$(value -c "SELECT id FROM weir.read('a')")"
fails "another request under it" 4 'was used for another request' weir append a '{"n": 2}' --key k
fails "JSON that is none" 1 'invalid input syntax for type json' weir append a 'not json'
contains "what helps" "$err" "--text"
echo '[2]' | weir append a >/dev/null
printf 'three\n' | weir append a --text - >/dev/null
printf '\0\377' | weir append a --bytes --best-effort --ttl 1h >/dev/null
is "patch prints the version too" "$(weir append a --patch '{"p": null, "q": 1e2}' | cut -f 2)" 1
is "what each became" "$(value -c "SELECT mode, type, payload, bytes, headers FROM weir.read('a')")" \
    'durable|t|{"n": 1}||{"h": 1}
durable||[2]||
durable||"three\n"||
best_effort|||\x00ff|
summary||{"p": null, "q": 100}||'
weir read a --json >json
psql -c 'CREATE TABLE lines (line jsonb)' -c "\\copy lines FROM json WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
is "JSON lines are what SQL says, field by field" \
    "$(value -c "SELECT line - 'at' - 'stream' FROM lines")" \
    "$(value -c "SELECT jsonb_build_object('id', id::text, 'mode', mode, 'type', type, 'payload', payload, 'bytes', bytes::text, 'headers', headers) FROM weir.read('a')")"
is "with stream and time" "$(value -c "SELECT count(*) FROM lines, weir.read('a') r WHERE line ->> 'id' = r.id::text AND (line ->> 'at')::timestamptz = r.at AND line ->> 'stream' = 'a'")" 5
run weir read a
check "for people, a line for each, without colours in a pipe" bash -c 'test $(wc -l <out) = 5 && ! grep -q "\[" <(grep -v "\[2\]" out)'
is "a page at a time: more than one is read whole" "$(seq 2500 | weir pipe many | tail -n 1; weir read many --raw | md5sum)" "2500
$(seq 2500 | md5sum)"
is "backwards as well" "$(weir read many --raw --reverse | md5sum)" "$(seq 2500 -1 1 | md5sum)"
is "an option takes one value, though it may be given more than once" "$(weir tail -n 1 -t stdout -t t many a --raw)" $'2500\n{"n": 1}'
is "so many" "$(weir read many --raw --reverse -n 1500 | tail -n 1)" 1001
is "of a type, with headers" "$(weir read a --type t --headers '{"h": 1}' --raw; weir read a --type x)" '{"n": 1}'
is "after and upto" "$(weir read many --raw --after "$(value -c "SELECT id FROM weir.read('many') OFFSET 9 LIMIT 1")" -n 2)" $'11\n12'
is "since: a duration, and a time" "$(weir read many --raw --since 1h -n 1; weir read many --raw --since yesterday -n 1; weir read many --since tomorrow)" $'1\n1'
printf 'bell \a and \e]0;title\a\n' | weir pipe nasty >/dev/null
is "nothing shown controls the terminal" "$(weir read nasty | cut -c 15- | cut -d ' ' -f 3-)" 'bell \x07 and \x1b]0;title\x07'
is "unknown streams are empty" "$(weir read nothing; weir tail nothing)" ""
fails "info of one" 1 'stream "nothing" does not exist' weir info nothing
is "info: names" "$(weir info --names | tr '\n' ' ')" "a many nasty where "
psql -c "SELECT weir.create_stream('bounded', max_frames => 5)" -o /dev/null
contains "info: properties that were set" "$(weir info bounded)" '"max_frames": 5'
psql -c "SELECT weir.drop_stream('bounded')" -o /dev/null
is "info: JSON is the view's row" "$(value -c "SELECT '$(weir info many --json)'::jsonb = (to_jsonb(s) || jsonb_build_object('first_id', first_id::text, 'last_id', last_id::text)) FROM weir.streams s WHERE stream = 'many'")" t
contains "info for people" "$(weir info many)" "2,500  of 2,500 ever"

note "tail"
is "the newest" "$(weir tail --raw many -n 3)" $'2498\n2499\n2500'
is "ten, unless told" "$(weir tail --raw many | wc -l)" 10
weir append b --text one --type t >/dev/null
weir tail -f --json a b --cursor cursor >tailed &
poll 10 test -s tailed
weir append b --text two >/dev/null
poll 10 grep -q '"payload": "two"' tailed
value -c "SELECT weir.close('a'), weir.close('b')" >/dev/null
status=0; wait $! || status=$?
is "follows several streams, until they are closed" "$status $(wc -l <tailed)" "0 9"
psql -c 'TRUNCATE lines' -c "\\copy lines FROM tailed WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
is "each line with every field" "$(value -c "SELECT count(*) FROM lines WHERE line ?& ARRAY['stream', 'id', 'at', 'mode', 'type', 'payload', 'bytes', 'headers']")" 9
weir tail -f --raw many -n 1 2>err | head -n 1 >first || status=${PIPESTATUS[0]}
is "a reader that goes away is noticed, though nothing comes; quietly" "$status $(<first)$(<err)" "141 2500"
env --default-signal=INT weir tail -f --raw many -n 1 >tailed 2>err &
poll 10 test -s tailed
kill -INT $!
status=0; wait $! || status=$?
is "an interrupt ends it, quietly" "$status$(<err)" 130
fails "a cursor ahead of the log" 4 'ahead' weir tail -f many --after 8796093022207-0
fails "no privilege" 1 'permission denied' bash -c 'psql -Xqc "CREATE ROLE nobody LOGIN" && weir -U nobody tail -f many'
contains "what helps" "$err" "weir.grant_access"

note "summary"
is "of a stream" "$(weir summary a)" $'{\n  "q": 100\n}'
is "as JSON" "$(value -c "SELECT line - 'first_applied' - 'last_updated' - 'id' FROM (SELECT '$(weir summary a --json)'::jsonb AS line) l")" \
    '{"stream": "a", "version": 1, "document": {"q": 100}}'
fails "none" 1 'has no summary document' weir summary many
weir append doc --patch '{"n": 0}' >/dev/null
weir summary doc --follow >followed &
poll 10 test -s followed
weir append doc --patch '{"n": 1, "m": [1, 2]}' >/dev/null
poll 10 grep -q '"n": 1' followed
weir append doc --patch '{"n": 2}' >/dev/null
value -c "SELECT weir.close('doc')" >/dev/null
status=0; wait $! || status=$?
is "followed to the end" "$status $(head -n 1 followed) $(tail -n 1 followed)" '0 {"n": 0} {"m": [1, 2], "n": 2}'
is "as it stood, at a time" "$(weir summary doc --at "$(value -c "SELECT at FROM weir.read('doc') LIMIT 1")" | head -n 1)" '{'
is "as it stood" "$(weir summary doc --at "$(value -c "SELECT id FROM weir.read('doc') LIMIT 1")")" $'{\n  "n": 0\n}'

note "top and doctor"
{ psql -c "BEGIN" -c "SELECT weir.append('where', '1')" -o /dev/null -c "SELECT pg_sleep(30)" -c COMMIT; } &
holder=$!
poll 10 bash -c 'weir top -n 1 --interval 100ms | grep -q "^where .* held by pid [0-9]*, psql, active for"' &&
    ok "top shows who holds a stream back" || not_ok "top shows who holds a stream back"
run weir top -n 2 --interval 100ms --json
is "top: JSON lines" "$(value -c "SELECT count(*) FROM (VALUES $(sed "s/'/''/g; s/.*/('&'::jsonb),/" out | sed '$s/,$//')) v (j) WHERE j ?& ARRAY['stream', 'frames_per_second', 'lag_ms', 'blocked_by', 'maxlen']")" \
    "$(wc -l <out)"
poll 20 bash -c 'weir doctor | grep -q "stream \"where\" is held by pid"' && ok "doctor finds it" || not_ok "doctor finds it"
value -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'" >/dev/null
wait $holder 2>/dev/null || true
run weir doctor
contains "doctor: extension" "$out" "extension   weir 0."
contains "doctor: a wakeup through the worker" "$out" "from commit to a listener here"
is "doctor: a problem (fsync is off here) is a status" "$status $(grep -c 'fsync is off' out)" "1 1"
run weir doctor -U nobody
contains "doctor: privileges, and what to do" "$out" "SELECT weir.grant_access('nobody', 'read')"
run weir doctor -d template1
contains "doctor: no extension, and what to do" "$out" "CREATE EXTENSION weir"
fails "doctor: no server" 3 'No such file' weir doctor -h /nonexistent

note "on a terminal"
is "always, where they are" "$(weir tail where --color always | grep -c $'\e')" 1
if has_terminals; then
    in_terminal 'weir tail where'
    contains "colours" "$out" $'\e[2m'
    in_terminal 'NO_COLOR=1 weir tail where'
    check "none with NO_COLOR" bash -c '! grep -q "\[" out'
    in_terminal 'weir tail where --color never'
    check "nor where they are not wanted" bash -c '! grep -q "\[" out'
    (sleep 1; printf q) | script -qec "stty cols 100 rows 20; weir top -i 300ms" /dev/null >out
    contains "top: a screen of its own" "$(<out)" $'\e[?1049h'
    contains "top: put back in the end" "$(tail -c 30 out)" $'\e[?1049l'
    contains "top: the streams" "$(<out)" "many"
fi

note "completion"
cat >complete.bash <<'SH'
. weir.bash
complete_words() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=(); _weir; printf "%s\n" "${COMPREPLY[@]}" | sort -u | paste -sd " "; }
complete_words weir ta
complete_words weir tail --fo
complete_words weir tail m
complete_words weir read many n
complete_words weir --color a
complete_words weir pipe many -- pg_isread
SH
weir completion bash >weir.bash
is "bash: verbs, options, streams, values, commands" "$(bash complete.bash)" $'tail\n--follow\nmany\n\nalways auto\npg_isready'
weir completion zsh >_weir
if command -v zsh >/dev/null; then
    is "zsh loads it" "$(zsh -fc 'fpath=(. $fpath); autoload -Uz compinit; compinit -D -u; . ./_weir; print $_comps[weir]; whence -w _weir' 2>&1)" $'_weir\n_weir: function'
else
    note "there is no zsh here"
fi
weir completion fish >weir.fish
if command -v fish >/dev/null; then
    is "fish completes with it" "$(HOME=$WEIR_TMP fish --no-config -c 'source weir.fish; complete -C "weir ta"; complete -C "weir tail --foll"; complete -C "weir tail ma"' 2>&1 | cut -f 1)" $'tail\n--follow\nmany'
else
    note "there is no fish here"
fi
if [ -z "${WEIR_COMMAND:-}" ]; then
    DESTDIR=$WEIR_TMP/stage cmake --install "$client_build" --prefix /usr >/dev/null
    check "they are installed with the command" bash -c 'cmp weir.bash stage/usr/share/bash-completion/completions/weir && cmp _weir stage/usr/share/zsh/site-functions/_weir &&
        cmp weir.fish stage/usr/share/fish/vendor_completions.d/weir.fish'
    contains "so is that" "$(fixed_addresses stage/usr/bin/weir --version)" "weir 0."
fi
finish
