#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: arguments of a gibibyte, nesting of 10,000 levels and a batch of 10,001 are
# plain errors (or fine), never a crash; and no call leaks: neither 20,000 failures of
# each kind in one session nor 20,000 successes make the backend grow.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start limits "log_min_error_statement = panic"
cluster_use limits
postmaster=$(head -n 1 "$WEIR_TMP/limits/data/postmaster.pid")
started=$(value -c 'SELECT pg_postmaster_start_time()')
psql -c 'CREATE EXTENSION weir' -c "SELECT weir.append('s', '1'), weir.append_patch('s', '{\"a\": 1}')" >/dev/null

# says CLAIM STATES STATEMENT: its SQLSTATE is one of them
says() {
    local got
    got=$(sqlstate "SET max_stack_depth = '7MB'; $3")
    case " $2 " in
        *" $got "*) ok "$1: $got" ;;
        *) not_ok "$1: $got, not $2" ;;
    esac
}

x="repeat('x', 1000)"               # repeat() copies one by one: short units take seconds
huge="repeat($x, 1073741)"          # the longest text there is, nearly
says "huge payload" 54000 "SELECT weir.append_text('s', $huge)"
says "huge best-effort payload" 54000 "SELECT weir.append_best_effort_text('s', $huge)"
says "huge bytes" 54000 "SELECT weir.append_bytes('s', convert_to($huge, 'UTF8'))"
says "huge element of a batch" 54000 "SELECT weir.append_text_batch('s', ARRAY[repeat($x, 900000)])"
says "huge bytes in a batch" 54000 "SELECT weir.append_bytes_batch('s', ARRAY[convert_to(repeat($x, 900000), 'UTF8')])"
says "huge JSON" 54000 "SELECT weir.append('s', to_jsonb(repeat($x, 260000)))"
says "huge patch" 54000 "SELECT weir.append_patch('s', jsonb_build_object('a', repeat($x, 260000)))"
says "huge headers" 54000 "SELECT weir.append('s', '1', headers => jsonb_build_object('a', repeat($x, 260000)))"
says "huge name" 54000 "SELECT weir.append($huge, '1')"
says "huge name of a read" 54000 "SELECT * FROM weir.read($huge)"
says "huge name among many" 54000 "SELECT * FROM weir.read_many(ARRAY[repeat($x, 900000)])"
says "huge type" "54000 22023" "SELECT weir.append('s', '1', type => $huge)"
says "huge key" "54000 22023" "SELECT weir.append('s', '1', idempotency_key => $huge)"
says "huge reason" "54000 22023" "SELECT weir.close('to be closed', $huge)"
says "huge sentinel" "54000 22023" "SELECT weir.create_stream('new', $huge)"
says "huge position" 22P02 "SELECT repeat(repeat('9', 1000), 1073741)::weir.position"
says "huge visibility" 22023 "SELECT * FROM weir.read('s', visibility => $huge)"
says "huge filter" "00000 54000" "SELECT * FROM weir.read('s', types => ARRAY[repeat($x, 900000)])"
says "huge headers filter" "00000 54000" "SELECT * FROM weir.read('s', headers => jsonb_build_object('a', repeat($x, 260000)))"
says "huge merge" "00000 54000" "SELECT length(weir.merge_patch(jsonb_build_object('a', repeat($x, 200000)), jsonb_build_object('b', repeat(repeat('y', 1000), 200000)))::text)"
says "huge diff" "00000 54000" "SELECT length(weir.merge_diff(jsonb_build_object('a', repeat($x, 200000)), jsonb_build_object('b', repeat(repeat('y', 1000), 200000)))::text)"
# Through the protocol, too.
got=$({ printf "SELECT weir.append_text('s', '"; head -c 100000000 /dev/zero | tr '\0' x; printf "');\n"; } |
    "$PGBIN/psql" -X -q -v VERBOSITY=sqlstate 2>&1 | sed -n 's/^ERROR: *//p')
is "100 MB from the client" "$got" 54000

deep="(repeat('{\"a\":', 10000) || '1' || repeat('}', 10000))::jsonb"
deep_array="(repeat('[', 10000) || repeat(']', 10000))::jsonb"
says "deep patch" 54001 "SELECT weir.append_patch('s', $deep)"
says "deep array in a patch" 54001 "SELECT weir.append_patch('s', jsonb_build_object('a', $deep_array))"
says "deep payload" "00000 54001" "SELECT weir.append('deep', $deep), weir.append('deep', $deep_array)"
says "deep payload, read" "00000 54001" "SELECT length(payload::text) FROM weir.read('deep')"
says "deep headers" "00000 54001" "SELECT weir.append('deep', '1', headers => $deep)"
says "deep headers filter" "00000 54001" "SELECT * FROM weir.read('deep', headers => $deep)"
says "merge_patch, deep patch" 54001 "SELECT weir.merge_patch('{}', $deep)"
says "merge_patch, deep target" "00000 54001" "SELECT weir.merge_patch($deep, '{\"b\": 1}')"
says "merge_patch with a sentinel" 54001 "SELECT weir.merge_patch('{}', jsonb_build_object('a', $deep_array), 'x')"
says "merge_diff" "54001 22023 00000" "SELECT weir.merge_diff('{}', $deep), weir.merge_diff($deep, '{}'), weir.merge_diff($deep, $deep || '{\"a\": {\"b\": 1}}')"
says "merge_diff of arrays" "54001 22023 00000" "SELECT weir.merge_diff(jsonb_build_object('a', $deep_array), jsonb_build_object('a', jsonb_build_array($deep_array)))"
says "merge_patches" "54001 22023" "SELECT weir.merge_patches($deep, $deep)"

