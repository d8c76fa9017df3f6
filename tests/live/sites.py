#!/usr/bin/env python3
"""Allocation sites on each Python from 3.9 on: inquest against tracemalloc.take_snapshot() in the process.

    tests/live/sites.py --inquest build/inquest [--python python3.12 …]
"""
import pathlib
import shutil
import sys
import tempfile

import command
import deaths
import tool
from checks import Result


def line_differences(truth, connection):
    expected = {(file, line): (size, count) for file, line, size, count in truth["lines"]}
    files = {file for file, _ in expected}
    found = {(file, line): (size, count) for file, line, size, count in connection.execute(
        "SELECT file, line, bytes, count FROM allocation_site WHERE suspect_rank IS NULL") if file in files}
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            yield "%s line %d: bytes and blocks %r, should be %r" % (*key, found.get(key), expected.get(key))


def order_differences(connection):
    sizes = [size for size, in connection.execute(
        "SELECT bytes FROM allocation_site WHERE suspect_rank IS NULL AND file IS NOT NULL ORDER BY position")]
    if sizes != sorted(sizes, reverse=True):
        yield "the sites are not in order of their bytes"


def suspect_differences(truth, connection):
    """The bytearray is larger than all else: it is a suspect, and its line is known."""
    rows = connection.execute(
        "SELECT a.file, a.line, a.bytes FROM allocation_site a JOIN suspect s ON s.rank = a.suspect_rank "
        "WHERE s.title LIKE '%buffer%' AND a.position = 1").fetchall()
    expected = [(file, line, size) for file, line, size, _ in truth["lines"] if size >= 3000000]
    if rows != expected:
        yield "the suspect's first site is %r, should be %r" % (rows, expected)
    parts = [title for title, in connection.execute(
        "SELECT p.title FROM suspect_part p JOIN suspect s ON s.rank = p.suspect_rank "
        "WHERE s.title LIKE '%buffer%' AND p.kind = 'allocated at' AND p.position = 1")]
    if parts != ["%s:%d" % (file, line) for file, line, _ in expected]:
        yield "the suspect's part is %r" % parts


def check(inquest, python, frames):
    name = "CPython %s, %d frames" % (python.label, frames)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-live-"))
    try:
        death = deaths.die([python.path, deaths.PROGRAMS / "sites.py", frames], "abort", folder)
        connection = inquest.load(death.core, folder / "index")
        lines = death.truth["lines"]
        if frames and len(lines) < 10:
            yield Result(name, "the program traced too little", [str(lines)])
        differences = list(line_differences(death.truth, connection)) + list(order_differences(connection))
        if frames:
            differences += suspect_differences(death.truth, connection)
        else:
            differences += ["a site of a process that traces nothing: %r" % (row,) for row in connection.execute(
                "SELECT * FROM allocation_site LIMIT 3")]
        connection.close()
        yield Result(name, "%d lines, %d bytes" % (len(lines), sum(line[2] for line in lines)), differences)
    except (deaths.Failed, tool.Refused) as error:
        yield Result(name, "no core or no answer", [str(error)])
    finally:
        shutil.rmtree(folder)


def check_python(inquest, python, _):
    for frames in (0,) if python.series == "3.8" else (1, 25, 0):
        yield from check(inquest, python, frames)


def main():
    return command.run(__doc__, "sites", check_python)


if __name__ == "__main__":
    sys.exit(main())
