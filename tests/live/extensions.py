#!/usr/bin/env python3
"""References that C code holds and nothing shows, on each Python here: roots of kind extension, with what was counted.

    tests/live/extensions.py --inquest build/inquest [--python python3.12 …]
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

EXPECTED = {"lost": [("extension", "refcount 1, 0 found")], "held": [("extension", "refcount 2, 1 found")], "free": []}
STALE = 2  # objects of all that a word left in C memory may lead to


def differences(truth, connection):
    wrong = []
    for group, expected in EXPECTED.items():
        for address in truth[group]:
            found = connection.execute("SELECT r.kind, r.label FROM root r JOIN object o ON o.id = r.object_id"
                                       " WHERE o.address = ?", [address]).fetchall()
            if found != expected:
                wrong.append("%s at %#x: roots %r, should be %r" % (group, address, found, expected))
    return wrong if len(wrong) > STALE else []


def check(inquest, python):
    name = "CPython %s leaked by C" % python.label
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-live-"))
    try:
        death = deaths.die([python.path, deaths.PROGRAMS / "extensions.py"], "abort", folder)
        inquest.text("load", death.core, "-o", folder / "index", "--plain")
        connection = sqlite3.connect("file:%s?mode=ro" % (folder / "index"), uri=True)
        yield Result(name, sum(map(len, death.truth.values())), differences(death.truth, connection))
        connection.close()
    except (deaths.Failed, tool.Refused) as error:
        yield Result(name, "no core or no answer", [str(error)])
    finally:
        shutil.rmtree(folder)


def main():
    return command.run(__doc__, "extensions", lambda inquest, python, _: check(inquest, python))


if __name__ == "__main__":
    sys.exit(main())
