#!/usr/bin/env python3
"""Reference cycles, and why they are still there: what inquest says must be what the dead process said itself.

    tests/live/cycles.py --inquest build/reports/inquest [--python python3.12 …]
"""
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import xml.etree.ElementTree

import command
import deaths
import tool
from checks import Result

# scene -> what must stand in the reason, None: there is no garbage
SCENES = {
    "off": "automatic collection was off: gc.disable()",
    "threshold_zero": "automatic collection was off: gc.set_threshold(0)",
    "young": "in generation 0",
    "oldest": "in generation 2",
    "frozen": "gc.freeze() took",
    "none": None,
    "collecting": "the collector was running",
}
FROZEN_DRIFT = 5  # what the telling child itself freed
EVERYWHERE = ("off", "oldest")  # the other scenes on the oldest and the newest Python alone
FINALIZERS = {"finalizer", "generator with finally"}
MEMBERS = ("SELECT m.cycle_id, m.copy, o.address FROM cycle_member m JOIN object o ON o.id = m.object_id"
           " ORDER BY 1, 2, 3")


class Index:
    """The cycles of an index: rows by id, and members by (id, copy)."""

    def __init__(self, connection):
        names = "id shape is_garbage members bytes copies has_finalizer has_weakref_callback kind".split()
        self.rows = {row[0]: dict(zip(names, row))
                     for row in connection.execute("SELECT %s FROM cycle" % ", ".join(names))}
        self.copies = {}
        for cycle, copy, address in connection.execute(MEMBERS):
            self.copies.setdefault((cycle, copy), []).append(address)
        self.by_members = {tuple(members): key for key, members in self.copies.items()}
        self.state = connection.execute("SELECT * FROM collector_state").fetchone()
        self.why = connection.execute("SELECT why FROM collector_state").fetchone()[0]
        self.generations = connection.execute(
            "SELECT threshold, count, collections, collected, uncollectable FROM collector ORDER BY generation"
        ).fetchall()


def group_differences(index, name, group, is_garbage):
    """One shape: every copy's members, and the row that they are in."""
    rows = set()
    for members in group["members"]:
        key = index.by_members.get(tuple(members))
        if key is None:
            yield "%s: no cycle of just these %d objects: %s" % (name, len(members), list(map(hex, members))[:6])
            return
        rows.add(key[0])
    if len(rows) != 1:
        yield "%s: %d rows for one shape: %s" % (name, len(rows), [index.rows[row]["shape"] for row in rows])
        return
    row = index.rows[rows.pop()]
    wanted = {
        "copies": len(group["members"]),
        "members": sum(map(len, group["members"])),
        "bytes": group["bytes"],
        "is_garbage": int(is_garbage),
        "has_weakref_callback": int(group["callback"]),
        "has_finalizer": int(name in FINALIZERS),
    }
    for column, value in wanted.items():
        if row[column] != value:
            yield "%s (%s): %s is %s, not %s" % (name, row["shape"], column, row[column], value)


def collector_differences(index, truth, scene):
    wanted = SCENES[scene]
    if wanted is None:
        if index.why is not None or any(row["is_garbage"] for row in index.rows.values()):
            yield "garbage where there is none: %s, %s" % (
                index.why, [row["shape"] for row in index.rows.values() if row["is_garbage"]])
    elif wanted not in (index.why or ""):
        yield "why is %r, without %r" % (index.why, wanted)
    if index.state[0] != truth["enabled"] or abs(index.state[3] - truth["frozen"]) > FROZEN_DRIFT or \
            index.state[4] != truth["garbage_list"]:
        yield "state is %s, not %s" % (index.state, truth)
    for number, (row, threshold) in enumerate(zip(index.generations, truth["thresholds"])):
        if row[0] != threshold:
            yield "threshold of generation %d is %s, not %s" % (number, row[0], threshold)
        if scene != "collecting" and list(row[2:]) != list(truth["stats"][number].values()):
            yield "statistics of generation %d are %s, not %s" % (number, row[2:], truth["stats"][number])
        if number and scene != "collecting" and row[1] != truth["counts"][number]:
            yield "count of generation %d is %s, not %s" % (number, row[1], truth["counts"][number])


def differences(index, truth, scene):
    yield from collector_differences(index, truth, scene)
    if scene == "collecting":
        return  # what is being collected is on no list
    for name, group in truth["garbage"].items():
        yield from group_differences(index, name, group, True)
    for name, group in truth["alive"].items():
        yield from group_differences(index, name, group, False)
    shapes = {}
    for name, group in truth["garbage"].items():
        key = index.by_members.get(tuple(group["members"][0]))
        if key:
            shapes.setdefault(key[0], []).append(name)
    for names in shapes.values():
        if len(names) > 1:
            yield "one row for shapes that differ: %s" % ", ".join(names)


def answers(inquest, core, folder):
    """The command's own answers agree with each other and with the index."""
    answer = inquest.json("cycles", core)
    shown = inquest.text("cycles", core, "--no-cache", "--limit", "0")
    for row in answer["rows"]:
        if row["kind"] != "program" and row["shape"] not in shown:
            yield "the text lacks %s" % row["shape"]
        sources = {edge["source"] for edge in row["edges"]}
        if len(row["nodes"]) > 1 and not row["edges"] or not sources <= set(range(len(row["nodes"]))):
            yield "%s is drawn wrongly: %s" % (row["shape"], row)
    if answer["collector"]["why"] and answer["collector"]["why"] not in shown:
        yield "the text does not say why"
    drawing = folder / "cycles.svg"
    inquest.text("cycles", core, "--no-cache", "-o", drawing)
    root = xml.etree.ElementTree.parse(drawing).getroot()
    words = "".join(root.itertext())
    if not root.tag.endswith("svg") or ("__main__.Node" not in words):
        yield "the drawing is none"


def check(inquest, python, scene):
    name = "%s cycles %s" % (python.label, scene)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-cycles-"))
    try:
        death = deaths.die([python.path, deaths.PROGRAMS / "cycles.py", scene, folder / "truth.json"], "abort", folder)
        inquest.text("load", death.core, "-o", folder / "index", "--plain")
        connection = sqlite3.connect(folder / "index")
        try:
            index = Index(connection)
        finally:
            connection.close()
        found = list(differences(index, death.truth, scene))
        if scene == "off":
            found += answers(inquest, death.core, folder)
        return Result(name, "%d shapes, %d cycles" % (len(index.rows), len(index.copies)), found)
    except (deaths.Failed, tool.Refused) as error:
        return Result(name, "no answer", [str(error)])
    finally:
        shutil.rmtree(folder)


def check_python(inquest, python, options):
    is_end = python in (options.pythons[0], options.pythons[-1])
    for scene in options.scene or (SCENES if is_end else EVERYWHERE):
        yield check(inquest, python, scene)


def main():
    return command.run(__doc__, "cycles", check_python, lambda parser: parser.add_argument(
        "--scene", action="append", default=[], metavar="NAME"))


if __name__ == "__main__":
    sys.exit(main())
