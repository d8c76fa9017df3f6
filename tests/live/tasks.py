#!/usr/bin/env python3
"""asyncio tasks on each Python here: inquest against asyncio.all_tasks() and what the tasks told of themselves.

    tests/live/tasks.py --inquest build/inquest [--python python3.12 …]
"""
import json
import pathlib
import shutil
import sys
import tempfile

import command
import deaths
import tool
from checks import Result


def rows(connection, sql):
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


def task_differences(truth, found):
    by_address = {"0x%x" % row["address"]: row for row in found}
    for told in truth["tasks"]:
        row = by_address.pop(told["address"], None)
        if row is None:
            if told["listed"]:
                yield "task %r is missing" % told["name"]
            continue
        for key in ("name", "state", "coroutine"):
            if row[key] != told[key]:
                yield "task %r: %s is %r, should be %r" % (told["name"], key, row[key], told[key])
        if row["ident"] != told["ident"]:
            yield "task %r: its thread is %r, should be %r" % (told["name"], row["ident"], told["ident"])
    for address, row in by_address.items():
        if row["state"] not in ("done", "cancelled"):
            yield "task %r at %s is not known to asyncio" % (row["name"], address)


def told_frames(truth, told):
    """From the outside in; the reporter runs, and says where."""
    frames = [tuple(frame) for frame in told["frames"]]
    if told["state"] == "running":
        frames[-1] = (frames[-1][0], truth["running"][0], None)
    return frames


def frame_differences(truth, connection, series):
    for told in truth["tasks"]:
        rows_of = rows(connection, "SELECT function, file, line FROM task_frame f JOIN task t ON t.id = f.task_id "
                                   "WHERE t.address = %d ORDER BY depth DESC" % int(told["address"], 16))
        found = [(row["function"], row["file"], row["line"]) for row in rows_of]
        expected = told_frames(truth, told)
        if told["state"] == "running":
            found = [(function, file, None) for function, file, _ in found]
        if found != expected and told["listed"]:
            yield "task %r: frames %r, should be %r" % (told["name"], found, expected)


def wait_differences(truth, connection):
    found = {(row["a"], row["b"]): row["via"] for row in rows(
        connection, "SELECT a.name AS a, b.name AS b, via FROM task_wait w JOIN task a ON a.id = w.task_id "
                    "JOIN task b ON b.id = w.awaits_task_id")}
    expected = {(waiter, awaited): via for waiter, awaited, via in truth["edges"]}
    for pair in sorted(expected.keys() | found.keys()):
        if expected.get(pair) != found.get(pair):
            yield "%r awaits %r: via %r, should be %r" % (*pair, found.get(pair), expected.get(pair))


def word_differences(truth, found):
    said = {row["name"]: row["waits_for"] for row in found}
    for name, words in truth["words"].items():
        if words not in (said.get(name) or ""):
            yield "task %r waits for %r, should be %r" % (name, said.get(name), words)
    deadlocked = sorted(row["name"] for row in found if row["is_deadlocked"])
    if deadlocked != truth["deadlocked"]:
        yield "deadlocked are %r, should be %r" % (deadlocked, truth["deadlocked"])


def context_differences(truth, connection):
    for told in truth["tasks"]:
        if told["state"] in ("done", "cancelled") or not told["listed"]:
            continue
        found = {row["name"]: row["value"] for row in rows(
            connection, "SELECT c.name, c.value FROM context_variable c JOIN task t ON t.id = c.task_id "
                        "WHERE t.address = %d" % int(told["address"], 16))}
        if found != told["context"]:
            yield "task %r: context %r, should be %r" % (told["name"], found, told["context"])
    found = {row["name"]: row["value"] for row in rows(
        connection, "SELECT c.name, c.value FROM context_variable c JOIN thread t ON t.id = c.thread_id "
                    "WHERE t.ident = %d" % truth["ident"])}
    if found != truth["thread_context"]:
        yield "thread's context %r, should be %r" % (found, truth["thread_context"])


def of_core(inquest, name, death, folder, series):
    truth = death.truth
    connection = inquest.load(death.core, folder / "index")
    found = rows(connection, "SELECT t.*, thread.ident FROM task t LEFT JOIN thread ON thread.id = t.thread_id")
    yield Result(name + " tasks", len(truth["tasks"]), task_differences(truth, found))
    yield Result(name + " coroutine stacks", sum(len(told["frames"]) for told in truth["tasks"]),
                 frame_differences(truth, connection, series))
    yield Result(name + " who awaits whom", len(truth["edges"]), wait_differences(truth, connection))
    yield Result(name + " what for", len(truth["words"]), word_differences(truth, found))
    yield Result(name + " context variables", sum(len(told["context"]) for told in truth["tasks"]),
                 context_differences(truth, connection))
    connection.close()
    answer = inquest.json("tasks", death.core, "--limit", "0")
    told = {told["address"] for told in truth["tasks"] if told["listed"]}
    yield Result(name + " answer", len(answer["rows"]),
                 ["not in the answer: %s" % address for address in told - {row["address"] for row in answer["rows"]}])


def check(inquest, python, implementation):
    name = "CPython %s, %s tasks" % (python.label, implementation)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-live-"))
    try:
        death = deaths.die([python.path, deaths.PROGRAMS / "tasks.py", implementation], "abort", folder)
        return list(of_core(inquest, name, death, folder, python.series))
    except (deaths.Failed, tool.Refused) as error:
        return [Result(name, "no core or no answer", [str(error)])]
    finally:
        shutil.rmtree(folder)


def check_python(inquest, python, _):
    for implementation in ("c", "python"):
        yield from check(inquest, python, implementation)


def main():
    return command.run(__doc__, "tasks", check_python)


if __name__ == "__main__":
    sys.exit(main())
