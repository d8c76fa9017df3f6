#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inquest hotspots, load, info and query on recordings, from outside. What the numbers are is tests/live/profiles.py.

    tests/cli/test_hotspots.py --inquest BUILD/reports/inquest
"""
import csv
import io
import json
import pathlib
import tempfile
import unittest

from recordings_line import CORE, PROFILES, inquest, main

SNAPSHOT, STATS = PROFILES / "tracemalloc-3.12.pickle", PROFILES / "pstats-3.12-cprofile.prof"
FOLDED = "thread (11): main;run (app.py:3);work (lib/b.py:7) 5\nthread (12);run (app.py:4) 2\n"


class Hotspots(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inquest-hotspots-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folded = self.folder / "a.raw"
        self.folded.write_text(FOLDED)

    def test_forms(self):
        answer = json.loads(inquest("hotspots", self.folded, "--format", "json").stdout)
        self.assertEqual(answer["rows"], [
            {"function": "work", "file": "lib/b.py", "line": None, "self": 5, "total": 5, "count": 5},
            {"function": "run", "file": "app.py", "line": None, "self": 2, "total": 7, "count": 7}])
        table = list(csv.DictReader(io.StringIO(inquest("hotspots", self.folded, "--format", "csv").stdout.decode())))
        self.assertEqual([row["function"] for row in table], ["work", "run"])
        self.assertEqual(set(table[0]), {"function", "file", "line", "self", "total", "count"})
        text = inquest("hotspots", self.folded).stdout.decode()
        self.assertIn("7 samples; hottest: work, 71.4 % by itself", text)
        self.assertIn("| ---: |", inquest("hotspots", self.folded, "--format", "md").stdout.decode())

    def test_threads(self):
        rows = json.loads(inquest("hotspots", self.folded, "--by", "thread", "--format", "json").stdout)["rows"]
        self.assertEqual([(row["thread"], row["tid"], row["total"]) for row in rows],
                         [("thread (11): main", 11, 5), ("thread (12)", 12, 2)])

    def test_relations(self):
        answer = json.loads(inquest("hotspots", self.folded, "--callers", "work", "--format", "json").stdout)
        self.assertEqual(answer["relation"], "callers")
        self.assertEqual([(row["function"], row["calls"], row["self"], row["total"]) for row in answer["rows"]],
                         [("run", 5, 5, 5)])

    def test_limit_is_said(self):
        text = inquest("hotspots", SNAPSHOT, "--limit", "2").stdout.decode()
        self.assertIn("more; --limit 0 shows all", text)
        rows = json.loads(inquest("hotspots", SNAPSHOT, "--limit", "2", "--format", "json").stdout)
        self.assertEqual(len(rows["rows"]), 2)
        self.assertGreater(rows["row_count"], 2)

    def test_an_empty_pattern_matches_what_fnmatch_does(self):
        """tracemalloc.Filter(True, '') is legal: no file is called that."""
        def rows(*options):
            return json.loads(inquest("hotspots", SNAPSHOT, "--format", "json", *options).stdout)["rows"]
        self.assertEqual(rows("--filter", ""), [])
        self.assertEqual(rows("--filter=", "--filter", "*"), rows())
        self.assertEqual(rows("--exclude", ""), rows())

    def test_standard_input(self):
        self.assertEqual(inquest("hotspots", "-", "--format", "csv", given=STATS.read_bytes()).stdout,
                         inquest("hotspots", STATS, "--format", "csv").stdout)

    def test_index_of_a_recording(self):
        index = self.folder / "a.index"
        inquest("load", SNAPSHOT, "-o", index)
        self.assertEqual(inquest("hotspots", index, "--by", "traceback", "--format", "csv").stdout,
                         inquest("hotspots", SNAPSHOT, "--by", "traceback", "--format", "csv").stdout)
        info = json.loads(inquest("info", index, "--format", "json").stdout)
        self.assertEqual((info["kind"], info["unit"]), ("tracemalloc", "bytes"))
        self.assertNotIn("thread_count", info)
        self.assertEqual(info["pickle_protocol"], 5)
        total = inquest("query", index, "SELECT sum(size) FROM trace", "--format", "csv").stdout
        self.assertIn(str(info["total"]).encode(), total)
        through_cache = json.loads(inquest("info", STATS, "--format", "json").stdout)
        self.assertEqual(through_cache["tree"], "estimated from caller/callee totals")

    def test_what_is_wrong_is_said(self):
        cases = [
            (3, [CORE], "hotspots needs a recording"),
            (2, [SNAPSHOT, "--by", "function"], "names no functions"),
            (2, [STATS, SNAPSHOT], "only pstats files are added"),
            (2, [STATS, "--by", "thread"], "tells no threads apart"),
            (2, [STATS, "--by", "traceback"], "holds no stacks"),
            (2, [STATS, "--domain", "0"], "only snapshots"),
            (2, [STATS, "--cumulative"], "--cumulative is for snapshots"),
            (2, [SNAPSHOT, "--cumulative=twice"], "takes one of all, once"),
            (2, [STATS, "--sort", "cum"], "--sort takes no 'cum'"),
            (2, [STATS, "--callers", "nobody"], "no function 'nobody'"),
            (2, [SNAPSHOT, "--format", "pstats"], "is for pstats files"),
            (2, [SNAPSHOT, "--domain", "x"], "a domain is a whole number"),
            (2, [STATS, "--callers", "a", "--callees", "b"], "two questions"),
        ]
        for status, words, message in cases:
            with self.subTest(words):
                self.assertIn(message, inquest("hotspots", *words, status=status).stderr.decode())
        self.assertIn("threads needs a core", inquest("threads", STATS, status=3).stderr.decode())

    def test_restrictions_follow_the_function(self):
        """print_callers("total", 1), whatever stands first of all."""
        text = inquest("hotspots", STATS, "--format", "pstats", "--callers", "total", "--restrict", "1").stdout.decode()
        self.assertRegex(text, r"\(total\) +<-")

    def test_hostile_names_are_shown(self):
        path = self.folder / "b.raw"
        path.write_bytes("ev\x1b[31mil (a\u202e.py:1) 3\n".encode())
        text = inquest("hotspots", path).stdout
        self.assertNotIn(b"\x1b", text)
        self.assertIn(b"\\x1b", text)
        self.assertIn(b"\\u202e", text)

    def test_redaction(self):
        dump = self.folder / "dump.json"
        frame = {"name": "f", "filename": "a.py", "module": None, "short_filename": "a.py", "line": 3, "is_entry": True,
                 "is_shim_entry": True, "locals": [{"name": "key", "addr": 1, "arg": True, "repr": "'hunter2'"}]}
        dump.write_text(json.dumps([{"pid": 1, "thread_id": 2, "thread_name": "MainThread", "os_thread_id": 2,
                                     "active": True, "owns_gil": True, "frames": [frame], "process_info": None}]))
        sql = "SELECT name, kind, value FROM local"
        self.assertIn(b"hunter2", inquest("query", dump, sql, "--no-cache").stdout)
        hidden = inquest("query", dump, sql, "--no-cache", "--redact").stdout
        self.assertIn(b"key", hidden)
        self.assertNotIn(b"hunter2", hidden)


if __name__ == "__main__":
    main(__doc__)
