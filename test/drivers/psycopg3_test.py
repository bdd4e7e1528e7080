# SPDX-License-Identifier: PostgreSQL
# Claim: psycopg 3 appends, reads on from a cursor, keeps positions in a table of its own, and gets events, with text
# and with binary results, its parameters as they are.
import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types import TypeInfo

from check import ends, raises, same

db = psycopg.connect(autocommit=True)


def rows(query, *parameters, **options):
    with db.cursor(**options) as c:
        return c.execute(query, parameters).fetchall()


def one(query, *parameters, **options):
    return rows(query, *parameters, **options)[0][0]


first = one("SELECT weir.append(%s, %s)", "s", '{"n": 1}')
one("SELECT weir.append(%s, %s)", "s", psycopg.types.json.Jsonb({"n": 2}))
one("SELECT weir.append_text(%s, %s)", "s", "three")
one("SELECT weir.append_bytes(%s, %s)", "s", b"\x00\xff")
same("reads on from a cursor", [r[0] for r in rows("SELECT payload FROM weir.read(%s, after => %s)", "s", first)],
     [{"n": 2}, "three", None])
same("a batch of strings is JSON", one("SELECT frames FROM weir.append_batch(%s, %s)", "b", ['{"n": 1}', '[2]']), 2)
same("or text", one("SELECT frames FROM weir.append_text_batch(%s, %s)", "b", ["{", "2"]), 2)
same("or bytes", one("SELECT frames FROM weir.append_bytes_batch(%s, %s)", "b", [b"\x00", b"2"]), 2)
same("and is read back", [r[0] for r in rows("SELECT payload FROM weir.read('b')")],
     [{"n": 1}, [2], "{", "2", None, None])

for p in ("10-0", "10-1", "11-0"):
    db.execute("INSERT INTO mine VALUES (%s, %s)", (p, "note " + p))
same("=", rows("SELECT note FROM mine WHERE id = %s", "10-1"), [("note 10-1",)])
same("<", one("SELECT count(*) FROM mine WHERE id < %s", "11-0"), 2)
same("IN", one("SELECT count(*) FROM mine WHERE id IN (%s, %s)", "10-0", "11-0"), 2)
same("= ANY of a list", one("SELECT count(*) FROM mine WHERE id = ANY (%s)", ["10-0", "11-0"]), 2)
same("BETWEEN", one("SELECT count(*) FROM mine WHERE id BETWEEN %s AND %s", "10-0", "10-9"), 2)
same("IS DISTINCT FROM", one("SELECT count(*) FROM mine WHERE id IS DISTINCT FROM %s", "10-0"), 2)
same("NULLIF", one("SELECT NULLIF(id, %s) FROM mine ORDER BY id LIMIT 1", "10-0"), None)
same("max", one("SELECT max(id) FROM mine"), "11-0")

# Binary results are eight bytes, which a cast takes back, or an assignment.
raw = one("SELECT max(id) FROM mine", binary=True)
same("a binary position is eight bytes", raw, (11 << 20).to_bytes(8, "big"))
same("which a cast takes back", one("SELECT note FROM mine WHERE id = %s::weir.position", raw), "note 11-0")
same("a list, too", one("SELECT count(*) FROM mine WHERE id = ANY (%s::weir.position[])", [raw]), 1)
same("and an insert", db.execute("UPDATE mine SET id = %s WHERE id = '11-0'", (raw,)).rowcount, 1)
raises("what names no position", psycopg.errors.InvalidTextRepresentation,
       lambda: one("SELECT count(*) FROM mine WHERE id = %s", "nonsense"))


# Registered once, a position is the same string with binary results, and a parameter as it is (docs/drivers.md).
class PositionLoader(Loader):
    format = Format.BINARY

    def load(self, data):
        value = int.from_bytes(data, "big")
        return f"{value >> 20}-{value & 0xFFFFF}"


info = TypeInfo.fetch(db, "weir.position")
info.register(db)
db.adapters.register_loader(info.oid, PositionLoader)
same("registered, it is text", one("SELECT max(id) FROM mine", binary=True), "11-0")
same("also in arrays", one("SELECT array_agg(id ORDER BY id) FROM mine", binary=True), ["10-0", "10-1", "11-0"])
cursor = one("SELECT id FROM weir.read('s') LIMIT 1", binary=True)
same("and a cursor", len(rows("SELECT FROM weir.read('s', after => %s)", cursor, binary=True)), 3)
same("and in lists", one("SELECT count(*) FROM weir.read_many(%s, after => %s)", ["s", "b"], [cursor, "-"]), 9)
with db.cursor().copy("COPY mine (id, note) TO STDOUT (FORMAT binary)") as out:
    out.set_types([info.oid, "text"])
    same("COPY in binary", sorted(r[0] for r in out.rows()), ["10-0", "10-1", "11-0"])

with db.transaction():
    db.execute("SELECT weir.emit(stream => %s, type => %s, payload => %s)", ("events", "made", '{"a": 1}'))
with db.transaction():
    same("emit and fetch", rows("SELECT type, payload FROM weir.fetch(%s)", "sub"), [("made", {"a": 1})])
    db.execute("SELECT weir.ack(%s)", ("sub",))
same("acknowledged", rows("SELECT type FROM weir.fetch(%s)", "sub"), [])
ends()
