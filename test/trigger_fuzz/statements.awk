# SPDX-License-Identifier: PostgreSQL
#
# An endless script of random statements for one session, until a number of seconds is over.
# Variables: seed, seconds, role (writer, ddl).

function dice(n) { return int(rand() * n) + 1 }
function one_of(list,    parts, n) { n = split(list, parts, "|"); return parts[dice(n)] }
function type() { return one_of("integer|bigint|numeric|text|varchar|smallint|fz.d_text") }
function key() { return dice(6) }

function writer(    i, t) {
    i = dice(2)
    t = dice(100)
    if (t <= 40)
        return sprintf("INSERT INTO log_%d (k, patch, n) SELECT %d, jsonb_build_object('p' || n, n), n FROM (SELECT nextval('fz_keep.n') AS n FROM generate_series(1, %d)) s;", i, key(), dice(4))
    if (t <= 70)
        return sprintf("INSERT INTO rows_%d (k, n, digest, pair, word) SELECT %d, n, md5(n::text), (SELECT p FROM jsonb_populate_record(NULL::fz.c_pair, '{\"a\": 1, \"b\": \"x\"}') p), 'a' FROM (SELECT nextval('fz_keep.n') AS n FROM generate_series(1, %d)) s;", i, key(), dice(4))
    if (t <= 80)
        return sprintf("INSERT INTO fz.parts%s (k, n, digest) SELECT %d, n, md5(n::text) FROM (SELECT nextval('fz_keep.n') AS n) s;", one_of("|_1|_2"), dice(2))
    if (t <= 90)
        return "BEGIN;\n" writer() "\nSAVEPOINT s;\n" writer() "\nROLLBACK TO s;\n" writer() "\n" one_of("COMMIT;|ROLLBACK;")
    if (t <= 94)
        return sprintf("UPDATE rows_%d SET pair = jsonb_populate_record(pair, '{\"a\": 2}') WHERE k::text = '%d';", i, key())
    if (t <= 96)
        return one_of("DISCARD PLANS;|RESET search_path;|SET search_path = fz2, fz, pg_catalog;|SET search_path = fz, fz2;|RESET ROLE;|SET plan_cache_mode = force_generic_plan;|RESET plan_cache_mode;")
    return "SELECT count(*) FROM (SELECT FROM weir.read('fz.rows')) s;"
}

