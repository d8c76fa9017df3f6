#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings, against CPython's own modules on the same files: CPU seconds of whole processes and their peak memory,
both in one run, in turn. The inputs are made here, by make_profiles.py and make_folded.py, or taken from a folder.

    profiles.py --inquest BUILD/reports/inquest [--python P] [--runs 3] [--inputs FOLDER] [--only WORD]

FOLDER may hold large.pickle, next.pickle, large.prof, large.folded and next.folded; what it lacks is made. Reading and
splitting folded lines in C is compiled here with cc; flamegraph.pl is run where it is in the PATH.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

LOAD = "import sys, tracemalloc, pstats, itertools\nload = tracemalloc.Snapshot.load\n"
THEIRS = {
    "tracemalloc by traceback": LOAD + "load(sys.argv[1]).statistics('traceback')[:20]",
    "tracemalloc cumulative lineno": LOAD + "load(sys.argv[1]).statistics('lineno', True)[:20]",
    "tracemalloc all-frames filter": LOAD + "load(sys.argv[1]).filter_traces([tracemalloc.Filter(True, '*/module_01*', "
                                            "all_frames=True)]).statistics('lineno')[:20]",
    "pstats load and sort": LOAD + "pstats.Stats(sys.argv[1]).sort_stats('cumulative')",
    "diff of snapshots by traceback": LOAD + "load(sys.argv[2]).compare_to(load(sys.argv[1]), 'traceback')[:20]",
}

SPLIT = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0, frames = 0;
    double sum = 0;
    FILE *file = fopen(argv[argc - 1], "r");
    for (ssize_t size; file && (size = getline(&line, &room, file)) > 0;) {
        char *space = strrchr(line, ' ');
        sum += space ? strtod(space, NULL) : 0;
        for (char *at = line; at && at < space; at = strchr(at, ';'), at = at ? at + 1 : at)
            frames++;
    }
    printf("%zu %g\n", frames, sum);
    return 0;
}
"""


def cost(command):
    """CPU seconds and peak memory in MiB of a process, its output thrown away."""
    with open(os.devnull, "r+b") as nowhere:
        process = subprocess.Popen([str(word) for word in command], stdin=nowhere, stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("%s: exit status %d" % (command, process.returncode))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def in_turn(ours, theirs, runs):
    """The medians of both, run one after the other."""
    figures = [[cost(command) for command in (ours, theirs)] for _ in range(runs)]
    return [(statistics.median(pair[side][0] for pair in figures), max(pair[side][1] for pair in figures))
            for side in range(2)]


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.inputs = pathlib.Path(options.inputs) if options.inputs else folder

    def input(self, name, script, *words):
        """A large recording, from the folder of inputs or made now."""
        path = self.inputs / name
        if path.exists():
            return path
        path = self.folder / name
        if not path.exists():
            print("making %s" % name, flush=True)
            output = ["-o", path] if script == "make_profiles.py" else [path]
            subprocess.run([str(word) for word in [self.options.python, HERE / script, *words, *output]], check=True)
        return path

    def inquest(self, *words):
        return [self.options.inquest, *words, "-q", "--no-progress", "--no-cache"]

    def row(self, name, ours, theirs, aim, against="CPython", most=False, inputs=()):
        if self.options.only and self.options.only not in name:
            return
        (our_cpu, our_peak), (their_cpu, their_peak) = in_turn(ours, theirs, self.options.runs)
        ratio = our_cpu / their_cpu if most else their_cpu / our_cpu
        met = ratio <= aim if most else ratio >= aim
        size = sum(path.stat().st_size for path in inputs) / (1 << 20)
        print("| %s | %.2f s, %.0f MiB | %s %.2f s, %.0f MiB | %.1f, aim %s %g: %s | %.1f times the input |" % (
            name, our_cpu, our_peak, against, their_cpu, their_peak, ratio, "at most" if most else "at least", aim,
            "met" if met else "**missed**", our_peak / size), flush=True)

    def python_row(self, name, words, aim, inputs):
        self.row(name, self.inquest(*words), [self.options.python, "-c", THEIRS[name], *inputs], aim, inputs=inputs)

    def snapshots(self):
        large = self.input("large.pickle", "make_profiles.py", "snapshot")
        self.python_row("tracemalloc by traceback", ("hotspots", large, "--by", "traceback"), 25, [large])
        self.python_row("tracemalloc cumulative lineno", ("hotspots", large, "--by", "line", "--cumulative"), 70, [large])
        self.python_row("tracemalloc all-frames filter",
                        ("hotspots", large, "--by", "line", "--filter", "*/module_01*", "--all-frames"), 70, [large])
        other = self.input("next.pickle", "make_profiles.py", "snapshot", "--seed", "2")
        self.python_row("diff of snapshots by traceback", ("diff", large, other, "--by", "traceback"), 25, [large, other])

    def statistics(self):
        large = self.input("large.prof", "make_profiles.py", "pstats")
        self.python_row("pstats load and sort", ("hotspots", large, "--sort", "cumulative"), 25, [large])

    def stacks(self):
        large = self.input("large.folded", "make_folded.py")
        split = self.folder / "split"
        (self.folder / "split.c").write_text(SPLIT)
        subprocess.run(["cc", "-O2", "-o", split, self.folder / "split.c"], check=True)
        graph = self.inquest("flamegraph", large, "-o", self.folder / "one.svg")
        self.row("folded to a flame graph", graph, [split, large], 12, "reading and splitting in C", True, [large])
        script = shutil.which("flamegraph.pl")
        if script:
            self.row("folded to a flame graph", graph, [script, large], 30, "flamegraph.pl", inputs=[large])
        else:
            print("flamegraph.pl is not at hand")
        other = self.input("next.folded", "make_folded.py", "--seed", "2")
        self.row("diff of two folded files to SVG", self.inquest("diff", large, other, "-o", self.folder / "diff.svg"),
                 graph, 3, "one flame graph", True, [large, other])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", default=sys.executable, metavar="PATH")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--inputs", metavar="FOLDER")
    parser.add_argument("--only", metavar="WORD", help="rows whose name holds it")
    options = parser.parse_args()
    options.inquest = os.path.realpath(options.inquest)
    print("load average %.1f, %s" % (os.getloadavg()[0], subprocess.run([options.python, "--version"], capture_output=True,
                                                                        text=True, check=True).stdout.strip()))
    print("| | inquest | | ratio | peak |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="inquest-bench-") as folder:
        bench = Bench(options, pathlib.Path(folder))
        bench.snapshots()
        bench.statistics()
        bench.stacks()


if __name__ == "__main__":
    sys.exit(main())
