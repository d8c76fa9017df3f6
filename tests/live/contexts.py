#!/usr/bin/env python3
"""Context variables of threads on each Python here: inquest against contextvars.copy_context() in each thread.

    tests/live/contexts.py --inquest build/inquest [--python python3.12 …]
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
    for name in ("few", "many", "traced"):
        expected = truth[name]["context"]
        found = dict(connection.execute(
            "SELECT c.name, c.value FROM context_variable c JOIN thread t ON t.id = c.thread_id WHERE t.ident = ?",
            [truth[name]["ident"]]))
        if found.keys() != expected.keys():
            yield "thread %r: variables %s, should be %s" % (
                name, sorted(found.keys() - expected.keys())[:5], sorted(expected.keys() - found.keys())[:5])
        for variable, value in expected.items():
            if value is not None and found.get(variable) != value:
                yield "thread %r: %s is %r, should be %r" % (name, variable, found.get(variable), value)
    value, = connection.execute("SELECT value FROM context_variable WHERE name = 'current_context'").fetchone()
    if not value.startswith(truth["span"]):
        yield "the span is %r, should begin with %r" % (value, truth["span"])


def redaction_differences(inquest, core, folder, truth):
    """Names stay; no value does, nor an id."""
    inquest.text("load", core, "-o", folder / "redacted", "--redact")
    content = (folder / "redacted").read_bytes()
    for secret in ("acme", "request-18", truth["span"].split("=")[1].split()[0], "current-span-4711"):
        if secret.encode() in content:
            yield "%r is in the redacted index" % secret


def check(inquest, python):
    name = "CPython %s" % python.label
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-live-"))
    try:
        death = deaths.die([python.path, deaths.PROGRAMS / "contexts.py"], "abort", folder)
        connection = inquest.load(death.core, folder / "index")
        count = sum(len(death.truth[thread]["context"]) for thread in ("few", "many", "traced"))
        yield Result(name + " context variables", count, differences(death.truth, connection))
        connection.close()
        shown = inquest.text("threads", death.core, "--no-cache")
        yield Result(name + " threads shows them", 1, [] if death.truth["span"].strip() in shown and
                     "variable_0 = 'request-18'" in shown else ["not in the text of threads"])
        yield Result(name + " redacted", 4, redaction_differences(inquest, death.core, folder, death.truth))
    except (deaths.Failed, tool.Refused) as error:
        yield Result(name, "no core or no answer", [str(error)])
    finally:
        shutil.rmtree(folder)


def main():
    return command.run(__doc__, "contexts", lambda inquest, python, _: check(inquest, python))


if __name__ == "__main__":
    sys.exit(main())
