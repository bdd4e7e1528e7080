#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: the words are those of the field, and of the glossary (docs/architecture.md)
#
# What was once called otherwise is not called so again. Versions that came out stay as they were.
#
#   words.sh [file…]     by default all but what is generated
set -euo pipefail

files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find README.md CONTRIBUTING.md src client sql docs scripts test bench -type f \
    \( -name '*.[ch]pp' -o -name '*.sql' -o -name '*.sh' -o -name '*.md' -o -name '*.spec' -o -path 'scripts/*' \) \
    ! -name 'weir--*' ! -name words.sh 2>/dev/null | sort)
perl -ne '
    my %instead = (
        qr/\bmost_[a-z]/ => "max_", qr/\bfates?\b/i => "transaction status", qr/\brung\b/i => "woken, wakeup_pending",
        qr/\btake_turn\b/ => "assign_position",
        qr/\bhand(?:ed|s)_out\b|\bpositions? (?:that was |were |was )?handed out/ => "assigned",
        qr/turning[ _]point/i => "control record", qr/\bheed/ => "mind, look at",
        qr/(?:\ba|\bthe|\bits|worker.s) posts?\b(?![-.(])|\bpost[s]?\[|\bholds_post\b/ => "worker slot",
    );
    for my $old (keys %instead) { if (/($old)/) { print "$ARGV:$.: \"$1\": say $instead{$old}\n"; $bad = 1; } }
    close ARGV if eof;
    END { exit $bad // 0 }' "${files[@]}"
