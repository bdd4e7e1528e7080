#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
#
# Claims: arguments of a gibibyte, nesting of 10,000 levels and a batch of 10,001 are
# plain errors (or fine), never a crash; and no call leaks: neither 20,000 failures of
# each kind in one session nor 20,000 successes make the backend grow.
set -euo pipefail
. "$(dirname "$0")/common.sh"

cluster_start limits "log_min_messages = fatal" "max_locks_per_transaction = 256"
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
54000 text[] ARRAY['1',repeat('x',1100000)] PERFORM weir.append_batch('s', v)
22023 jsonb '[1]' PERFORM weir.append_patch('s', v)
54001 jsonb (repeat('{"a":',65)||'1'||repeat('}',65))::jsonb PERFORM weir.append_patch('s', v)
WR001 text 'x' PERFORM weir.append('closed', '1')
WR001 text 'x' PERFORM weir.append_live('closed', '1')
WR001 text 'x' PERFORM weir.append_batch('closed', '{1,2}'::jsonb[])
WR001 text 'x' PERFORM weir.append_patch('closed', '{}')
WR001 text 'x' PERFORM weir.append('closed', '1', idempotency_key => 'k')
WR005 text 'x' PERFORM weir.append('keyed', '2', idempotency_key => 'k')
22023 text 'x' PERFORM weir.append('s', '1', idempotency_key => '')
WR002 text 'x' PERFORM weir.create_stream('s')
22023 text 'x' PERFORM weir.append_live('s', '1', ttl_ms => 0)
22023 text 'x' PERFORM weir.append_live('s', '1', maxlen_floor => 10, maxlen_ceiling => 9)
22023 text 'x' PERFORM weir.append_live('s', '1', ema_alpha => 'NaN')
22023 text 'x' PERFORM FROM weir.read('s', max_frames => 10001)
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
00000 text 'x' PERFORM weir.append_live('good', '1', maxlen_floor => 8, ttl_ms => 1)
00000 jsonb '{"a":{"b":1}}' PERFORM weir.append_patch('good', v)
00000 text[] '{a,b}' PERFORM weir.append_batch('good', v)
00000 text 'x' PERFORM weir.append('keyed', '1', idempotency_key => 'k')
00000 text 'x' PERFORM FROM weir.read('good', max_frames => 3)
00000 text 'x' PERFORM FROM weir.read('good', max_frames => 3, reverse => true)
00000 text 'x' PERFORM FROM weir.read_many('{s,good}', max_frames => 3)
00000 text 'x' PERFORM weir.head('s')
00000 text 'x' PERFORM FROM weir.summary('s')
00000 jsonb '{"a":{"b":1}}' PERFORM weir.merge_diff(v, '{"a":1}'), weir.merge_patch(v, v, 'x')
PATHS
# Rows that warm caches come first; then 20,000 calls may cost no more than a little
# fragmentation: 256 kB is 13 bytes a call.
{
    cat <<'SQL'
SET client_min_messages = warning;
SELECT weir.append('closed', '1'), weir.close('closed'), weir.append('keyed', '1', idempotency_key => 'k') \g /dev/null
\set used 'SELECT sum(total_bytes) AS used FROM pg_backend_memory_contexts'
SQL
    n=0
    while read -r state type value statement; do
        n=$((n + 1))
        for calls in 300 20000; do
            cat <<SQL
:used \\gset before_
DO \$do\$
DECLARE v $type := $value;
BEGIN
    FOR i IN 1..$calls LOOP
        BEGIN
            $statement;
            IF '$state' <> '00000' THEN RAISE EXCEPTION 'no error'; END IF;
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE <> '$state' THEN RAISE EXCEPTION '%: % instead of $state', SQLSTATE, SQLERRM; END IF;
        END;
    END LOOP;
END \$do\$;
:used \\gset after_
SQL
        done
        printf '\\echo path %s %s :before_used :after_used %s\n' "$n" "$state" "$statement"
    done <"$WEIR_TMP/paths"
    echo "\\echo rss"
    echo "\\setenv BACKEND :pid"
} >"$WEIR_TMP/leak.sql"
"$PGBIN/psql" -X -q -f "$WEIR_TMP/leak.sql" >"$WEIR_TMP/leak.log" 2>&1 || true
grep -v '^path\|^rss' "$WEIR_TMP/leak.log" | head -20
awk '/^path/ {print $5-$4, $0}' "$WEIR_TMP/leak.log" | sort -rn | head -20; tail -3 $WEIR_TMP/leak.log
finish
