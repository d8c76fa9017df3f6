#!/usr/bin/env python3
"""Where other tools fail, on each Python here: one named test for each failure.

    tests/live/peers.py --inquest build/inquest [--python python3.12 …] [--only wrapped …] [--jobs 2]

Cut cores and loops in them are in damage.py.
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
import peers_files
import peers_scale
import peers_values
import pythons
import tool
from checks import Result
from peers_scene import Scene

# To add one: a function that takes a Scene and yields Results, and its row.
TESTS = {
    "values": peers_values.check,
    "later": peers_values.later,
    "deep": peers_scale.deep,
    "threads": peers_scale.threads,
    "gone": peers_files.gone,
    "other_build": peers_files.other_build,
    "never_run": peers_files.never_run,
    "wrapped": peers_files.wrapped,
    "gcore": peers_files.by_gcore,
}


def run(inquest, python, name, way):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-peers-"))
    try:
        return list(TESTS[name](Scene(inquest, python, folder, way)))
    except (deaths.Failed, tool.Refused) as error:
        return [Result("%s %s" % (python.label, name), "no answer", [str(error)])]
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", action="append", default=[], metavar="PATH")
    parser.add_argument("--only", action="append", default=[], choices=list(TESTS))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    found, absent = pythons.find(options.python)
    results = [Result("CPython %s" % series, "", skipped="no such Python here") for series in absent]
    for result in results:
        print(*result.lines(0), sep="\n")
    refused = deaths.kernel_writes_cores()
    if refused:
        print("note: the kernel writes no core into the working folder (%s): gcore stands in" % refused)
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    way = "gcore" if refused else "abort"
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pending = [pool.submit(run, inquest, python, name, way)
                   for python in found for name in options.only or TESTS]
        for future in pending:
            for result in future.result():
                results.append(result)
                print(*result.lines(6), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