# In one transaction where an invariant would not hold in between.
function ddl(    i, t, x, on) {
    i = dice(2); x = type(); on = one_of("log|doc") "_" i
    t = dice(36)
    if (t == 1) return sprintf("ALTER TABLE doc_%d ALTER k TYPE %s USING k::text::%s;", i, x, x)
    if (t == 2) return sprintf("ALTER TABLE log_%d ALTER k TYPE %s USING k::text::%s;", i, x, x)
    if (t <= 5) return sprintf("BEGIN; ALTER TABLE doc_%d ALTER k TYPE %s USING k::text::%s; ALTER TABLE log_%d ALTER k TYPE %s USING k::text::%s; COMMIT;", i, x, x, i, x, x)
    if (t == 6) return sprintf("ALTER TABLE %s ADD COLUMN x%d %s;", on, dice(3), x)
    if (t == 7) return sprintf("ALTER TABLE %s DROP COLUMN IF EXISTS x%d;", on, dice(3))
    if (t == 8) return sprintf("ALTER TABLE doc_%d RENAME document TO other; SELECT pg_sleep(0.05); ALTER TABLE doc_%d RENAME other TO document;", i, i)
    if (t == 9) return sprintf("ALTER TABLE doc_%d ALTER document TYPE text; SELECT pg_sleep(0.05); ALTER TABLE doc_%d ALTER document TYPE jsonb USING document::jsonb;", i, i)
    if (t == 10) return sprintf("CALL fz_keep.build_merge(%d, '%s', %s);", i, x, one_of("true|false"))
    if (t == 11) return sprintf("CALL fz_keep.build_rows(%d, '%s');", i, x)
    if (t == 12) return "CALL fz_keep.build_parts();"
    if (t == 13) return sprintf("BEGIN; ALTER TABLE log_%d DISABLE TRIGGER m; ALTER TABLE log_%d ENABLE %s TRIGGER m; COMMIT;", i, i, one_of("|ALWAYS"))
    if (t == 14) return sprintf("BEGIN; DROP TRIGGER m ON log_%d; CREATE TRIGGER m AFTER INSERT ON log_%d FOR EACH ROW EXECUTE FUNCTION weir.merge_patch_into('doc_%d', 'key=k', 'version=version'); COMMIT;", i, i, i)
    if (t == 15) { x = one_of("fz|fz2"); return sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d); ALTER TABLE log_%d SET SCHEMA %s; ALTER TABLE doc_%d SET SCHEMA %s; COMMIT;", i, i, x, i, x) }
    if (t == 16) return sprintf("ALTER TABLE %s REPLICA IDENTITY %s;", on, one_of("FULL|DEFAULT|NOTHING"))
    if (t == 17) return sprintf("VACUUM (FULL) %s;", one_of(on "|rows_" i))
    if (t == 18) return sprintf("REINDEX TABLE %s %s;", one_of("|CONCURRENTLY"), one_of("doc_" i "|rows_" i))
    if (t == 19) return sprintf("ALTER TABLE doc_%d DROP CONSTRAINT doc_%d_pkey; SELECT pg_sleep(0.05); ALTER TABLE doc_%d ADD CONSTRAINT doc_%d_pkey PRIMARY KEY (k);", i, i, i, i)
    if (t == 20) return sprintf("CREATE UNIQUE INDEX %s extra_%d ON doc_%d (k);", one_of("|CONCURRENTLY"), i, i)
    if (t == 21) return sprintf("DROP INDEX %s IF EXISTS %s.extra_%d;", one_of("|CONCURRENTLY"), one_of("fz|fz2"), i)
    if (t == 22) return sprintf("DROP INDEX IF EXISTS fz.rows_%d_k_id; SELECT pg_sleep(0.05); CREATE UNIQUE INDEX rows_%d_k_id ON fz.rows_%d (k, id);", i, i, i)
    if (t == 23) return sprintf("ALTER TABLE rows_%d ALTER k TYPE %s USING k::text::%s;", i, x, x)
    if (t == 24) return sprintf("ALTER TABLE rows_%d ALTER id TYPE %s;", i, one_of("bigint USING id::bigint|weir.position USING id::bigint::weir.position"))
    if (t == 25) return sprintf("ALTER TABLE rows_%d ALTER n TYPE %s USING n::text::%s;", i, x, x)
    if (t == 26) return "ALTER TABLE fz.parts DETACH PARTITION fz.parts_" dice(2) one_of("| CONCURRENTLY") ";"
    if (t == 27) { x = dice(2); return sprintf("ALTER TABLE fz.parts DETACH PARTITION fz.parts_%d FINALIZE; ALTER TABLE fz.parts ATTACH PARTITION fz.parts_%d FOR VALUES IN (%d);", x, x, x) }
    if (t == 28) return "ALTER DOMAIN fz.d_text " one_of("ADD CONSTRAINT more CHECK (VALUE <> 'no') NOT VALID|DROP CONSTRAINT IF EXISTS more|SET DEFAULT '1'|DROP DEFAULT") ";"
    if (t == 29) return "ALTER TYPE fz.e_word " one_of("ADD VALUE IF NOT EXISTS 'c'|RENAME VALUE 'b' TO 'bb'|RENAME VALUE 'bb' TO 'b'") ";"
    if (t == 30) return "ALTER TYPE fz.c_pair " one_of("ADD ATTRIBUTE c integer CASCADE|DROP ATTRIBUTE IF EXISTS c CASCADE|RENAME ATTRIBUTE b TO bb CASCADE|RENAME ATTRIBUTE bb TO b CASCADE") ";"
    if (t == 31) return sprintf("ALTER TABLE rows_%d ADD COLUMN x%d %s DEFAULT '1', DROP COLUMN IF EXISTS x%d;", i, dice(2), x, dice(2) + 2)
    if (t == 32) return sprintf("ALTER TABLE %s %s ROW LEVEL SECURITY;", on, one_of("ENABLE|DISABLE"))
    # Without the extension there is nothing but what can be made anew with it.
    if (t == 33) return "BEGIN; DROP EXTENSION weir CASCADE; CREATE EXTENSION weir; CALL fz_keep.build(); COMMIT;"
    if (t == 34) return "BEGIN; DROP EXTENSION weir CASCADE; CALL fz_keep.drop_all(); COMMIT; SELECT pg_sleep(0.05); CREATE EXTENSION IF NOT EXISTS weir; CALL fz_keep.build();"
    if (t == 35) return "CREATE EXTENSION IF NOT EXISTS weir; CALL fz_keep.build();"
    return sprintf("ANALYZE %s;", on)
}

BEGIN {
    srand(seed)
    end = systime() + seconds
    while (systime() < end) {
        for (i = 0; i < 20; i++)
            print role == "writer" ? writer() : ddl()
        if (role == "ddl")
            print "SELECT pg_sleep(" rand() / 5 ");"
        fflush()
    }
}
