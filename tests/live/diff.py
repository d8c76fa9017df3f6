#!/usr/bin/env python3
"""Pairs of dumps by real programs with a planted change: diff must tell it first, with the numbers of Python itself.

    tests/live/diff.py --inquest build/reports/inquest [--python PATH] [--no-cores]

Recordings are compared with tracemalloc's compare_to and with pstats; cores with what the process knew of its objects.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import checks
import deaths
import pythons
import tool

STAGES = 4
BY = {"lineno": "line", "filename": "file", "traceback": "traceback"}


class Folder:
    """A scratch folder that goes when it is left."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="inquest-diff-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def run_program(python, name, *arguments, folder):
    command = [*deaths.ALLOW_CORES, python.path, str(deaths.PROGRAMS / "growing" / name), *map(str, arguments)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=deaths.TIMEOUT,
                         env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8",
                              "PYTHONDONTWRITEBYTECODE": "1"})
    if run.returncode:
        raise deaths.Failed("%s: %s" % (name, run.stderr.strip()[-500:]))


def diff(inquest, old, new, *options):
    run = inquest.run("diff", old, new, "--no-cache", "--format", "json", "--limit", "0", *options)
    if run.returncode:
        raise tool.Refused("diff: exit status %d: %s" % (run.returncode, run.stderr.decode()[-500:]))
    return json.loads(run.stdout)


# ---- tracemalloc

def row_places(row, by):
    if by == "traceback":
        return [[frame["file"], frame["line"]] for frame in row["frames"]]
    return [[row["file"], row["line"] if by == "line" else 0]]


def memory_differences(inquest, folder, truth):
    for name, expected in truth["memory"].items():
        group, way = name.split()
        by = BY[group]
        answer = diff(inquest, folder / "old.snapshot", folder / "new.snapshot", "--by", by,
                      *(["--cumulative"] if way == "cumulative" else []))
        got = [{"frames": row_places(row, by), "size": row["size_new"], "size_diff": row["size_delta"],
                "count": row["count_new"], "count_diff": row["count_delta"]} for row in answer["rows"]]
        if len(got) != len(expected):
            yield "%s: %d rows, compare_to has %d" % (name, len(got), len(expected))
        for position, (ours, theirs) in enumerate(zip(got, expected)):
            if ours != theirs:
                yield "%s, row %d: %s, compare_to has %s" % (name, position, ours, theirs)
                break


# ---- pstats

def key_of(row):
    return row["function"], row["file"], row["line"] or 0


def profile_differences(inquest, folder, truth):
    answer = diff(inquest, folder / "old.pstats", folder / "new.pstats")
    first = answer["rows"][0]
    if first["function"] != "slow":
        yield "the first row is %s, the slower function is slow" % first["function"]
    sides = [{key_of(row): row for row in truth[side]} for side in ("old", "new")]
    if {key_of(row) for row in answer["rows"]} != set(sides[0]) | set(sides[1]):
        yield "the functions are not those of both files"
    for row in answer["rows"]:
        for side, name in zip(sides, ("old", "new")):
            expected = side.get(key_of(row), {"self": 0, "total": 0, "calls": 0})
            for measure in ("self", "total", "calls"):
                if row["%s_%s" % (measure, name)] != expected[measure]:
                    yield "%s %s %s: %r, pstats has %r" % (row["function"], name, measure,
                                                           row["%s_%s" % (measure, name)], expected[measure])


def gate_differences(inquest, folder, truth):
    before, after = (sum(row["self"] for row in truth[side]) for side in ("old", "new"))
    growth = (after - before) / before * 100
    slow = [next(row for row in truth[side] if row["function"] == "slow")["self"] for side in ("old", "new")]
    for gate, expected in (("total.self > %.4f%%" % (growth - 1), 1), ("total.self > %.4f%%" % (growth + 1), 0),
                           ("function(slow).self > %.9fs" % (slow[1] * 0.99), 1),
                           ("function(slow).self > %.9fs" % (slow[1] * 1.01), 0),
                           ("function(slow).self > +%.9fs" % ((slow[1] - slow[0]) * 0.99), 1),
                           ("function(slow).calls > 0%", 0), ("functoin(slow) > 1", 2)):
        run = inquest.run("diff", folder / "old.pstats", folder / "new.pstats", "--fail-if", gate, "--format", "junit")
        if run.returncode != expected:
            yield "%s: exit status %d, not %d: %s" % (gate, run.returncode, expected, run.stderr.decode().strip())
        if expected == 1 and (b"<failure" not in run.stdout or b"FAILED" not in run.stderr):
            yield "%s: the report does not say what tripped" % gate


# ---- cores

