#!/usr/bin/env python3
"""Threads' locks on each Python here: who holds them, and who waits for himself.

    tests/live/locks.py --inquest build/inquest [--python python3.12 …]
"""
import pathlib
import shutil
import sys
import tempfile

import command
import deaths
import tool
from checks import Result


def differences(truth, connection):
    found = {row[0]: row[1:] for row in connection.execute(
        "SELECT t.name, h.name, t.waits_for, t.is_deadlocked FROM thread t "
        "LEFT JOIN thread h ON h.id = t.waits_for_thread_id WHERE t.name IS NOT NULL")}
    for name in truth["threads"]:
        if name not in found:
            yield "thread %r is missing" % name
    for name, (holder, words) in truth["waits"].items():
        said, waits_for, _ = found.get(name, (None, None, None))
        if said != holder or words not in (waits_for or ""):
            yield "%r waits for %r (%s), should be %r (%s)" % (name, said, waits_for, holder, words)
    for name, (said, _, _) in found.items():
        if said and name not in truth["waits"]:
            yield "%r is said to wait for %r" % (name, said)
    deadlocked = sorted(name for name, row in found.items() if row[2])
    if deadlocked != truth["deadlocked"]:
        yield "deadlocked are %r, should be %r" % (deadlocked, truth["deadlocked"])


def check(inquest, python):
    name = "CPython %s" % python.label
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-live-"))
    try:
        death = deaths.die([python.path, deaths.PROGRAMS / "locks.py"], "abort", folder)
        connection = inquest.load(death.core, folder / "index")
        yield Result(name + " locks of threads", len(death.truth["waits"]), differences(death.truth, connection))
        connection.close()
        shown = inquest.text("postmortem", death.core, "--no-cache")
        yield Result(name + " postmortem says so", 1, [] if "Deadlock" in shown else ["no deadlock in its text"])
    except (deaths.Failed, tool.Refused) as error:
        yield Result(name, "no core or no answer", [str(error)])
    finally:
        shutil.rmtree(folder)


def main():
    return command.run(__doc__, "locks", lambda inquest, python, _: check(inquest, python))


if __name__ == "__main__":
    sys.exit(main())
