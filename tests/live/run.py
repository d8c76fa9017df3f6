#!/usr/bin/env python3
"""Live tests: each Python here runs programs that tell the truth about themselves and die; inquest must agree.

    tests/live/run.py --inquest build/inquest [--python python3.12 …] [--only waiting/abort …] [--jobs 2]
"""
import argparse
import concurrent.futures
import pathlib
import shutil
import sys
import tempfile
import time

import checks
import deaths
import pythons
import tool
from checks import Result

# (program, ways of death, arguments). Programs of many situations die one way, and "waiting" in all of them.
# To add one: put it into programs/, let it call witness.die(), and add its row.
PLAN = [
    ("waiting", ("abort", "segv", "fatal", "gcore"), ()),
    ("stacks", ("segv",), ()),
    ("values", ("abort",), ()),
    ("raising", ("fatal",), ()),
    ("deep", ("segv",), ()),
    ("dying_import", ("abort",), ()),
    ("names", ("gcore",), ()),
]
OTHER_PATH = {"names": "скрипты 測試/имя ✨ שם.py"}
SUMMARISED = {"waiting"}


def check(inquest, python, program, way, arguments, kept):
    """All results of one death."""
    name = "%s %s/%s" % (python.label, program, way)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-live-"))
    try:
        source = deaths.PROGRAMS / (program + ".py")
        if program in OTHER_PATH:
            source = deaths.copy_under(folder, program + ".py", OTHER_PATH[program])
        death = deaths.die([python.path, source, *arguments], way, folder)
        return list(checks.of_core(inquest, name, death.core, death.truth, folder, program in SUMMARISED))
    except deaths.Failed as error:
        return [Result(name, "no core", [str(error)])]
    finally:
        if kept:
            shutil.copytree(folder, kept / name.replace("/", "-").replace(" ", "-"), dirs_exist_ok=True)
        shutil.rmtree(folder)


def jobs_of(found, only):
    gcore_only = deaths.kernel_writes_cores()
    if gcore_only:
        print("note: the kernel writes no core into the working folder (%s): gcore stands in for every way"
              % gcore_only)
    for python in found:
        for program, ways, arguments in PLAN:
            for way in dict.fromkeys("gcore" if gcore_only else way for way in ways):
                if not only or any(word in "%s/%s" % (program, way) for word in only):
                    yield python, program, way, arguments


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", action="append", default=[], metavar="PATH")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="part of PROGRAM/WAY")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="keep cores and truths there")
    parser.add_argument("--differences", type=int, default=12, metavar="N", help="shown for each group")
    options = parser.parse_args()
    began = time.monotonic()
    found, absent = pythons.find(options.python)
    results = [Result("CPython %s" % series, "", skipped="no such Python here") for series in absent]
    for result in results:
        print(*result.lines(0), sep="\n")
    print("Pythons: %s" % ", ".join(map(repr, found)), flush=True)
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pending = [pool.submit(check, inquest, *job, options.keep) for job in jobs_of(found, options.only)]
        for future in pending:
            for result in future.result():
                results.append(result)
                print(*result.lines(options.differences), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
