#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: the shell includes nothing that allocates or throws, the core nothing of the server
#
# Standard headers in the shell are those whose types own nothing. The server's
# headers come in through src/pg/pg.hpp alone, where the macros that clash with
# C++ are undone. Every other include is a file of src/, named from there.
set -euo pipefail

shell_may='array|bit|cmath|compare|concepts|cstddef|cstdint|limits|optional|source_location|span|string_view'
shell_may+='|type_traits|utility'
core_may_not='iostream|istream|ostream|sstream|fstream|iomanip|locale|regex|thread|mutex|shared_mutex'
core_may_not+='|condition_variable|future|stop_token|filesystem'

found=0
report() { echo "$1: $2"; found=1; }

while IFS=: read -r file line text; do
    [[ $text =~ ^[[:space:]]*#[[:space:]]*include[[:space:]]*([\<\"])([^\>\"]*) ]] ||
        { report "$file:$line" "$text"; continue; }
    kind=${BASH_REMATCH[1]} name=${BASH_REMATCH[2]}
    case $file in
        src/pg/pg.hpp) # Its own std headers are held to the rule, the server's are its business.
            [ "$kind" = '"' ] || [[ $name =~ ^($shell_may)$ ]] || report "$file:$line" "<$name>" ;;
        src/core/*)
            if [ "$kind" = '<' ]; then
                [[ ! $name =~ ^($core_may_not)$ && $name != *.h ]] || report "$file:$line" "<$name> in the core"
            else [[ $name == core/* && -e src/$name ]] || report "$file:$line" "\"$name\" in the core"; fi ;;
        *)
            if [ "$kind" = '<' ]; then [[ $name =~ ^($shell_may)$ ]] || report "$file:$line" "<$name> in the shell"
            else [ -e "src/$name" ] || report "$file:$line" "\"$name\" is not a file of src"; fi ;;
    esac
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include' src --include='*.cpp' --include='*.hpp')
exit $found
