# SPDX-License-Identifier: PostgreSQL
# "ok - …" and "not ok - …" lines, for the tests in Python.
import sys

failed = 0


def same(claim, got, wanted):
    global failed
    print(f"{'ok' if got == wanted else 'not ok'} - {claim}")
    if got != wanted:
        failed += 1
        print(f"# got: {got!r}\n# wanted: {wanted!r}")


def raises(claim, error, call):
    try:
        same(claim + " is refused", call(), error)
    except error:
        same(claim + " is refused", True, True)


def ends():
    sys.exit(failed > 0)