def core_differences(inquest, folder, truth):
    stages = truth["stages"]
    answer = diff(inquest, folder / "stage0", folder / "stage2")
    new = stages[1]["new"] + stages[2]["new"]
    if not sum(stage["reused"] for stage in stages[1:3]):
        yield "no memory was used again, so nothing is shown"
    if answer["rows"][0]["type"] != "__main__.Session" or answer["rows"][0]["instances_delta"] != len(new):
        yield "the first type is %s by %+d, not Session by %+d" % (
            answer["rows"][0]["type"], answer["rows"][0]["instances_delta"], len(new))
    if not answer["containers"]:
        yield "no container is told"
        return
    top = answer["containers"][0]
    if (top["path"], top["address"]) != ("__main__.SESSIONS", "0x%x" % truth["container"]):
        yield "the growing container is %s at %s" % (top["path"], top["address"])
    if "%d __main__.Session" % len(new) not in (top["note"] or ""):
        yield "it holds '%s', not %d new sessions" % (top["note"], len(new))
    suspects = [row for row in answer["suspects"] if row["path"] == "__main__.SESSIONS"]
    if len(suspects) != 1 or suspects[0]["retained_delta"] <= 0:
        yield "the suspect of both dumps is not joined: %s" % answer["suspects"]
    if [row["change"] for row in answer["threads"]] != ["same frame"]:
        yield "the thread that stands still is told as %s" % answer["threads"]


def same_core_differences(inquest, folder, truth):
    answer = diff(inquest, folder / "stage1", folder / "stage1")
    if any(row["instances_delta"] or row["retained_delta"] for row in answer["rows"]) or answer["containers"]:
        yield "a dump differs from itself"


def trend_differences(inquest, folder, truth):
    cores = [folder / ("stage%d" % stage) for stage in range(STAGES)]
    answer = json.loads(inquest.text("trend", *cores, "--by", "instances", "--no-cache", "--format", "json",
                                     "--times", ",".join(str(3600 * stage) for stage in range(STAGES))))
    row = next(row for row in answer["rows"] if row["type"] == "__main__.Session")
    expected = [stage["sessions"] for stage in truth["stages"]]
    if row["values"] != expected or row["shape"] != "steady growth":
        yield "Session went %s, %s; it was %s" % (row["values"], row["shape"], expected)
    step = expected[1] - expected[0]
    if row["growth_per_hour"] != step or row["r_squared"] != 1:
        yield "it grows by %s an hour, R² %s; it was %s" % (row["growth_per_hour"], row["r_squared"], step)
    for gate, status in (("growth(__main__.Session) > %d/h" % (step - 1), 1),
                         ("growth(__main__.Session) > %d/h" % (step + 1), 0),
                         ("growth(instances(__main__.Session)) > 99%/h", 1)):
        run = inquest.run("trend", *cores, "--by", "instances", "--fail-if", gate, "--times", "0,3600,7200,10800")
        if run.returncode != status:
            yield "%s: exit status %d, not %d" % (gate, run.returncode, status)


GROUPS = (
    ("recordings.py", (("compare_to", memory_differences), ("pstats", profile_differences), ("gates", gate_differences))),
    ("cores.py", (("cores", core_differences), ("one core", same_core_differences), ("trend", trend_differences))),
)


def check(inquest, python, program, groups):
    with Folder() as folder:
        arguments = (folder,) if program == "recordings.py" else (folder / "truth.json", STAGES)
        try:
            run_program(python, program, *arguments, folder=folder)
            truth = json.loads((folder / "truth.json").read_text())
        except (deaths.Failed, OSError, ValueError) as error:
            yield checks.Result("%s %s" % (python.label, program), "", [str(error)])
            return
        for name, differences in groups:
            try:
                found = list(differences(inquest, folder, truth))
            except (tool.Refused, ValueError, KeyError, StopIteration) as error:
                found = ["%s: %s" % (type(error).__name__, error)]
            yield checks.Result("%s %s" % (python.label, name), "as Python says", found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", action="append", default=[], metavar="PATH")
    parser.add_argument("--no-cores", action="store_true", help="recordings alone")
    options = parser.parse_args()
    began = time.monotonic()
    found, absent = pythons.find(options.python)
    results = [checks.Result("CPython %s" % series, "", skipped="no such Python here") for series in absent]
    why = deaths.kernel_writes_cores()
    if why:
        results.append(checks.Result("cores", "", skipped="the kernel writes none here (%s)" % why))
    for result in results:
        print(*result.lines(0), sep="\n")
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    for python in found:
        for program, groups in GROUPS:
            if program == "cores.py" and (why or options.no_cores):
                continue
            for result in check(inquest, python, program, groups):
                results.append(result)
                print(*result.lines(6), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
