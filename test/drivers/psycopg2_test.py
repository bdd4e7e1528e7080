# SPDX-License-Identifier: PostgreSQL
# Claim: psycopg2, which writes its parameters into the statement, appends, reads on from a cursor, keeps positions in a
# table of its own, and gets events; lists are written as ARRAY['…'], which are text.
import psycopg2
import psycopg2.extras

from check import ends, raises, same

db = psycopg2.connect("")
db.autocommit = True


def rows(query, *parameters):
    with db.cursor() as c:
        c.execute(query, parameters)
        return c.fetchall()


def one(query, *parameters):
    return rows(query, *parameters)[0][0]


first = one("SELECT weir.append(%s, %s)", "s", '{"n": 1}')
one("SELECT weir.append(%s, %s)", "s", psycopg2.extras.Json({"n": 2}))
one("SELECT weir.append_text(%s, %s)", "s", "three")
one("SELECT weir.append_bytes(%s, %s)", "s", b"\x00\xff")
same("reads on from a cursor", [r[0] for r in rows("SELECT payload FROM weir.read(%s, after => %s)", "s", first)],
     [{"n": 2}, "three", None])
same("a batch of JSON", one("SELECT frames FROM weir.append_batch(%s, %s::jsonb[])", "b", ['{"n": 1}', '[2]']), 2)
same("or text", one("SELECT frames FROM weir.append_text_batch(%s, %s)", "b", ["{", "2"]), 2)
same("or bytes", one("SELECT frames FROM weir.append_bytes_batch(%s, %s)", "b", [b"\x00", b"2"]), 2)

for p in ("10-0", "10-1", "11-0"):
    with db.cursor() as c:
        c.execute("INSERT INTO mine VALUES (%s, %s)", (p, "note " + p))
same("=", rows("SELECT note FROM mine WHERE id = %s", "10-1"), [("note 10-1",)])
same("<", one("SELECT count(*) FROM mine WHERE id < %s", "11-0"), 2)
same("IN of a tuple", one("SELECT count(*) FROM mine WHERE id IN %s", ("10-0", "11-0")), 2)
same("= ANY of a list", one("SELECT count(*) FROM mine WHERE id = ANY (%s)", ["10-0", "11-0"]), 2)
same("BETWEEN", one("SELECT count(*) FROM mine WHERE id BETWEEN %s AND %s", "10-0", "10-9"), 2)
same("IS DISTINCT FROM", one("SELECT count(*) FROM mine WHERE id IS DISTINCT FROM %s", "10-0"), 2)
same("NULLIF", one("SELECT NULLIF(id, %s) FROM mine ORDER BY id LIMIT 1", "10-0"), None)
same("max", one("SELECT max(id) FROM mine"), "11-0")
same("lists of cursors", one("SELECT count(*) FROM weir.read_many(%s, after => %s)", ["s", "b"], [first, "-"]), 9)
with db.cursor() as c:
    psycopg2.extras.execute_values(c, "INSERT INTO mine VALUES %s", [("12-0", "x"), ("13-0", "y")])
    psycopg2.extras.execute_values(c, "UPDATE mine SET note = v.note FROM (VALUES %s) v(id, note) WHERE mine.id = v.id",
                                   [("12-0", "changed")])
    same("VALUES, of text", c.rowcount, 1)
raises("what names no position", psycopg2.errors.InvalidTextRepresentation,
       lambda: one("SELECT count(*) FROM mine WHERE id = %s", "nonsense"))

db.autocommit = False
with db:
    rows("SELECT weir.emit(stream => %s, type => %s, payload => %s)", "events", "made", '{"a": 1}')
with db:
    same("emit and fetch", rows("SELECT type, payload FROM weir.fetch(%s)", "sub"), [("made", {"a": 1})])
    rows("SELECT weir.ack(%s)", "sub")
with db:
    same("acknowledged", rows("SELECT type FROM weir.fetch(%s)", "sub"), [])
ends()
