#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several recordings given to one command are added up: with itself every number doubles, and two files of folded stacks
are what their lines in one file would be.

    tests/cli/test_merge.py --inquest BUILD/reports/inquest
"""
import json
import pathlib
import tempfile
import unittest

from recordings_line import CORE, PROFILES, inquest, main

SNAPSHOT, OTHER_SNAPSHOT = PROFILES / "tracemalloc-3.15.pickle", PROFILES / "tracemalloc-3.11.pickle"
STATS = PROFILES / "pstats-3.12-cprofile.prof"
SECONDS = PROFILES / "pyspy" / "speedscope-0.4.2.json"
LIE = ["--exclude", "*/profile_truth.py:74"]  # one trace of the snapshots claims 2^62 bytes
A = "thread (11): main;run (app.py:3);work (lib/b.py:7) 5\nthread (12);run (app.py:4) 2\n"
B = "thread (12);run (app.py:4) 3\nthread (13);run (app.py:4);new (c.py:2) 7\nthread (11): main;run (app.py:3) 1\n"
NUMBERS = {"self", "total", "count", "size", "value", "calls", "primitive_calls"}


def answer(command, *words):
    found = json.loads(inquest(command, *words, "--format", "json").stdout)
    found.pop("input")
    found.pop("inputs", None)
    found.pop("warnings")  # those of several name their file
    return found


def times(factor, value):
    """The answer with every number of a row multiplied."""
    if isinstance(value, list):
        return [times(factor, item) for item in value]
    if isinstance(value, dict):
        return {key: item * factor if key in NUMBERS and isinstance(item, (int, float)) else times(factor, item)
                for key, item in value.items()}
    return value


class Merge(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inquest-merge-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.a, self.b, self.both = (self.folder / name for name in ("a.raw", "b.raw", "both.raw"))
        self.a.write_text(A)
        self.b.write_text(B)
        self.both.write_text(A + B)

    def test_with_itself(self):
        for path, groupings in ((self.a, ("function", "line", "file", "module", "thread", "traceback")),
                                (SECONDS, ("function", "line", "thread")),
                                (PROFILES / "pyspy" / "chrometrace.json", ("function", "thread")),
                                (PROFILES / "pyspy" / "flamegraph.svg", ("function", "line")),
                                (PROFILES / "pyspy" / "dump.json", ("function", "thread")),
                                (SNAPSHOT, ("line", "file", "module", "traceback")),
                                (STATS, ("function", "file"))):
            for by in groupings:
                with self.subTest(f"{path.name} by {by}"):
                    words = ["--by", by, *(LIE if path == SNAPSHOT else ())]
                    self.assertEqual(answer("hotspots", path, path, *words), times(2, answer("hotspots", path, *words)))

    def test_two_are_their_lines_in_one_file(self):
        for by in ("function", "line", "file", "module", "thread", "traceback"):
            self.assertEqual(answer("hotspots", self.a, self.b, "--by", by), answer("hotspots", self.both, "--by", by))
        for relation in ("--callers", "--callees"):
            self.assertEqual(answer("hotspots", self.a, self.b, relation, "run"),
                             answer("hotspots", self.both, relation, "run"))
        self.assertEqual(answer("flamegraph", self.a, self.b, "--by", "line"),
                         answer("flamegraph", self.both, "--by", "line"))
        for target in ("collapsed", "pprof"):
            self.assertEqual(inquest("export", self.a, self.b, "--to", target).stdout,
                             inquest("export", self.both, "--to", target).stdout)

    def test_snapshots_of_two_processes(self):
        sums = {}
        for path in (SNAPSHOT, OTHER_SNAPSHOT):
            for row in answer("hotspots", path, "--by", "traceback", *LIE)["rows"]:
                key = tuple((frame["file"], frame["line"]) for frame in row["frames"])
                size, count = sums.get(key, (0, 0))
                sums[key] = size + row["size"], count + row["count"]
        merged = answer("hotspots", SNAPSHOT, OTHER_SNAPSHOT, "--by", "traceback", *LIE)
        found = {tuple((frame["file"], frame["line"]) for frame in row["frames"]): (row["size"], row["count"])
                 for row in merged["rows"]}
        self.assertEqual(found, sums)

    def test_stats_as_a_picture(self):
        once, twice = (answer("flamegraph", *paths) for paths in ([STATS], [STATS, STATS]))
        self.assertEqual([row["name"] for row in once["rows"]], [row["name"] for row in twice["rows"]])
        for row, doubled in zip(once["rows"], twice["rows"]):
            self.assertAlmostEqual(doubled["value"], 2 * row["value"], places=9)

    def test_it_is_said(self):
        text = inquest("hotspots", self.a, self.b).stdout.decode()
        self.assertIn(f"2 files added up: {self.a}, {self.b}\n", text)
        self.assertIn(f"flamegraph {self.a} {self.b} -o flame.svg", text)
        markdown = inquest("hotspots", self.a, self.b, "--format", "md").stdout.decode()
        self.assertIn("2 files added up", markdown)
        found = json.loads(inquest("hotspots", self.a, self.b, "--format", "json").stdout)
        self.assertEqual((found["input"], found["inputs"]), (str(self.a), [str(self.a), str(self.b)]))
        self.assertNotIn("inputs", json.loads(inquest("hotspots", self.a, "--format", "json").stdout))
        self.assertNotIn("added up", inquest("hotspots", self.a).stdout.decode())
        self.assertIn("files added up", inquest("hotspots", STATS, STATS).stdout.decode())
        for command, name in (("flamegraph", "x.svg"), ("report", "x.html")):
            out = self.folder / name
            inquest(command, self.a, self.b, "-o", out)
            self.assertIn("a.raw and 1 more", out.read_text())

    def test_indexes_too(self):
        index = self.folder / "b.index"
        inquest("load", self.b, "-o", index)
        self.assertEqual(answer("hotspots", self.a, index), answer("hotspots", self.both))

    def test_gates_are_of_the_sum(self):
        for paths, limit in (([self.a, self.b], 17), ([STATS, STATS], None)):
            if limit is None:
                limit = answer("hotspots", STATS)["total"] * 1.5
            run = inquest("hotspots", *paths, "--fail-if", f"total.self > {limit}", "-q", "--format", "json", status=1)
            self.assertTrue(run.stdout)
        inquest("hotspots", self.a, self.b, "--fail-if", "total.self > 18")

    def test_what_is_wrong_is_said(self):
        cases = [
            (2, "hotspots", [self.a, SECONDS], f"{SECONDS}: only recordings of one unit are added up: this counts "
                                               "seconds, what stands before it samples"),
            (2, "flamegraph", [self.a, SNAPSHOT], "this is a snapshot of tracemalloc, what stands before it a recording"),
            (2, "hotspots", [self.a, STATS], "this is a pstats file"),
            (2, "hotspots", [STATS, self.a], "only pstats files are added to a pstats file"),
            (3, "hotspots", [self.a, CORE], f"{CORE}: hotspots needs a recording"),
            (2, "report", [CORE, self.a, "-o", self.folder / "x.html"], "this is a core"),
            (2, "flamegraph", [CORE, CORE], "this is a core"),
            (3, "export", [self.a, self.folder / "none", "--to", "pprof"], "none"),
        ]
        for status, command, words, message in cases:
            with self.subTest(message):
                error = inquest(command, *words, status=status).stderr.decode()
                self.assertIn(message, error)
                self.assertFalse(error.startswith(f"inquest: {self.a}: /"), error)
        out = self.folder / "kept.raw"
        out.write_text(B)
        self.assertIn(b"would overwrite", inquest("export", self.a, out, "--to", "collapsed", "-o", out, status=2).stderr)
        self.assertEqual(out.read_text(), B)

    def test_stacks_cut_at_different_lengths_are_told(self):
        run = inquest("hotspots", PROFILES / "tracemalloc-3.12-limit1.pickle", PROFILES / "tracemalloc-3.12.pickle")
        self.assertIn(b"keeps 8 frames of a stack, what stands before it 1", run.stderr)


if __name__ == "__main__":
    main(__doc__)
