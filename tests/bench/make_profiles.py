#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the large recordings that the speed is measured on, by CPython's own pickle, tracemalloc and marshal.

    tests/bench/make_profiles.py snapshot [--traces 1000000] [--stacks 262294] [--seed 1] -o large.pickle
    tests/bench/make_profiles.py pstats [--functions 200000] [--edges 1000000] [--seed 1] -o large.prof
    tests/bench/make_profiles.py time --dump BUILD/tests/formats/profile_dump FILE...

A snapshot's stacks are ways through a random tree of calls, 17.5 frames on average; as in a real one a file's name is
one object, a stack is one object however many traces have it, and a frame is a tuple of its own in each stack.
`time` prints the CPU seconds and peak memory of our parser and of CPython's load, one after the other.
"""
import argparse
import json
import marshal
import pathlib
import random
import subprocess
import sys
import tracemalloc

LOAD = """
import gc, marshal, pickle, resource, sys, time
begun = time.process_time()
with open(sys.argv[1], "rb") as file:
    loaded = (pickle if file.peek(1)[:1] == b"\\x80" else marshal).load(file)
cost = time.process_time() - begun
print('{"cpu_seconds":%.3f,"peak_kib":%d}' % (cost, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""


def file_names(count):
    return ["/usr/lib/python3/dist-packages/package%02d/module_%03d.py" % (i % 40, i) for i in range(count)]


def make_stacks(chance, count):
    """Newest frame first, as _tracemalloc gives them."""
    files = file_names(600)
    sites = [(files[chance.randrange(600)], chance.randrange(1, 3000)) for _ in range(30000)]
    stacks, seen = [], set()
    while len(stacks) < count:
        way, site = [], chance.randrange(50)
        for _ in range(min(max(int(chance.gauss(17.5, 6)), 1), 40)):
            way.append(site)
            site = (site * 7919 + chance.randrange(6) * 104729 + 13) % len(sites)
        if tuple(way) not in seen:
            seen.add(tuple(way))
            stacks.append(tuple(sites[i][:1] + sites[i][1:] for i in reversed(way)))
    return stacks


def make_snapshot(options):
    chance = random.Random(options.seed)
    stacks = make_stacks(chance, options.stacks)
    order = list(range(len(stacks))) + [int(len(stacks) * chance.random() ** 2)
                                        for _ in range(options.traces - len(stacks))]
    chance.shuffle(order)
    traces = [(0 if chance.random() < .98 else 389047, int(chance.lognormvariate(4.5, 1.3)) + 1, stacks[i],
               len(stacks[i])) for i in order]
    tracemalloc.Snapshot(traces, 40).dump(str(options.output))


def make_pstats(options):
    chance = random.Random(options.seed)
    files = file_names(5000)
    names = ["function_%d" % i for i in range(options.functions // 3)]
    functions = list({(chance.choice(files), chance.randrange(1, 5000), chance.choice(names))
                      for _ in range(options.functions * 2)})[:options.functions]
    functions.sort()
    chance.shuffle(functions)
    callers = [{} for _ in functions]
    for _ in range(options.edges):
        into = callers[int(len(functions) * chance.random() ** 1.5)]
        while (caller := functions[chance.randrange(len(functions))]) in into:
            pass
        count = chance.randrange(1, 100000)
        into[caller] = (count, count - count // 7 % 3, chance.random(), chance.random() * 10)
    stats = {function: (chance.randrange(1, 10 ** 6), chance.randrange(10 ** 6, 2 * 10 ** 6), chance.random(),
                        chance.random() * 100, callers[i]) for i, function in enumerate(functions)}
    with open(options.output, "wb") as file:
        marshal.dump(stats, file)


def cost_of(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("%s: %s" % (command[0], done.stderr.strip()))
    return json.loads(done.stdout)


def measure(options):
    for path in options.files:
        size = path.stat().st_size
        runs = [cost_of([options.dump, "--time", str(path)]) for _ in range(5)]
        ours = min(runs, key=lambda run: run["cpu_seconds"])
        theirs = cost_of([sys.executable, "-c", LOAD, str(path)])
        print("%s: %.1f MB" % (path.name, size / 1e6))
        print("  inquest  %7.3f s  %8.1f MiB" % (ours["cpu_seconds"], ours["peak_kib"] / 1024))
        print("  CPython  %7.3f s  %8.1f MiB, its load alone" % (theirs["cpu_seconds"], theirs["peak_kib"] / 1024))
        print("  ratio    %7.1f x  %8.1f x" % (theirs["cpu_seconds"] / max(ours["cpu_seconds"], 1e-3),
                                               theirs["peak_kib"] / ours["peak_kib"]))
        print("  memory without the mapped file: %.2f x the file" % ((ours["peak_kib"] * 1024 - size) / size))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    rows = (("snapshot", make_snapshot, (("--traces", 1000000), ("--stacks", 262294))),
            ("pstats", make_pstats, (("--functions", 200000), ("--edges", 1000000))))
    for name, make, sizes in rows:
        command = commands.add_parser(name)
        command.set_defaults(run=make)
        for option, default in sizes + (("--seed", 1),):
            command.add_argument(option, type=int, default=default)
        command.add_argument("-o", "--output", type=pathlib.Path, required=True)
    command = commands.add_parser("time")
    command.set_defaults(run=measure)
    command.add_argument("--dump", required=True)
    command.add_argument("files", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    options.run(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