says "10,000 frames" 00000 "SELECT weir.append_batch('batch', array_fill('1'::jsonb, ARRAY[10000]))"
says "10,001 frames" 54000 "SELECT weir.append_batch('batch', array_fill('1'::jsonb, ARRAY[10001]))"
says "10,001 texts" 54000 "SELECT weir.append_best_effort_text_batch('batch', array_fill('1'::text, ARRAY[10001]))"
says "100 million frames" 54000 "SELECT weir.append_text_batch('batch', array_fill('x'::text, ARRAY[100000000]))"
is "and none of them is there" "$(value -c "SELECT count(*) FROM weir.read('batch', max => 10000)")" 10000
says "10,001 streams" "00000 22023 54000" "SELECT count(*) FROM weir.read_many(array_fill('s'::text, ARRAY[10001]))"
is "the server has lived through it" "$(value -c 'SELECT pg_postmaster_start_time()')" "$started"
check "so has its postmaster" test -d "/proc/$postmaster"

note "no leak"
# One line a path: SQLSTATE, type and value of a variable "v", statement.
cat >"$WEIR_TMP/paths" <<'PATHS'
22004 text 'x' PERFORM weir.append(NULL, '1')
22023 text 'x' PERFORM weir.append(' ', '1')
54000 text repeat('n',600) PERFORM weir.append(v, '1')
22004 text 'x' PERFORM weir.append('s', NULL)
22023 text 'x' PERFORM weir.append('s', '1', type => '')
22023 text 'x' PERFORM weir.append('s', '1', headers => '[1]')
54000 jsonb to_jsonb(repeat('x',1100000)) PERFORM weir.append('s', v)
54000 text repeat('x',1100000) PERFORM weir.append_text('s', v)
54000 bytea convert_to(repeat('x',1100000),'UTF8') PERFORM weir.append_bytes('s', v)
54000 jsonb[] array_fill('1'::jsonb,ARRAY[10001]) PERFORM weir.append_batch('s', v)
22004 jsonb[] '{1,NULL,2}' PERFORM weir.append_batch('s', v)
22023 jsonb[] '{}' PERFORM weir.append_batch('s', v)
22023 jsonb[] '{{1},{2}}' PERFORM weir.append_batch('s', v)
54000 text[] ARRAY['1',repeat('x',1100000)] PERFORM weir.append_text_batch('s', v)
22023 jsonb '[1]' PERFORM weir.append_patch('s', v)
54001 jsonb (repeat('{"a":',65)||'1'||repeat('}',65))::jsonb PERFORM weir.append_patch('s', v)
WR001 text 'x' PERFORM weir.append('closed', '1')
WR001 text 'x' PERFORM weir.append_best_effort('closed', '1')
WR001 text 'x' PERFORM weir.append_batch('closed', '{1,2}'::jsonb[])
WR001 text 'x' PERFORM weir.append_patch('closed', '{}')
WR001 text 'x' PERFORM weir.append('closed', '1', idempotency_key => 'k')
WR005 text 'x' PERFORM weir.append('keyed', '2', idempotency_key => 'k')
22023 text 'x' PERFORM weir.append('s', '1', idempotency_key => '')
WR002 text 'x' PERFORM weir.create_stream('s')
22023 text 'x' PERFORM weir.append_best_effort('s', '1', ttl => '0')
22023 text 'x' PERFORM weir.alter_stream('s', maxlen_floor => 10, maxlen_ceiling => 9)
22023 text 'x' PERFORM weir.alter_stream('s', rate_alpha => 'NaN')
22023 text 'x' PERFORM FROM weir.read('s', max => 10001)
22023 text 'x' PERFORM FROM weir.read('s', visibility => 'none')
WR003 text 'x' PERFORM FROM weir.read('s', after => '+')
WR003 text 'x' PERFORM FROM weir.read_many('{s}', '{+}')
22023 text 'x' PERFORM FROM weir.read_many('{s,t}', '{0-0}')
22004 text 'x' PERFORM FROM weir.read_many('{s,NULL}')
WR003 text 'x' PERFORM FROM weir.summary_at('s', '+')
22004 text 'x' PERFORM weir.head(NULL)
22023 text 'x' PERFORM weir.trim('s')
22023 text 'x' PERFORM weir.trim('s', keep => -1)
22P02 text '1795171438346' PERFORM v::weir.position
22003 bigint -1 PERFORM v::weir.position
22008 timestamptz '1960-01-01' PERFORM v::weir.position
54001 jsonb (repeat('{"a":',600)||'1'||repeat('}',600))::jsonb PERFORM weir.merge_patch('{}', v)
22023 jsonb '{"a":null}' PERFORM weir.merge_diff('{}', v)
22023 jsonb '{"a":{"b":1}}' PERFORM weir.merge_patches('{"a":1}', v)
00000 jsonb '{"some":"payload"}' PERFORM weir.append('good', v, 't', '{"h":1}')
00000 text 'x' PERFORM weir.append_best_effort('good', '1', ttl => '1 ms')
00000 jsonb '{"a":{"b":1}}' PERFORM weir.append_patch('good', v)
00000 text[] '{a,b}' PERFORM weir.append_text_batch('good', v)
00000 text 'x' PERFORM weir.append('keyed', '1', idempotency_key => 'k')
00000 text 'x' PERFORM FROM weir.read('good', max => 3)
00000 text 'x' PERFORM FROM weir.read('good', max => 3, reverse => true)
00000 text 'x' PERFORM FROM weir.read_many('{s,good}', max => 3)
00000 text 'x' PERFORM weir.head('s')
00000 text 'x' PERFORM FROM weir.summary('s')
00000 jsonb '{"a":{"b":1}}' PERFORM weir.merge_diff(v, '{"a":1}'), weir.merge_patch(v, v, 'x')
PATHS
# calls STATE TYPE VALUE STATEMENT TIMES: that many calls in one statement
calls() {
    cat <<SQL
DO \$do\$
DECLARE v $2 := $3;
BEGIN
    FOR i IN 1..$5 LOOP
        BEGIN
            $4;
            IF '$1' <> '00000' THEN RAISE EXCEPTION 'no error'; END IF;
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE <> '$1' THEN RAISE EXCEPTION '%: % instead of $1', SQLSTATE, SQLERRM; END IF;
        END;
    END LOOP;
END \$do\$;
SQL
}
# session N OF: every OF-th path from the Nth on. A first round fills caches.
session() {
    local n state type value statement
    cat <<'SQL'
\set used 'SELECT sum(total_bytes) AS used FROM pg_backend_memory_contexts'
SELECT pg_backend_pid() AS pid \gset
\setenv BACKEND :pid
SQL
    for times in 300 20000; do
        n=0
        while read -r state type value statement; do
            n=$((n + 1))
            [ $((n % $2)) = "$1" ] || continue
            echo ":used \\gset before_"
            calls "$state" "$type" "$value" "$statement" $times
            echo ":used \\gset after_"
            [ $times = 300 ] || printf '\\echo path :before_used :after_used %s %s\n' "$state" "${statement//\'/}"
        done <"$WEIR_TMP/paths"
        echo "\\! sed -n 's/^RssAnon:[[:space:]]*\\([0-9]*\\) kB/rss \\1/p' /proc/\$BACKEND/status"
    done
}

