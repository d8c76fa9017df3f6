#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inquest against gdb's py-bt and py-locals on three large cores, in one run, taking turns.

    stacks.py --inquest PATH [--python PYTHON] [--rounds N] [--only heap|threads|frames] [--folder DIR]

Makes the cores (up to 0.7 GB), measures, removes them. Prints a Markdown table: median (least
to most) of CPU and wall seconds of whole processes, peak memory, ratio of the CPU times.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import tempfile

import stacks_cores
import stacks_measure

SIZES = {"heap": 1_000_000, "threads": 1_000, "frames": 100_000}
WORDS = {"heap": "%s instances", "threads": "%s threads", "frames": "%s frames in one thread"}
AIMS = {"heap": (0.015, 10e6), "threads": (0.3, None), "frames": (0.5, None)}
RUNS_A_ROUND = 3  # of inquest, for each one of gdb
GDB_SECONDS = 240  # of the wall clock for each core, after which gdb has no more turns
HEAD = "| input | command | runs | CPU | wall | peak private | peak resident | gdb's CPU / ours |"


def inquest_commands(inquest, core, cache):
    """name: (command, environment, what to do before each run)"""
    def empty_cache():
        for file in sorted(cache.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()

    cached = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    threads = [inquest, "threads", str(core), "--format", "json"]
    return {
        "threads, JSON": (threads + ["--no-cache"], os.environ, None),
        "threads, text": ([inquest, "threads", str(core), "--no-cache"], os.environ, None),
        "postmortem, text": ([inquest, "postmortem", str(core), "--no-cache"], os.environ, None),
        "threads, JSON, index into the cache": (threads, cached, empty_cache),
        "threads, JSON, index from the cache": (threads, cached, None),
    }


def our_answer(file, kind, count):
    """What it says, in numbers: the time of a wrong answer is worth nothing."""
    rows = json.loads(file.read_text())["rows"]
    frames = [frame for row in rows for frame in row["frames"]]
    if len(rows) < (count if kind == "threads" else 1) or len(frames) < (count if kind == "frames" else 4):
        raise SystemExit("stacks.py: threads or frames are missing from the answer on " + kind)
    return "inquest: %d threads, %d frames, %d locals" % (
        len(rows), len(frames), sum(len(frame["locals"]) for frame in frames))


def gdb_answer(file, has_script):
    lines = file.read_text(errors="replace").splitlines()
    if not has_script:
        return "gdb: %d lines of C stacks" % len(lines)
    return "gdb: %d Python frames, the locals of %d" % (
        sum(line.startswith("  File ") for line in lines), sum(line.startswith("Locals for ") for line in lines))


def turns(commands, gdb, rounds, output):
    """The memory of each and gdb's answer; then timed runs, ours and theirs taking turns."""
    series = {name: stacks_measure.Series() for name in [*commands, "gdb"]}
    for name, (command, environment, before) in commands.items():
        good = 0
        for _ in range(10 * RUNS_A_ROUND):
            if before:
                before()
            good += series[name].watch(command, environment)
            if good == RUNS_A_ROUND:
                break
    if gdb:
        series["gdb"].watch(gdb, output=output)
    for _ in range(rounds):
        for _ in range(RUNS_A_ROUND):
            for name, (command, environment, before) in commands.items():
                if before:
                    before()
                series[name].time(command, environment)
        if gdb and sum(series["gdb"].wall) < GDB_SECONDS:
            series["gdb"].time(gdb)
    return series


def line(title, name, ours, theirs):
    return "| %s | %s | %d | %s | %s | %s | %s | %s |" % (
        title, name, len(ours.cpu), stacks_measure.seconds(ours.cpu), stacks_measure.seconds(ours.wall),
        stacks_measure.megabytes(ours.private), stacks_measure.megabytes(ours.resident),
        stacks_measure.ratio(theirs.cpu, ours.cpu) if theirs.cpu and theirs is not ours else "")


def met(value, aim):
    return "met" if value <= aim else "missed"


def verdict(kind, series):
    aim, memory = AIMS[kind]
    best = series["threads, JSON"]
    words = "aim %g s: %s" % (aim, ", ".join("%s median %s" % (name, met(statistics.median(values), aim))
                                           for name, values in (("CPU", best.cpu), ("wall", best.wall))))
    if memory and best.private:
        words += "; aim %g MB private: %s" % (memory / 1e6, met(max(best.private), memory))
    return words


def measure(kind, count, subject, arguments, folder):
    core = stacks_cores.make(subject, kind, count, folder / kind)
    title = "%s, %.0f MB" % (WORDS[kind] % format(count, ","), core.stat().st_size / 1e6)
    cache, output = folder / "cache", folder / "output"
    cache.mkdir(exist_ok=True)
    commands = inquest_commands(arguments.inquest, core, cache)
    stacks_measure.watched(*commands["threads, JSON"][:2], output)
    said = [our_answer(output, kind, count)]
    gdb = None if arguments.no_gdb or not shutil.which("gdb") else subject.gdb(core)
    series = turns(commands, gdb, arguments.rounds, output)
    core.unlink()
    if gdb:
        said.append(gdb_answer(output, subject.script))
    for name, ours in series.items():
        if ours.cpu:
            peer = ("gdb, py-bt + py-locals" if subject.script else "gdb, bt") if name == "gdb" else name
            print(line(title, peer, ours, series["gdb"]), flush=True)
    if count == SIZES[kind]:
        said.append(verdict(kind, series))
    return ["%s: %s" % (title, words) for words in said]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inquest", required=True, type=os.path.abspath)
    parser.add_argument("--python", help="the Python that is to die")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=SIZES, action="append")
    parser.add_argument("--count", type=int, help="another size than usual")
    parser.add_argument("--folder", help="where the cores go for a while")
    parser.add_argument("--no-gdb", action="store_true")
    arguments = parser.parse_args()
    subject = stacks_cores.choose(arguments.python)
    print("Python %s; %s\n" % (subject.version,
                               "gdb with py-bt and py-locals of its python-gdb.py" if subject.script else
                               "without its symbols or python-gdb.py py-bt can't be had: gdb's C stacks instead"))
    print(HEAD + "\n" + "| --- " * HEAD.count(" | ") + "| --- |", flush=True)
    notes = []
    with tempfile.TemporaryDirectory(prefix="inquest-bench-", dir=arguments.folder) as folder:
        for kind in arguments.only or SIZES:
            notes += measure(kind, arguments.count or SIZES[kind], subject, arguments, pathlib.Path(folder))
    print("\nLoad average at the end: %.1f on %d cores" % (os.getloadavg()[0], os.cpu_count()))
    for note in notes:
        print("- " + note)


if __name__ == "__main__":
    main()
