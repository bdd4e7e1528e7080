# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash disable=SC2154
#
# The suites of scripts/test, which sources this: how each is run, and how what it
# prints becomes results. suite_NAME runs the whole suite, or of it what only_NAME
# holds. Each result goes through ok, not_ok or count, by the program that gave it.

passed=0 failed=0
failures=()  # "program: claim", of the run in progress
declare -A ran=() # program → checks, of the run in progress

# ok PROGRAM CLAIM, not_ok PROGRAM CLAIM: of one check.
ok()     { count "$1" 1 0; say "ok - $2"; }
not_ok() { count "$1" 0 1; failures+=("$1: $2"); say "not ok - $2"; }
# count PROGRAM GOOD BAD: the results of a tool, printed by it already.
count()  { passed=$((passed + $2)); failed=$((failed + $3)); ran[$1]=$((${ran[$1]:-0} + $2 + $3)); }
lines()  { grep -cE "$1" "$2" || true; }

# list_failures PROGRAM REGEX: what matches on the standard input, without what matched.
list_failures() {
    local line
    while IFS= read -r line; do failures+=("$1: $(sed -E "s/$2//g" <<<"$line")"); done < <(grep -E "$2" || true)
}

# keep PROGRAM FILE…: what explains a failure outlives the scratch directory.
keep() {
    local to=$kept/$run/$1 file
    shift
    mkdir -p "$to"
    for file in "$@"; do
        [ ! -e "$file" ] || cp -r "$file" "$to/"
    done
}

# The results of an external run: "ok" and "not ok" lines; an exit status that they do not explain is one more failure.
count_lines() {
    local name=$1 status=$2 log=$3 good bad
    good=$(lines '^ok\b' "$log") bad=$(lines '^not ok\b' "$log")
    count "$name" "$good" "$bad"
    list_failures "$name" '^not ok - ' <"$log"
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
        not_ok "$name" "$name (exit status $status)"
    elif [ $((good + bad)) = 0 ]; then
        not_ok "$name" "$name reported nothing"
    fi
    [ "$status" = 0 ] || keep "$name" "$log"
}

suite_rules() {
    local status=0
    run_rules 2>&1 | tee "$WEIR_TMP/rules.log" || status=1
    count_lines rules "$status" "$WEIR_TMP/rules.log"
}
run_rules() {
    local rule status=0
    if [ ${#only_rules[@]} = 0 ]; then
        test/rules/run || status=1
        test/rules/can-fail || status=1
    fi
    for rule in "${only_rules[@]}"; do
        if "test/rules/$rule.sh"; then echo "ok - $rule.sh"; else echo "not ok - $rule.sh"; status=1; fi
    done
    return $status
}

cmake_build() {
    local dir=$1
    shift
    cmake -S . -B "$dir" "$@" >"$WEIR_TMP/cmake.log" 2>&1 &&
        cmake --build "$dir" "$(jobs_flag)" >>"$WEIR_TMP/cmake.log" 2>&1 ||
        { tail -n 40 "$WEIR_TMP/cmake.log"; return 1; }
}

# Before clang 17 and gcc 14 the address sanitizer cannot start where the kernel spreads addresses widely.
fixed_addresses() {
    if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

# Counts Catch2's test cases; a test program that dies without a summary is one failure.
suite_unit() {
    local log=$WEIR_TMP/unit.log status=0 good=0 bad=0 line
    # -O1: with sanitizers and Catch2's macros, optimising takes longer than all the tests.
    cmake_build build/unit -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -g1" -DWEIR_TESTS=ON -DWEIR_WERROR=ON \
        -DWEIR_SANITIZE=ON -DWEIR_CLIENT=OFF || { not_ok unit "unit tests do not build"; return; }
    if [ ${#only_unit[@]} -gt 0 ]; then
        fixed_addresses build/unit/weir_unit "$(catch_names "${only_unit[@]}")" >"$log" 2>&1 || status=$?
    else
        fixed_addresses ctest --test-dir build/unit -V --no-tests=error >"$log" 2>&1 || status=$?
    fi
    while read -r line; do
        [[ ! $line =~ 'All tests passed ('.*' in '([0-9]+)' test case' ]] || good=$((good + BASH_REMATCH[1]))
        [[ ! $line =~ '| '([0-9]+)' passed' || $line != *'test cases:'* ]] || good=$((good + BASH_REMATCH[1]))
        [[ ! $line =~ '| '([0-9]+)' failed' || $line != *'test cases:'* ]] || bad=$((bad + BASH_REMATCH[1]))
    done <"$log"
    count unit "$good" "$bad"
    say "$good test cases passed, $bad failed"
    # A failed case is a paragraph, with its name between two lines.
    sed 's/^[0-9]*: //' "$log" | sed -n '/^-\{70,\}$/{n;s/^/: /p;:a;n;/^-\{70,\}$/!ba}' | sort -u >"$log.failed"
    list_failures unit '^: ' <"$log.failed"
    [ $status = 0 ] || { cat "$log"; keep unit "$log"; }
    if [ $status != 0 ] && [ $bad = 0 ]; then not_ok unit "unit tests (exit status $status)"
    elif [ $((good + bad)) = 0 ]; then not_ok unit "unit tests reported nothing"; fi
}

suite_fuzz() {
    local target targets name log seconds corpus=()
    cmake_build build/fuzz -DCMAKE_BUILD_TYPE=RelWithDebInfo -DWEIR_FUZZ=ON -DWEIR_TESTS=OFF -DWEIR_CLIENT=OFF \
        -DCMAKE_CXX_COMPILER="clang++-$clang_version" || { not_ok fuzz "fuzz targets do not build"; return; }
    mapfile -t targets < <(find build/fuzz -name 'fuzz_*' -type f -executable | sort)
    [ ${#targets[@]} -gt 0 ] || { not_ok fuzz "there are no fuzz targets"; return; }
    seconds=$((${FUZZ_SECONDS:-30} / ${#targets[@]}))
    for target in "${targets[@]}"; do
        name=${target##*/} log=$WEIR_TMP/${target##*/}.log
        # New inputs go to the first directory; the checked-in corpus is only read.
        corpus=("$WEIR_TMP/corpus-$name" "$WEIR_ROOT/test/unit/corpus/${name#fuzz_}")
        mkdir -p "${corpus[0]}"
        [ -d "${corpus[1]}" ] || unset 'corpus[1]'
        if (cd "$WEIR_TMP" && fixed_addresses "$WEIR_ROOT/$target" -max_total_time=$((seconds > 0 ? seconds : 1)) \
            -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "${corpus[@]}") >"$log" 2>&1; then
            ok fuzz "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
        else
            tail -n 40 "$log"
            not_ok fuzz "$name"
            keep fuzz "$log"
        fi
    done
}

# The server that pg_regress and the isolation tester use.
need_server() {
    [ -d "$WEIR_TMP/main" ] || cluster_start main "log_min_messages = warning" || return 1
    cluster_use main
}

# "test x ... ok" and "x ... ok" until 15, "ok 1 - x" since 16.
suite_regress()   { run_pg_regress regress ISOLATION= REGRESS test/sql sql "${only_regress[@]}"; }
suite_isolation() { run_pg_regress isolation REGRESS= ISOLATION test/specs spec "${only_isolation[@]}"; }
# run_pg_regress SUITE WITHOUT-THE-OTHER VARIABLE DIRECTORY EXTENSION [NAME…]
run_pg_regress() {
    local name=$1 variable=$3 log=$WEIR_TMP/$1.log good bad expected what=("$2")
    expected=$(find "$4" -maxdepth 1 -name "*.$5" | wc -l)
    shift 5
    [ $# = 0 ] || { what+=("$variable=$*"); expected=$#; }
    need_server || { not_ok "$name" "$name: no server"; return; }
    make -s installcheck PG_CONFIG="$PG_CONFIG" OUTPUT="$WEIR_TMP" "${what[@]}" >"$log" 2>&1 || true
    grep -E '\.\.\. |^(not )?ok [0-9]' "$log" || tail -n 40 "$log"
    good=$(lines '^(test )? *[^ ]+ +\.\.\. ok |^ok [0-9]' "$log")
    bad=$(lines '^(test )? *[^ ]+ +\.\.\. (FAILED|failed) |^not ok [0-9]' "$log")
    count "$name" "$good" "$bad"
    list_failures "$name" '^(test )? *|^not ok [0-9]+ *- | +\.\.\. (FAILED|failed) .*| +[0-9]+ ms$' \
        < <(grep -E '\.\.\. (FAILED|failed) |^not ok [0-9]' "$log")
    [ ! -s "$WEIR_TMP/$name/regression.diffs" ] || head -n 300 "$WEIR_TMP/$name/regression.diffs"
    [ $((good + bad)) = "$expected" ] || not_ok "$name" "$name: $((good + bad)) of $expected tests ran"
    [ "$good" = "$expected" ] ||
        keep "$name" "$log" "$WEIR_TMP/$name/regression.diffs" "$WEIR_TMP/$name/results" "$WEIR_TMP/main/server.log"
}

# Each is a program that prints "ok - …" and "not ok - …", with a scratch directory of its own. As many run side by side
# as there are processors: most of their time they wait. Each is told of when it has ended.

# start_fault TEST [NAME=VALUE…]: in the background, as running[PROCESS].
start_fault() {
    local test=$1 name
    shift
    name=$(basename "$test" .sh)
    mkdir -p "$WEIR_TMP/fault/$name"
    own_by_server "$WEIR_TMP/fault/$name"
    (unset PGHOST PGPORT PGUSER PGDATABASE
     WEIR_TMP=$WEIR_TMP/fault/$name exec timeout -k 30 "${FAULT_TIMEOUT:-900}" env "$@" "$test") \
        >"$WEIR_TMP/$name.log" 2>&1 </dev/null &
    running[$!]=$name
    since[$name]=$SECONDS
}

# end_fault: waits for one of those that are running, whichever ends first.
end_fault() {
    local name log status=0 scratch process
    wait -n -p process "${!running[@]}" || status=$?
    name=${running[$process]}
    unset "running[$process]"
    log=$WEIR_TMP/$name.log scratch=$WEIR_TMP/fault/$name
    say "$name: $(lines '^ok\b' "$log") ok, $(lines '^not ok\b' "$log") not ok ($((SECONDS - since[$name]))s)"
    # Each failure with the comments under it; what is neither came from a program that the test ran.
    awk '/^not ok/ { of_it = 1; print; next } /^#/ && of_it { print; next } { of_it = 0 }' "$log"
    [ "$status" = 0 ] || grep -vE '^(ok|not ok|#)' "$log" | tail -n 40 || true
    count_lines "$name" "$status" "$log"
    stop_servers "$scratch"
    # Everything but the data directories, which are large.
    [ "$status" = 0 ] ||
        tar -C "$scratch" --exclude=data --exclude='.s.*' -cf "$kept/$run/$name/scratch.tar" . 2>/dev/null || true
}

# run_faults TEST… [-- NAME=VALUE…]
run_faults() {
    local test tests=() at_once
    local -A running=() since=()
    at_once=${WEIR_AT_ONCE:-$(nproc)}
    while [ $# -gt 0 ] && [ "$1" != -- ]; do tests+=("$1"); shift; done
    shift $(($# > 0))
    for test in "${tests[@]}"; do
        [ -x "$test" ] || continue
        [ ${#running[@]} -lt "$at_once" ] || end_fault
        start_fault "$test" "$@"
    done
    while [ ${#running[@]} -gt 0 ]; do end_fault; done
}

# fault_tests PREFIX [NAME…]: those named, or all whose names begin so.
fault_tests() {
    local prefix=$1
    shift
    if [ $# -gt 0 ]; then
        local tests=("${@/#/test/fault/}")
        run_faults "${tests[@]/%/.sh}"
    else
        run_faults test/fault/"$prefix"*.sh
    fi
}

suite_fault()  { fault_tests '' "${only_fault[@]}"; }
# Of the client, single test cases run under the fault test that gives them their servers.
suite_client() {
    local test
    if [ ${#only_client[@]} = 0 ]; then fault_tests client; return; fi
    for test in client client_loop client_faults client_standby client_pooler; do
        cases=()
        for case in "${only_client[@]}"; do
            [ "${case%%/*}" != "$test" ] || cases+=("${case#*/}")
        done
        [ ${#cases[@]} = 0 ] || run_faults "test/fault/$test.sh" -- WEIR_CLIENT_ONLY="$(catch_names "${cases[@]}")"
    done
}

# Each driver in a database of its own, with a table, a subscription, and nothing on the search_path.
suite_drivers() {
    local test tests=()
    # shellcheck disable=SC2046
    need_packages $(packages_drivers)
    need_node_postgres || { not_ok drivers "node-postgres cannot be had"; return; }
    need_server || { not_ok drivers "drivers: no server"; return; }
    for test in "${only_drivers[@]}"; do tests+=("$(echo test/drivers/"$test"_test.*)"); done
    [ ${#tests[@]} -gt 0 ] || tests=(test/drivers/*_test.*)
    for test in "${tests[@]}"; do run_driver "$test"; done
}
run_driver() {
    local test=$1 name log status=0 with
    name=$(basename "${test%_test.*}")
    log=$WEIR_TMP/driver_$name.log
    case $test in
        *.py) with=(/usr/bin/python3 -B) ;;
        *.js) with=(node) ;;
        *.java)
            javac -d "$WEIR_TMP/java" "$test" || { not_ok "$name" "$name does not build"; return; }
            with=(java -cp "/usr/share/java/postgresql.jar:$WEIR_TMP/java")
            test=${name}_test
            ;;
    esac
    {
        psql -X -q -v ON_ERROR_STOP=1 -c "DROP DATABASE IF EXISTS $name" -c "CREATE DATABASE $name" &&
            psql -X -q -v ON_ERROR_STOP=1 -d "$name" -c "CREATE EXTENSION weir" \
                -c "CREATE TABLE mine (id weir.position PRIMARY KEY, note text)" \
                -c "ALTER DATABASE $name SET search_path = public" \
                -c "SELECT FROM weir.subscribe('sub'::text, 'events'::text, '-')" &&
            PGDATABASE=$name timeout -k 30 300 "${with[@]}" "$test"
    } >"$log" 2>&1 </dev/null || status=$?
    say "$name: $(lines '^ok\b' "$log") ok, $(lines '^not ok\b' "$log") not ok"
    awk '/^not ok/ { of_it = 1; print; next } /^#/ && of_it { print; next } { of_it = 0 }' "$log"
    [ "$status" = 0 ] || grep -vE '^(ok|not ok|#)' "$log" | tail -n 40 || true
    count_lines "$name" "$status" "$log"
}

suite_stress() {
    local tests
    mapfile -t tests < <(grep -l WEIR_STRESS test/fault/*.sh)
    FAULT_TIMEOUT=${FAULT_TIMEOUT:-7200} run_faults "${tests[@]}" -- WEIR_STRESS=1
}

# Over the logs of every server that ran. Only fault tests kill with signal 9.
check_logs() {
    local log n=0 bad=0
    while read -r log; do
        n=$((n + 1))
        case $log in
            "$WEIR_TMP"/main/*) scripts/check-log "$log" ;;
            *) scripts/check-log --kill9 "$log" ;;
        esac || { bad=1; keep logs "$log"; }
    done < <(find "$WEIR_TMP" -name '*.log' -exec grep -lE 'database system is ready|starting PostgreSQL' {} +)
    [ "$n" != 0 ] || return 0
    if [ $bad = 0 ]; then ok logs "nothing suspicious in $n server logs"; else not_ok logs "server logs"; fi
}
