#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Claim: no SQL in the sources takes an operator, a function, a table or a type by its bare name
#
# Statements in C++ are planned under the search_path of whoever calls, so a schema in front of
# pg_catalog, or an operator that fits better than the catalogue's, would be run by the owner of
# weir's tables. The same holds for views, which are what the install script says of them.
#
# Grammar that looks an operator up by itself (IN, BETWEEN, LIKE, CASE x WHEN, NULLIF, IS DISTINCT
# FROM, USING) is refused as well; ORDER BY and DISTINCT go by the type's own operator class.
set -euo pipefail

mapfile -t files < <(find sql -name '*.sql' ! -name '*--*' | sort; find src -name '*.[ch]pp' | sort)
perl -0777 -e '
    my $bad = 0;
    my $grammar = join "|", qw(SELECT FROM WHERE AND OR NOT IN VALUES ARRAY EXISTS ANY ALL ON CONFLICT AS JOIN LATERAL
                               BY RETURNING INTO SET THEN ELSE WHEN coalesce greatest least row);
    my $keyword_types = qr/(?:bigint|integer|boolean|interval)\b/; # which the grammar takes from pg_catalog
    sub complain {
        my ($where, $what, $sql) = @_;
        $sql =~ s/\s+/ /g;
        print "$where: $what: ", substr($sql, 0, 160), "\n";
        $bad = 1;
    }
    sub check {
        my ($where, $sql) = @_;
        my $s = $sql;
        $s =~ s/\x27(?:[^\x27]|\x27\x27)*\x27/?/g;             # literals
        $s =~ s/\bOPERATOR\((?:pg_catalog|weir|%s)\.[^)]+\)/,/g;  # what is qualified
        $s =~ s/\bcount\(\*\)//g if $s =~ /pg_catalog\.count/;
        $s =~ s/%[sd]|\$\d+|\$%d/x/g;                             # parts that are filled in
        complain($where, "a bare cast", $sql) if $s =~ /::(?!pg_catalog\.|weir\.|$keyword_types)/;
        $s =~ s/::[\w."\[\]]+//g;
        $s =~ s/(?<=SET |.., )\w+ = //g if $s =~ /\bSET\b/;       # assignments
        complain($where, "an operator without OPERATOR(schema.…)", $sql) if $s =~ m{[-+*/<>=~!\@#%^&|]};
        complain($where, "$1", $sql)
            if $s =~ /\b(IN \(|BETWEEN|I?LIKE|SIMILAR|NULLIF|USING|NATURAL|IS (?:NOT )?DISTINCT|CASE (?!WHEN)\S+)/;
        while ($s =~ /(?<![\w.")])(\w+)\(/g) {
            complain($where, "function $1", $sql) unless $1 =~ /^(?:$grammar)$/ || $1 eq "x";
        }
        while ($s =~ /\b(?:FROM|JOIN|INTO|(?<!FOR )UPDATE)\s+(?!LATERAL|SET|ONLY\b)(\w+)(?![\w.])/g) {
            complain($where, "relation $1", $sql) unless $1 =~ /^x+$/;
        }
    }
    for my $file (@ARGV) {
        open my $in, "<", $file or die "$file: $!\n";
        my $text = <$in>;
        if ($file =~ /\.sql$/) {
            while ($text =~ /^CREATE VIEW (\S+)(?: WITH [^\n]*)? AS\n(.*?);\n/gms) { check("$file: $1", $2); }
            next;
        }
        $text =~ s{^\s*//.*$}{}gm;
        $text =~ s{"\s*\n\s*"}{}g;                                # adjacent literals are one
        while ($text =~ /"((?:[^"\\\n]|\\.)*)"/g) {
            my $sql = $1;
            $sql =~ s/\\"/"/g;
            check($file, $sql) if $sql =~ /^ ?(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|FROM) /
                               || $sql =~ /\bWHERE\b.*(?:\$\d|OPERATOR|[=<>])|\bORDER BY\b/;
        }
    }
    exit $bad;
' "${files[@]}"
