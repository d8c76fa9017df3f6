#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inquest diff, trend, report and their gates, from outside.

    tests/cli/test_compare.py INQUEST TESTDATA
"""
import csv
import gzip
import io
import json
import marshal
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

INQUEST, DATA = "", pathlib.Path()
BY = {"lineno": "line", "filename": "file", "traceback": "traceback"}

OLD = "main (app.py:1);fast (app.py:5) 400\nmain (app.py:1);slow (app.py:9) 100\nmain (app.py:1);gone (app.py:30) 80\n"
NEW = "main (app.py:1);fast (app.py:6) 404\nmain (app.py:1);slow (app.py:10) 300\nmain (app.py:1);born (app.py:40) 90\n"


def shown(text):
    """A lone surrogate as inquest shows its bytes."""
    return "".join("".join("\\x%02x" % byte for byte in letter.encode("utf-8", "surrogatepass"))
                   if "\ud800" <= letter <= "\udfff" else letter for letter in text)


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inquest-compare-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.old, self.new = self.folder / "old.txt", self.folder / "new.txt"
        self.old.write_text(OLD)
        self.new.write_text(NEW)

    def run_tool(self, *words, status=0, stdin=None):
        run = subprocess.run([INQUEST, *map(str, words)], capture_output=True, timeout=120,
                             input=stdin if stdin is not None else b"",
                             env={"XDG_CACHE_HOME": str(self.folder / "cache"), "PATH": "/usr/bin:/bin"})
        self.assertEqual(run.returncode, status, (words, run.stderr))
        return run

    def rows(self, *words, **options):
        return json.loads(self.run_tool(*words, "--format", "json", **options).stdout)

    # ---- numbers

    def test_compare_to(self):
        """Every number and the order of Snapshot.compare_to, sizes past 2^53 among them."""
        for version in ("3.8", "3.12", "3.15"):
            truth = json.load(gzip.open(DATA / "profiles" / f"tracemalloc-{version}.compare.truth.json.gz"))
            for name, expected in truth.items():
                group, _, way = name.partition(" ")
                if group not in BY:
                    continue
                answer = self.rows("diff", DATA / "profiles" / truth["old"], DATA / "profiles" / truth["new"],
                                   "--no-cache", "--by", BY[group], *(["--cumulative"] if way else []))
                got = [[row["size_new"], row["size_delta"], row["count_new"], row["count_delta"],
                        [[frame["file"], frame["line"]] for frame in row["frames"]] if group == "traceback"
                        else [[row["file"], (row["line"] or 0) if group == "lineno" else 0]]] for row in answer["rows"]]
                self.assertEqual(len(got), len(expected), (version, name))
                for ours, theirs in zip(got, expected):
                    theirs = theirs[:4] + [[[shown(file), line] for file, line in theirs[4]]]
                    self.assertEqual(ours, theirs, (version, name))

    def test_limit(self):
        """So many rows are those that stand first among all."""
        files = (DATA / "profiles" / "tracemalloc-3.12-limit1.pickle", DATA / "profiles" / "tracemalloc-3.12.pickle")
        rows = self.rows("diff", *files, "--no-cache", "--by", "traceback")["rows"]
        self.assertGreater(len(rows), 200)
        for limit in (1, 2, 7, 50, 149, 150, 151, 1000):
            few = self.rows("diff", *files, "--no-cache", "--by", "traceback", "--limit", limit)["rows"]
            self.assertEqual(few, rows[:limit], limit)

    def test_functions(self):
        answer = self.rows("diff", self.old, self.new, "--no-cache")
        rows = {row["function"]: row for row in answer["rows"]}
        self.assertEqual(answer["schema"], "inquest/diff/1")
        self.assertEqual((answer["total"]["total_old"], answer["total"]["total_new"]), (580, 794))
        self.assertEqual(answer["rows"][0]["function"], "slow")
        self.assertEqual((rows["slow"]["self_old"], rows["slow"]["self_new"], rows["slow"]["self_delta"]), (100, 300, 200))
        self.assertEqual((rows["main"]["self_new"], rows["main"]["total_old"], rows["main"]["total_new"]), (0, 580, 794))
        self.assertEqual([rows[name]["presence"] for name in ("gone", "born", "fast")], ["gone", "new", "both"])
        self.assertEqual([rows[name]["noise"] for name in ("fast", "slow", "born")], [True, False, False])
        for name, old, new in (("slow", 100, 300), ("gone", 80, 0), ("born", 0, 90)):
            margin = 1.96 * math.sqrt(old + new)
            low, high = rows[name]["self_delta_low"], rows[name]["self_delta_high"]
            self.assertAlmostEqual(low, new - old - margin, 6)
            self.assertAlmostEqual(high, new - old + margin, 6)
        for row in rows.values():
            inside = all(row[measure + "_delta_low"] <= 0 <= row[measure + "_delta_high"] for measure in ("self", "total"))
            self.assertEqual(row["noise"], inside, row["function"])
        edges = {row["function"]: row for row in answer["edges"]}
        self.assertEqual((edges["slow"]["caller"], edges["slow"]["total_delta"]), ("main", 200))
        self.assertEqual(answer["paths"][0]["path"], "main > slow")

    def test_match(self):
        """By function lines may differ; by line nothing but what stands where it stood is the same."""
        def shares(*options):
            rule = self.rows("diff", self.old, self.new, "--no-cache", *options)["rule"]
            return [float(share) for share in re.findall(r"([\d.]+) % of", rule)]
        self.assertEqual(shares(), [86.2, 88.7])
        self.assertEqual(shares("--match", "function"), [86.2, 88.7])
        self.assertEqual(shares("--match", "line"), [0.0, 0.0])
        self.assertEqual(shares("--match", "exact"), [0.0, 0.0])
        warned = self.rows("diff", self.old, self.new, "--no-cache", "--match", "exact")["warnings"]
        self.assertIn("hardly of the same program", warned[0])
        self.new.write_text(OLD.replace("app.py", "/other/place/app.py"))
        self.assertEqual(shares("--match", "exact"), [0.0, 0.0])

    def test_normalize(self):
        self.new.write_text(re.sub(r" (\d+)$", lambda match: " %d" % (3 * int(match[1])), OLD, flags=re.M))
        plain = self.rows("diff", self.old, self.new, "--no-cache")["rows"]
        scaled = self.rows("diff", self.old, self.new, "--no-cache", "--normalize")["rows"]
        self.assertEqual(plain[0]["self_delta"], 800)
        for row in scaled:
            self.assertAlmostEqual(row["self_delta"], 0, places=6)

    def test_by(self):
        for by, keys in (("line", {"file", "line", "function"}), ("file", {"file"}), ("module", {"module"}),
                         ("traceback", {"file", "line", "frames"})):
            answer = self.rows("diff", self.old, self.new, "--no-cache", "--by", by)
            self.assertTrue(keys <= set(answer["rows"][0]), by)
            self.assertEqual(sum(row["self_new"] for row in answer["rows"]), 794, by)
            self.assertEqual(sum(row["self_old"] for row in answer["rows"]), 580, by)
        self.run_tool("diff", self.old, self.new, "--by", "colour", status=2)
        stats = DATA / "profiles" / "pstats-3.12-cprofile.prof"
        self.run_tool("diff", stats, stats, "--by", "line", status=2)

    def test_mixed_kinds(self):
        profiles = DATA / "profiles"
        core = DATA / "cores" / "cpython-3.12.core.lz4"
        self.run_tool("diff", self.old, profiles / "tracemalloc-3.12.pickle", status=2)
        self.run_tool("diff", core, self.new, status=2)
        self.run_tool("diff", self.old, core, status=2)
        answer = self.rows("diff", profiles / "pstats-3.12-cprofile.prof", self.new, "--no-cache")
        self.assertEqual(answer["unit"], "share")
        self.assertIn("by share of the total", answer["rule"])
        self.assertAlmostEqual(sum(row["self_new"] for row in answer["rows"]), 1, places=9)
        self.assertAlmostEqual(sum(row["self_old"] for row in answer["rows"]), 1, places=9)
        self.assertNotIn("calls_old", answer["rows"][0])  # calls and samples are no one number

    def test_equal_inputs(self):
        run = self.run_tool("diff", self.old, self.old, "--no-cache", "--limit", "1").stdout.decode()
        self.assertTrue(run.startswith("The total is unchanged; no row changed\n"), run)
        self.assertNotIn(" more;", run)

    def test_index_is_as_good_as_the_dump(self):
        profiles = DATA / "profiles"
        for old, new in ((self.old, self.new), (profiles / "tracemalloc-3.12-limit1.pickle", profiles / "tracemalloc-3.12.pickle"),
                         (profiles / "pstats-3.12-cprofile.prof", profiles / "pstats-3.12-profile.prof")):
            indexes = [self.folder / "a.index", self.folder / "b.index"]
            for dump, index in zip((old, new), indexes):
                index.unlink(missing_ok=True)
                self.run_tool("load", dump, "-o", index)
            direct = self.rows("diff", old, new, "--no-cache")
            loaded = self.rows("diff", *indexes)
            for name in ("rows", "edges", "paths", "moved", "total", "rule"):
                self.assertEqual(direct.get(name), loaded.get(name), (old, name))
            self.assertEqual(direct["rows"], self.rows("diff", old, indexes[1])["rows"])

    # ---- forms

    def test_forms(self):
        core = DATA / "cores" / "cpython-3.12.core.lz4"
        for old, new in ((self.old, self.new), (core, core)):
            for ending in ("html", "svg", "json", "csv", "md", "txt", "xml"):
                path = self.folder / ("diff." + ending)
                run = self.run_tool("diff", old, new, "-o", path, "--fail-if", "total.self > 1" if old == self.old else "objects > 1",
                                    status=1)
                self.assertEqual(run.stdout, b"")
                text = path.read_text()
                self.assertGreater(len(text), 100, ending)
                if ending in ("svg", "xml"):
                    xml.fromstring(text)
                elif ending == "json":
                    self.assertTrue(json.loads(text)["gates"][0]["tripped"])
                elif ending == "csv":
                    table = list(csv.reader(io.StringIO(text)))
                    self.assertEqual({len(row) for row in table}, {len(table[0])})
        self.assertEqual(self.run_tool("diff", self.old, self.new, "--format", "csv", "--no-cache").stdout.decode().splitlines()[1],
                         'slow,app.py,,100,300,200,100,300,200,100,300,200')

    def test_pipe(self):
        piped = self.rows("diff", self.old, "-", stdin=NEW.encode())
        self.assertEqual(piped["rows"], self.rows("diff", self.old, self.new, "--no-cache")["rows"])

    # ---- gates and exit statuses

    def test_gates(self):
        for gate, status in (("total.self > 30%", 1), ("total.self > 40%", 0), ("function(slow).self > 150%", 1),
                             ("function(slow) > +199", 1), ("function(slow) > +200", 0), ("function(none) > 0", 0),
                             ("function(app.py:10) >= 300", 1), ("function(app.py:10) > 300", 0),
                             ("functoin(slow) > 1", 2), ("total.self >", 2), ("heap > 1", 2), ("growth(total) > 1%/h", 2)):
            run = self.run_tool("diff", self.old, self.new, "--no-cache", "--fail-if", gate, status=status)
            self.assertEqual(b"FAILED" in run.stderr, status == 1, gate)
        run = self.run_tool("diff", self.old, self.new, "--no-cache", "--format", "junit",
                            *("--fail-if", "total > 1", "--fail-if", "total < 1", "--fail-if", "function(slow) > 200%"), status=1)
        suite = xml.fromstring(run.stdout).find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("3", "1"))
        self.assertIn("580 samples → 794 samples", suite.find("testcase/failure").get("message"))

    def test_noise_trips_no_gate(self):
        gate = ("--fail-if", "function(fast).self > 0%")
        self.run_tool("diff", self.old, self.new, "--no-cache", *gate)
        self.run_tool("diff", self.old, self.new, "--no-cache", "--noise", *gate, status=1)

    def test_noise_of_sampled_pstats(self):
        """3.15's profiling.sampling: (samples in it, samples with it, self, total, callers) and a mark."""
        def write(path, slow, fast, mark):
            stats = {("app.py", 1, "main"): (0, slow + fast, 0.0, 0.001 * (slow + fast), {}),
                     ("app.py", 5, "fast"): (fast, fast, 0.001 * fast, 0.001 * fast, {("app.py", 1, "main"): fast}),
                     ("app.py", 9, "slow"): (slow, slow, 0.001 * slow, 0.001 * slow, {("app.py", 1, "main"): slow}), **mark}
            path.write_bytes(marshal.dumps(stats))
        gate = ("--fail-if", "function(fast).self > 0%")
        for mark, noisy in (({("__sampled__",): True}, True), ({}, False)):
            write(self.old, 100, 400, mark)
            write(self.new, 300, 404, mark)
            rows = {row["function"]: row for row in self.rows("diff", self.old, self.new, "--no-cache")["rows"]}
            self.assertEqual([rows[name]["noise"] for name in ("fast", "slow", "main")], [noisy, False, False])
            self.assertEqual("count_old" in rows["fast"], noisy)
            self.run_tool("diff", self.old, self.new, "--no-cache", *gate, status=0 if noisy else 1)
            self.run_tool("diff", self.old, self.new, "--no-cache", "--noise", *gate, status=1)
            text = self.run_tool("diff", self.old, self.new, "--no-cache").stdout.decode()
            self.assertEqual("within chance" in text, noisy)

    def test_hostile_gate(self):
        name = "f<script>alert(1)</script>|`x`\x1b[31m"
        for form in ("junit", "md", "text", "json"):
            run = self.run_tool("diff", self.old, self.new, "--no-cache", "--format", form, "--fail-if", f"function({name}) < 1",
                                status=1)
            self.assertNotIn(b"\x1b", run.stdout + run.stderr, form)
            if form == "junit":
                xml.fromstring(run.stdout)
        page = self.folder / "page.html"
        self.run_tool("diff", self.old, self.new, "-o", page, "--fail-if", f"function({name}) < 1", status=1)
        self.assertNotIn("<script>alert", page.read_text())

    def test_report_gates(self):
        page = self.folder / "report.html"
        self.run_tool("report", self.new, "-o", page, "--fail-if", "function(slow) > 30%", status=1)
        self.assertIn("FAILED", page.read_text())
        page.unlink()
        self.run_tool("report", self.new, "-o", page, "--fail-if", "function(slow) > 40%")
        self.run_tool("report", self.new, "-o", page, "--fail-if", "function(slow) > +1", status=2)

    def test_report_redacts_source_lines(self):
        """Literals stand in the text of a line: --redact leaves it out."""
        root = self.folder / "root" / "srv" / "shop"
        root.mkdir(parents=True)
        (root / "orders.py").write_text("".join("password = 'hunter2'  # line %d\n" % line for line in range(1, 100)))
        page = self.folder / "report.html"
        words = ("report", DATA / "profiles" / "tracemalloc-3.12.pickle", "--sysroot", self.folder / "root", "-o", page, "--no-cache")
        self.run_tool(*words)
        self.assertIn("hunter2", page.read_text())
        self.run_tool(*words, "--redact")
        self.assertNotIn("hunter2", page.read_text())

    def test_not_readable(self):
        noise = self.folder / "noise"
        noise.write_bytes(bytes(range(256)) * 4)
        for words in (("diff", self.old, self.folder / "none"), ("diff", noise, self.new), ("trend", self.old, self.new, noise),
                      ("report", noise, "-o", self.folder / "x.html")):
            run = self.run_tool(*words, status=3)
            self.assertEqual(run.stdout, b"")
        self.run_tool("diff", self.old, status=2)
        self.run_tool("trend", self.old, self.new, status=2)

    def test_not_writable(self):
        for words in (("diff", self.old, self.new), ("trend", self.old, self.new, self.old, "--times", "0,1,2"), ("report", self.old)):
            self.run_tool(*words, "-o", self.folder / "none" / "x.html", status=4)
        self.assertFalse((self.folder / "none").exists())

    # ---- trend

    def trend_files(self):
        paths = []
        for hour, leak in enumerate((100, 110, 121, 133)):
            path = self.folder / f"hour{hour}.txt"
            path.write_text(f"main (app.py:1);leak (app.py:5) {leak}\nmain (app.py:1);saw (app.py:9) {50 + 40 * (hour % 2)}\n"
                            f"main (app.py:1);once (app.py:12) {10 if hour < 2 else 200}\nmain (app.py:1);same (app.py:20) 7\n")
            paths.append(path)
        return paths

    def test_trend(self):
        paths = self.trend_files()
        times = ("--times", "0,3600,7200,10800")
        answer = self.rows("trend", *paths, *times, "--no-cache")
        rows = {row["function"]: row for row in answer["rows"]}
        self.assertEqual(answer["rows"][0]["function"], "leak")
        self.assertEqual({name: row["shape"] for name, row in rows.items() if name != "main"},
                         {"leak": "steady growth", "saw": "up and down", "once": "one step", "same": "unchanged"})
        self.assertAlmostEqual(rows["leak"]["growth_per_hour"], 11, places=9)
        self.assertEqual(rows["leak"]["values"], [100, 110, 121, 133])
        shuffled = self.rows("trend", paths[2], paths[0], paths[3], paths[1], "--times", "7200,0,10800,3600", "--no-cache")
        self.assertEqual(shuffled["rows"], answer["rows"])
        for gate, status in (("growth(leak) > 10%/h", 1), ("growth(leak) > 12%/h", 0), ("growth(leak) > 10/h", 1),
                             ("growth(function(leak).self) > 11.5/h", 0), ("growth(shop.nothing) > 0/h", 0), ("growth(nothing) > 0/h", 2),
                             ("growth(nothing(leak)) > 0/h", 2), ("total > 100%", 1)):
            self.run_tool("trend", *paths, *times, "--no-cache", "--fail-if", gate, status=status)
        for wrong in ("0,1", "0,1,2,3,4", "0,1,2,soon", "0,1,2,nan", "0,1,1,2"):
            self.run_tool("trend", *paths, "--times", wrong, "--no-cache", status=2)
        self.run_tool("trend", *paths, *times, "--by", "type", status=2)
        dates = ("--times", "2026-01-01T00:00:00Z,2026-01-01 01:00,2026-01-01 02:00:00,2026-01-01 03:00")
        self.assertEqual(self.rows("trend", *paths, *dates, "--no-cache")["rows"], answer["rows"])
        for ending in ("html", "csv", "md", "txt", "xml"):
            self.run_tool("trend", *paths, *times, "-o", self.folder / ("trend." + ending))
        with open(self.folder / "trend.csv") as file:
            table = list(csv.DictReader(file))
        self.assertEqual([(row["function"], row["shape"], float(row["growth_per_hour"]), float(row["last"])) for row in table],
                         [(row["function"], row["shape"], row["growth_per_hour"], row["values"][-1])
                          for row in answer["rows"]])

    def test_trend_without_gnuplot(self):
        """The page says so and keeps the table."""
        paths = self.trend_files()
        page = self.folder / "trend.html"
        empty = self.folder / "empty"
        empty.mkdir()
        run = subprocess.run([INQUEST, "trend", *map(str, paths), "--times", "0,3600,7200,10800", "-o", str(page), "--no-cache"],
                             env={"PATH": str(empty)}, capture_output=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        text = page.read_text()
        self.assertIn("gnuplot", re.sub("<script.*?</script>|<style.*?</style>", "", text, flags=re.S))
        self.assertIn("leak", text)
        self.assertNotIn("<polyline", text)

    def test_help_metrics(self):
        text = self.run_tool("help", "metrics").stdout.decode()
        for metric in ("total", "function(FUNCTION)", "retained(TYPE)", "garbage_cycles", "growth("):
            self.assertIn(metric.split("(")[0], text)


if __name__ == "__main__":
    INQUEST, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *(f"Compare.{name}" for name in sys.argv[3:])], verbosity=1)
