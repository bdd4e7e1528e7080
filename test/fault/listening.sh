# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash
#
# Sessions that stay: listeners, and others that have a transaction open or wait.
# To be sourced after common.sh. Nothing here sleeps for a guessed time: what is
# expected is polled for, up to a limit that only a failure reaches.

declare -A session_input session_pid session_backend

# session_start NAME [psql arguments]: reads what tell() says; its output goes to $WEIR_TMP/NAME.out.
session_start() {
    local name=$1 fd
    shift
    rm -f "$WEIR_TMP/$name.in"
    : >"$WEIR_TMP/$name.out"
    mkfifo "$WEIR_TMP/$name.in"
    # Appending, so that forget() may truncate it.
    "$PGBIN/psql" -X -q -At -f - "$@" <"$WEIR_TMP/$name.in" >>"$WEIR_TMP/$name.out" 2>&1 &
    session_pid[$name]=$!
    exec {fd}>"$WEIR_TMP/$name.in"
    session_input[$name]=$fd
}
# It may have ended already.
tell() { (trap '' PIPE; printf '%s\n' "$2" >&"${session_input[$1]}") 2>/dev/null || true; }
# Says it, and waits until it has been done.
told=0
tell_and_wait() {
    told=$((told + 1))
    tell "$1" "$2"
    tell "$1" "\\echo told $told"
    poll "${3:-30}" grep -qx "told $told" "$WEIR_TMP/$1.out" || note "$1 does not answer: $2"
}
# Sessions started later have a hold on its input, so closing that would not do.
session_end() {
    tell "$1" '\q'
    # shellcheck disable=SC1083,SC2093 # it closes a descriptor
    exec {session_input[$1]}>&-
    poll 5 gone "${session_pid[$1]}" || kill "${session_pid[$1]}" || true
    wait "${session_pid[$1]}" || true
}
# The process that serves it.
backend_of() {
    tell_and_wait "$1" "SELECT 'backend ' || pg_backend_pid();"
    sed -n 's/^backend //p' "$WEIR_TMP/$1.out" | tail -n 1
}

# listen NAME [psql arguments] -- CHANNEL…
listen() {
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    session_start "$name" "${options[@]}"
    for channel in "$@"; do tell "$name" "LISTEN \"$channel\";"; done
    tell_and_wait "$name" "SELECT;"
}
# What it has heard so far: a line "channel|payload" each. psql shows notifications after a query.
heard() {
    tell_and_wait "$1" "SELECT;"
    sed -n 's/^Asynchronous notification "\(.*\)" with payload "\(.*\)" received from.*/\1|\2/p
            s/^Asynchronous notification "\(.*\)" received from.*/\1|/p' "$WEIR_TMP/$1.out"
}
forget() { tell_and_wait "$1" "SELECT;"; : >"$WEIR_TMP/$1.out"; }
has_heard() { heard "$1" | grep -q "$2"; }
# hears CLAIM NAME PATTERN [SECONDS]
hears() {
    if poll "${4:-15}" has_heard "$2" "$3"; then
        ok "$1"
    else
        not_ok "$1"
        note "heard: $(heard "$2" | tail -n 5 | tr '\n' ' ')"
    fi
}

# hears_just CLAIM NAME EXPECTED [SECONDS]: that and no more, as "count line" each, joined by semicolons; and forgets it.
summary_of() { heard "$1" | sort | uniq -c | sed 's/^ *//' | paste -sd ';'; }
is_summary_of() { [ "$(summary_of "$1")" = "$2" ]; }
hears_just() {
    poll "${4:-15}" is_summary_of "$2" "$3" || true
    is "$1" "$(summary_of "$2")" "$3"
    forget "$2"
}

# sleeper NAME STATEMENT [psql arguments]: a session that is asleep in it.
sleeper() {
    local name=$1 statement=$2
    shift 2
    session_start "$name" "$@"
    session_backend[$name]=$(backend_of "$name")
    tell "$name" "$statement"
    poll 15 is_asleep "${session_backend[$name]}" || note "$name does not sleep: $(tail -n 1 "$WEIR_TMP/$name.out")"
}
# Whether it came back, and not since the time was over.
is_woken() { grep -qE '^(t\|frames|f\|(closed|dropped|expired))(\||$)' "$WEIR_TMP/$1.out"; }

# Whether a backend is asleep in weir.wait(): the wait has a name from 17 on.
is_asleep() {
    [ "$(value -d postgres -c "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND wait_event_type = 'Extension'")" = 1 ]
}
worker_pid() { value "$@" -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'weir doorbell' AND datname = current_database()"; }
has_worker() { [ -n "$(worker_pid "$@")" ]; }
has_no_worker() { [ -z "$(worker_pid "$@")" ]; }