psql -c "SELECT weir.append('closed', '1'), weir.close('closed'), weir.append('keyed', '1', idempotency_key => 'k')" >/dev/null
sessions=()
for n in 0 1; do
    session $n 2 >"$WEIR_TMP/leak$n.sql"
    psql -f "$WEIR_TMP/leak$n.sql" >"$WEIR_TMP/leak$n.log" 2>&1 &
    sessions+=($!)
done
for n in 0 1; do
    status=0
    wait "${sessions[n]}" || status=$?
    is "session $n: every path ends as it should" "$status" 0
    [ $status = 0 ] || grep -v '^path\|^rss' "$WEIR_TMP/leak$n.log" | head -n 5
    mapfile -t rss < <(sed -n 's/^rss //p' "$WEIR_TMP/leak$n.log")
    note "session $n: private memory ${rss[*]} kB"
    # 8 MB is the allocator's fragmentation, but not 20 bytes of each call.
    check "session $n: the process does not grow" [ $((${rss[1]:-999999} - ${rss[0]:-0})) -lt 8192 ]
done
# 256 kB is 13 bytes a call.
is "no memory context grows over 20,000 calls of $(wc -l <"$WEIR_TMP/paths") paths" \
    "$(awk '$1 == "path" && $3 - $2 > 262144 { $1 = ""; print $3 - $2, $0 }' "$WEIR_TMP"/leak?.log)" ""
is "they all ran" "$(cat "$WEIR_TMP"/leak?.log | grep -c '^path')" "$(wc -l <"$WEIR_TMP/paths")"
is "the server is alive" "$(value -c 'SELECT pg_postmaster_start_time()')" "$started"
finish
