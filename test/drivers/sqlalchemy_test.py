# SPDX-License-Identifier: PostgreSQL
# Claim: in SQLAlchemy a column of positions is filtered, sorted, grouped and joined like any other, whether it is
# declared as text or with a type of its own, and weir's functions are called with func.
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session, declarative_base
from sqlalchemy.types import UserDefinedType

from check import ends, same

engine = sa.create_engine("postgresql+psycopg2://")
Base = declarative_base()


class Position(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_):
        return "weir.position"


class Checkpoint(Base):
    __tablename__ = "checkpoint"
    id = sa.Column(Position, primary_key=True)
    cause = sa.Column(Position, sa.ForeignKey("checkpoint.id"), index=True)


class Mine(Base):  # as reflection has it, or somebody who does not care
    __tablename__ = "mine"
    id = sa.Column(sa.String, primary_key=True)
    note = sa.Column(sa.String)


Checkpoint.__table__.create(engine)
with Session(engine) as s:
    for table, made in ((Checkpoint, lambda p: Checkpoint(id=p)), (Mine, lambda p: Mine(id=p, note=p))):
        name = table.__tablename__
        s.add_all([made(p) for p in ("10-0", "10-1", "11-0")])
        s.commit()

        def count(*conditions):
            return s.query(table).filter(*conditions).count()

        same(f"{name}: get", s.get(table, "10-1").id, "10-1")
        same(f"{name}: ==", count(table.id == "10-1"), 1)
        same(f"{name}: <", count(table.id < "11-0"), 2)
        same(f"{name}: in_", count(table.id.in_(["10-0", "11-0"])), 2)
        same(f"{name}: between", count(table.id.between("10-0", "10-9")), 2)
        same(f"{name}: is_distinct_from", count(table.id.is_distinct_from("10-0")), 2)
        same(f"{name}: any", count(table.id == sa.any_(sa.literal(["10-0", "11-0"], ARRAY(sa.String)))), 2)
        # What SQLAlchemy 2 writes behind each parameter.
        same(f"{name}: a parameter cast to VARCHAR", count(table.id == sa.cast("10-0", sa.String)), 1)
        same(f"{name}: max", s.query(sa.func.max(table.id)).scalar(), "11-0")
        same(f"{name}: nullif", s.query(sa.func.nullif(table.id, "10-0")).order_by(table.id).first()[0], None)
        same(f"{name}: order_by", [r.id for r in s.query(table).order_by(table.id.desc())], ["11-0", "10-1", "10-0"])
    same("join", s.query(Mine).join(Checkpoint, Checkpoint.id == Mine.id).count(), 3)
    s.add(Checkpoint(id="12-0", cause="10-0"))
    s.commit()
    s.query(Checkpoint).filter(Checkpoint.id == "12-0").update({"cause": "10-1"})
    s.commit()
    same("update", s.get(Checkpoint, "12-0").cause, "10-1")

    weir = sa.func.weir
    first = s.scalar(sa.select(weir.append("s", sa.cast({"n": 1}, JSONB))))
    s.scalar(sa.select(weir.append_text("s", "two")))
    s.commit()
    frames = weir.read("s", first).table_valued("id", "payload")
    same("reads on from a cursor", [tuple(r) for r in s.execute(sa.select(frames.c.payload))], [("two",)])
    texts = weir.append_text_batch("b", sa.cast(["{", "2"], ARRAY(sa.Text))).table_valued("frames")
    same("a batch of text", s.scalar(sa.select(texts.c.frames)), 2)
    s.commit()
    s.execute(sa.text("SELECT weir.emit(stream => :s, type => :t, payload => :p)"),
              {"s": "events", "t": "made", "p": "{}"})
    s.commit()
    same("emit and fetch", s.execute(sa.text("SELECT type FROM weir.fetch(:n)"), {"n": "sub"}).scalars().all(),
         ["made"])
    s.execute(sa.text("SELECT weir.ack(:n)"), {"n": "sub"})
    s.commit()
    same("acknowledged", s.execute(sa.text("SELECT type FROM weir.fetch(:n)"), {"n": "sub"}).all(), [])
ends()
