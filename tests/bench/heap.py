#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a core to the finished index with its object graph, against the live interpreter that visits its own heap
once with gc.get_objects and gc.get_referents. CPU seconds of whole processes, both in one run, in turn.

    heap.py --inquest build/bench/reports/inquest [--python P] [--chap chap] [--runs 3] [COUNT ...]

COUNT is how many instances the program makes, each with a __dict__, a dict, a list, strings and numbers: about seven
objects. Their core has some 600 bytes an instance. chap (github.com/vmware/chap), where its path is given, takes its turn
too: it counts the allocations of the same core, without types or references.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import stacks_cores
import stacks_measure

VISIT = """
import gc, sys, time
sys.path.insert(0, %r)
import bench
def visit():
    began = time.process_time()
    frontier = gc.get_objects()
    seen = set(map(id, frontier))
    while frontier:
        found = []
        for item in frontier:
            for target in gc.get_referents(item):
                if id(target) not in seen:
                    seen.add(id(target))
                    found.append(target)
        frontier = found
    print(len(seen), time.process_time() - began)
    sys.stdout.flush()
    bench.os._exit(0)
bench.die = visit
bench.heap(%d)
"""


def visited(subject, count):
    """(objects, CPU seconds) of one visit from inside."""
    script = VISIT % (str(stacks_cores.PROGRAM.parent), count)
    run = subprocess.run([subject.exe, "-c", script], capture_output=True, text=True, check=True)
    objects, seconds = run.stdout.split()
    return int(objects), float(seconds)


def objects_in(inquest, index):
    run = subprocess.run([inquest, "query", str(index), "SELECT count(*) AS n FROM object", "--format", "json", "-q"],
                         capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["rows"][0]["n"]


def count_allocations(chap, core, series):
    """One turn of chap; says how many allocations it found."""
    with tempfile.NamedTemporaryFile("w+") as script:
        script.write("count allocations\n")
        script.flush()
        script.seek(0)
        before = os.times()
        run = subprocess.run([chap, str(core)], stdin=script, capture_output=True, text=True, check=True)
        after = os.times()
    series.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return run.stdout.strip().splitlines()[0]


def measure(inquest, subject, chap, count, runs, folder):
    core = stacks_cores.make(subject, "heap", count, folder / str(count))
    index = core.with_name("index")
    command = [inquest, "load", str(core), "-o", str(index), "-q", "--no-progress"]
    series, live, live_objects, counted, allocations = stacks_measure.Series(), [], 0, [], ""
    stacks_measure.timed(command)  # the core in the page cache
    for _ in range(runs):
        series.time(command)
        live_objects, seconds = visited(subject, count)
        live.append(seconds)
        if chap:
            allocations = count_allocations(chap, core, counted)
    series.watch(command)
    objects = objects_in(inquest, index)
    ours = objects / statistics.median(series.cpu)
    theirs = live_objects / statistics.median(live)
    print("%d instances, core of %.0f MB, %d objects" % (count, core.stat().st_size / 1e6, objects))
    print("  inquest load    CPU %s, wall %s" % (stacks_measure.seconds(series.cpu), stacks_measure.seconds(series.wall)))
    print("                  %.2f million objects a CPU second" % (ours / 1e6))
    print("                  %s private memory, %.0f bytes an object" % (
        stacks_measure.megabytes(series.private), max(series.private, default=0) / objects))
    print("                  index of %.1f MB, %.1f bytes an object" % (
        index.stat().st_size / 1e6, index.stat().st_size / objects))
    print("  CPython %s   CPU %s for %d objects: %.2f million a CPU second" % (
        subject.version, stacks_measure.seconds(live), live_objects, theirs / 1e6))
    print("  ratio           %.1f" % (ours / theirs), flush=True)
    if chap:
        print("  chap            CPU %s: %s" % (stacks_measure.seconds(counted), allocations))
        print("  ratio           %.1f" % (statistics.median(counted) / statistics.median(series.cpu)), flush=True)
    for file in (core, index):
        file.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", metavar="PATH")
    parser.add_argument("--chap", metavar="PATH")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("counts", nargs="*", type=int, default=[100_000, 1_000_000], metavar="COUNT")
    options = parser.parse_args()
    inquest = os.path.realpath(options.inquest)
    subject = stacks_cores.choose(options.python)
    with tempfile.TemporaryDirectory(prefix="inquest-bench-") as folder:
        for count in options.counts:
            measure(inquest, subject, options.chap, count, options.runs, pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
