#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lays what profile_dump says of testdata/profiles beside what the Python that wrote each file said of it.

    tests/formats/check_profiles.py --dump BUILD/tests/formats/profile_dump [--live] testdata/profiles [FILE...]

Further FILEs are pstats files; their truth is what this Python's marshal makes of them. With --live, new snapshots and
profiles are made by every Python of INQUEST_PYTHONS (paths with colons between).
"""
import argparse
import gzip
import json
import marshal
import os
import pathlib
import re
import subprocess
import sys
import tempfile

WORKER = pathlib.Path(__file__).resolve().parent.parent / "live" / "programs" / "profile_truth.py"


def dump(tool, path):
    done = subprocess.run([tool, str(path)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError("profile_dump: %s" % done.stderr.strip())
    return json.loads(done.stdout)


def truth_of(path):
    """Protocols and optimisation change a pickle's form, not what it says."""
    name = re.sub(r"-(protocol\d|optimized)\.pickle$", ".pickle", path.name)
    for made in (path.with_name(name + ".truth.json.gz"), path.with_name(name + ".truth.json")):
        if made.exists():
            opener = gzip.open if made.suffix == ".gz" else open
            with opener(made, "rt") as file:
                return json.load(file)
    raise AssertionError("no truth beside it")


def equal(what, ours, theirs):
    if ours == theirs:
        return
    if isinstance(ours, list) and isinstance(theirs, list):
        for i, (one, other) in enumerate(zip(ours, theirs)):
            if one != other:
                raise AssertionError("%s %d: %r, not %r" % (what, i, one, other))
        raise AssertionError("%s: %d rows, not %d" % (what, len(ours), len(theirs)))
    raise AssertionError("%s: %r, not %r" % (what, ours, theirs))


def check_snapshot(ours, truth):
    """Traces of one stack and domain are one row, where the first of them was."""
    rows = {}
    for domain, size, frames in truth["traces"]:
        key = (domain, tuple(map(tuple, frames)))
        old = rows.get(key, (0, 0))
        rows[key] = (old[0] + size, old[1] + 1)
    theirs = [[domain, size, count, list(map(list, frames))] for (domain, frames), (size, count) in rows.items()]
    for row in ours["traces"]:
        row[3] = [[function[0], line] for function, line in row[3]]
    equal("trace", ours["traces"], theirs)
    equal("family", ours["family"], "tracemalloc")
    equal("traceback_limit", ours["facts"].get("traceback_limit"), str(truth["limit"]))


def check_stats(ours, entries, is_sampled):
    equal("function", ours["stats"], entries)
    equal("sampled", ours["sampled"], is_sampled)


def check_file(tool, path):
    ours = dump(tool, path)
    equal("warnings", ours["warnings"], [])
    truth = truth_of(path)
    if "traces" in truth:
        check_snapshot(ours, truth)
    else:
        check_stats(ours, truth["entries"], "sampling" in path.name)


def key_of(function):
    return [function[0], function[1], function[2] if isinstance(function[2], str)
            else re.sub(" at 0x[0-9a-f]+", "", repr(function[2]))]


def check_foreign(tool, path):
    """Against this Python's marshal, where it reads the file: code objects of other versions it does not."""
    try:
        raw = marshal.loads(path.read_bytes())
    except (ValueError, TypeError, EOFError) as error:
        rows = len(dump(tool, path)["stats"])
        return "%d functions; this Python says: %s" % (rows, error)
    entries = [[key_of(f), cc, nc, tt, ct, [[key_of(c)] + (list(v) if isinstance(v, tuple) else [v])
                                            for c, v in callers.items()]]
               for f, (cc, nc, tt, ct, callers) in raw.items()]
    check_stats(dump(tool, path), entries, False)
    return "%d functions" % len(entries)


def check_live(tool):
    failures = 0
    pythons = [p for p in os.environ.get("INQUEST_PYTHONS", "").split(":") if p]
    if not pythons:
        print("absent: INQUEST_PYTHONS names no Python")
    for python in pythons:
        with tempfile.TemporaryDirectory() as folder:
            command = [python, str(WORKER), "live", "all"]
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
            made = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            if made.returncode:
                print("absent: %s can't record: %s" % (python, made.stderr.strip()[-300:]))
                continue
            files = [p for p in sorted(pathlib.Path(folder).iterdir()) if p.suffix in (".pickle", ".prof")]
            failures += check_all(tool, files, check_file)
            print("%s: %d recordings" % (python, len(files)))
    return failures


def check_all(tool, files, check):
    failures = 0
    for path in files:
        try:
            said = check(tool, path)
            if said:
                print("%s: %s" % (path.name, said))
        except AssertionError as error:
            failures += 1
            print("FAIL %s: %s" % (path.name, str(error)[:600]))
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dump", required=True)
    parser.add_argument("--live", action="store_true")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("files", type=pathlib.Path, nargs="*")
    options = parser.parse_args()
    files = [p for p in sorted(options.folder.iterdir()) if p.suffix in (".pickle", ".prof")]
    failures = check_all(options.dump, files, check_file) if files else 1
    present = [p for p in options.files if p.exists()]
    for path in options.files:
        if path not in present:
            print("absent: %s" % path)
    failures += check_all(options.dump, present, check_foreign)
    if options.live:
        failures += check_live(options.dump)
    print("%d recordings compared, %d failed" % (len(files) + len(present), failures))
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
