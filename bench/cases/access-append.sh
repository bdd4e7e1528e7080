# SPDX-License-Identifier: PostgreSQL
# What access by name costs an append: as a role with ten patterns, none of which matches but the last, against the
# owner, who has all names. Both through a function of the same kind, which is what makes them that role.

title='append by a role with ten patterns'
target='>= 0.95'
clients='8'
a_name='role with patterns'
b_name='owner'

setup() {
    psql -X -q -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
CREATE ROLE bench_patterns;
SELECT count(weir.grant_access('bench_patterns', 'write', format('other%s.*', i))) FROM generate_series(1, 9) i;
SELECT weir.grant_access('bench_patterns', 'write', 'access.*');
CREATE FUNCTION public.append_as_role(s text, p jsonb) RETURNS weir.position LANGUAGE sql VOLATILE SECURITY DEFINER
    AS 'SELECT weir.append(s, p)';
CREATE FUNCTION public.append_as_owner(s text, p jsonb) RETURNS weir.position LANGUAGE sql VOLATILE SECURITY DEFINER
    AS 'SELECT weir.append(s, p)';
ALTER FUNCTION public.append_as_role(text, jsonb) OWNER TO bench_patterns;
SQL
}
a() { any_of_64; echo "SELECT public.append_as_role('access.' || :s, :payload);"; }
b() { any_of_64; echo "SELECT public.append_as_owner('access.' || :s, :payload);"; }
