#!/usr/bin/env python3
"""Wasted memory: what inquest counts must be what the dead process counted over its own objects.

    tests/live/waste.py --inquest build/reports/inquest [--python python3.12 …]
"""
import pathlib
import shutil
import sqlite3
import sys
import tempfile

import command
import deaths
import tool
from checks import Result

KINDS = ("duplicate string", "duplicate bytes", "duplicate tuple", "empty dict", "empty list", "empty set",
         "empty tuple", "over-allocated list", "sparse dict", "sparse set", "dict per instance", "boxed numbers")
ROWS = ("SELECT w.kind, w.title, w.count, w.bytes, o.address, w.held_by FROM waste w"
        " LEFT JOIN object o ON o.id = w.object_id")
EACH_DRIFT = 6  # bytes an instance: the first ones of a class are given more room
ATTRIBUTES = {"empty list": "__main__.Order.tags", "empty dict": "__main__.Order.options",
              "empty set": "__main__.Order.seen"}


class Row:
    def __init__(self, values):
        self.kind, self.title, self.count, self.bytes, self.address, self.held_by = values


def duplicate_differences(rows, kind, groups):
    by_address = {row.address: row for row in rows if row.kind == kind}
    for group in groups:
        found = [by_address[address] for address in group["addresses"] if address in by_address]
        what = "%s %s" % (kind, group["value"][:60])
        if len(found) != 1:
            yield "%s: %d rows" % (what, len(found))
        elif (found[0].count, found[0].bytes) != (len(group["addresses"]), group["bytes"]):
            yield "%s: %d copies and %d bytes, not %d and %d" % (
                what, found[0].count, found[0].bytes, len(group["addresses"]), group["bytes"])
        elif len(group["addresses"]) > 100 and "__main__" not in (found[0].held_by or ""):
            yield "%s: held by %s" % (what, found[0].held_by)


def total(rows, kind, title):
    found = [row for row in rows if row.kind == kind and row.title.startswith(title)]
    return [sum(row.count for row in found), sum(row.bytes for row in found)]


def class_differences(rows, truth):
    for name, (count, size) in truth["dict per instance"].items():
        found = total(rows, "dict per instance", "__main__." + name)
        if found[0] != count or found[1] <= 0 or (size is not None and found[1] != size):
            yield "dict per instance of %s: %s, not %s" % (name, found, [count, size])
    count, size = total(rows, "dict per instance", "__main__.Order")
    if count and abs(size / count - truth["saved by slots"]) > EACH_DRIFT:
        yield "dict per instance of Order: %.1f bytes each, %.1f measured" % (size / count, truth["saved by slots"])
    if total(rows, "dict per instance", "__main__.Slim") != [0, 0]:
        yield "dict per instance of a class with __slots__"


def number_differences(rows, truth):
    by_address = {row.address: row for row in rows if row.kind == "boxed numbers"}
    for wanted in truth["boxed numbers"]:
        row = by_address.get(wanted["address"])
        if row is None or (row.count, row.bytes) != (wanted["count"], wanted["bytes"]):
            yield "boxed numbers: %s, not %s" % (row and (row.count, row.bytes), wanted)
    for address in truth["unboxed"]:
        if address in by_address:
            yield "boxed numbers: %s is none" % by_address[address].title


def differences(rows, truth):
    for row in rows:
        if row.kind not in KINDS or row.bytes <= 0 or row.count <= 0:
            yield "no such row: %s" % vars(row)
    for kind in KINDS[:3]:
        yield from duplicate_differences(rows, kind, truth[kind])
    for kind, title in ATTRIBUTES.items():
        if total(rows, kind, title) != truth[kind]:
            yield "%s: %s, not %s" % (kind, total(rows, kind, title), truth[kind])
    for kind in ("over-allocated list", "sparse dict", "sparse set"):
        if total(rows, kind, "__main__.HELD") != truth[kind]:
            yield "%s: %s, not %s" % (kind, total(rows, kind, "__main__.HELD"), truth[kind])
    yield from class_differences(rows, truth)
    yield from number_differences(rows, truth)


def answers(inquest, core, rows):
    """The command says the same, and no value where values are not wanted."""
    answer = inquest.json("waste", core)
    told = sorted((row["kind"], row["count"], row["bytes"]) for row in answer["rows"])
    if told != sorted((row.kind, row.count, row.bytes) for row in rows):
        yield "the JSON differs from the index"
    shown = inquest.text("waste", core, "--no-cache")
    if "'shipped'" not in shown or "__main__.Order.status" not in shown:
        yield "the text lacks the most wasteful string"
    redacted = inquest.json("waste", core, "--redact")
    if sorted((row["kind"], row["count"], row["bytes"]) for row in redacted["rows"]) != told:
        yield "redaction changes what is counted"
    for secret in ("shipped", "word1", "blob", "1.5"):
        if any(secret in (row["title"] or "") for row in redacted["rows"]):
            yield "redaction leaves %s" % secret


def check(inquest, python):
    name = "%s waste" % python.label
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-waste-"))
    try:
        death = deaths.die([python.path, deaths.PROGRAMS / "waste.py", folder / "truth.json"], "abort", folder)
        inquest.text("load", death.core, "-o", folder / "index", "--plain")
        connection = sqlite3.connect(folder / "index")
        rows = [Row(values) for values in connection.execute(ROWS)]
        connection.close()
        found = list(differences(rows, death.truth)) + list(answers(inquest, death.core, rows))
        return Result(name, "%d rows" % len(rows), found)
    except (deaths.Failed, tool.Refused) as error:
        return Result(name, "no answer", [str(error)])
    finally:
        shutil.rmtree(folder)


def main():
    return command.run(__doc__, "waste", lambda inquest, python, _: [check(inquest, python)])


if __name__ == "__main__":
    sys.exit(main())
