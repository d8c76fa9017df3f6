#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inquest flamegraph --treemap: its sums are statistics('filename') and statistics('lineno') as each CPython recorded
them, its picture is a tree of boxes.

    tests/cli/test_treemap.py --inquest BUILD/reports/inquest
"""
import collections
import gzip
import json
import marshal
import pathlib
import re
import tempfile
import unittest
import xml.etree.ElementTree as ET

from recordings_line import CORE, PROFILES, inquest, main

SNAPSHOT, STATS = PROFILES / "tracemalloc-3.12.pickle", PROFILES / "pstats-3.12-cprofile.prof"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script>\x1b[31m]]>\"'&\u202e"


def treemap(*words):
    return json.loads(inquest("flamegraph", *words, "--treemap", "--format", "json").stdout)


def shown(name):
    """What is no UTF-8 is shown by its bytes."""
    return name.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")


class Treemap(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inquest-treemap-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def picture(self, *words):
        path = self.folder / "x.svg"
        inquest("flamegraph", *words, "--treemap", "-o", path)
        return ET.parse(path).getroot()

    def check_tree(self, answer):
        """Every node is the sum of what is in it, and siblings stand in order."""
        rows = answer["rows"]
        levels = ("all", "package", "file", "line", "function")
        below = collections.defaultdict(list)
        for row in rows[1:]:
            self.assertLess(row["parent"], row["id"])
            self.assertEqual(min(levels.index(row["level"]), 3), levels.index(rows[row["parent"]]["level"]) + 1)
            below[row["parent"]].append(row)
        for number, children in below.items():
            self.assertEqual(sum(child["count"] for child in children), rows[number]["count"])
            self.assertAlmostEqual(sum(child["value"] for child in children) / (rows[number]["value"] or 1),
                                   1 if rows[number]["value"] else 0, places=9)
            values = [child["value"] for child in children]
            self.assertEqual(values, sorted(values, reverse=True))
        return rows

    def test_sums_are_tracemallocs(self):
        checked = 0
        for truth_path in sorted(PROFILES.glob("tracemalloc-*.pickle.truth.json.gz")):
            truth = json.loads(gzip.open(truth_path).read())["statistics"]
            path = truth_path.with_name(truth_path.name.removesuffix(".truth.json.gz"))
            with self.subTest(path.name):
                rows = self.check_tree(treemap(path))
                files = {row["file"]: (row["size"], row["count"]) for row in rows if row["level"] == "file"}
                lines = {(row["file"], row["line"]): (row["size"], row["count"]) for row in rows if row["level"] == "line"}
                self.assertEqual(files, {shown(frames[0][0]): (size, count) for size, count, frames in truth["filename"]})
                self.assertEqual(lines, {(shown(frames[0][0]), frames[0][1] or None): (size, count)
                                         for size, count, frames in truth["lineno"]})
                self.assertEqual(rows[0]["size"], sum(size for size, _, _ in truth["filename"]))
                self.assertEqual(rows[0]["count"], sum(count for _, count, _ in truth["filename"]))
                checked += len(lines)
        self.assertGreater(checked, 100)

    def test_by_count(self):
        answer = treemap(SNAPSHOT, "--by", "count")
        self.assertEqual(answer["unit"], "blocks")
        rows = self.check_tree(answer)
        self.assertEqual([row["value"] for row in rows], [row["count"] for row in rows])
        self.assertEqual(sorted(row["size"] for row in rows), sorted(row["size"] for row in treemap(SNAPSHOT)["rows"]))

    def test_other_recordings(self):
        for path in (STATS, PROFILES / "pyspy" / "raw.txt", PROFILES / "pyspy" / "speedscope-0.4.2.json",
                     PROFILES / "pyspy" / "flamegraph-pl.svg"):
            with self.subTest(path.name):
                rows = self.check_tree(treemap(path))
                hot = json.loads(inquest("hotspots", path, "--by", "file", "--format", "json").stdout)
                self.assertAlmostEqual(rows[0]["value"], hot["total"], places=9)
                own = {row["file"]: row["self"] for row in hot["rows"] if row["self"]}
                for row in rows:
                    if row["level"] == "file" and row["file"] and row["value"]:
                        self.assertAlmostEqual(row["value"], own[row["file"]], places=9)
                leaves = {row["level"] for row in rows if row["level"] not in ("all", "package", "file")}
                self.assertLessEqual(leaves, {"function", "line"})

    def test_several(self):
        once, twice = treemap(SNAPSHOT, "--by", "count"), treemap(SNAPSHOT, SNAPSHOT, "--by", "count")
        self.assertEqual([2 * row["value"] for row in once["rows"]], [row["value"] for row in twice["rows"]])
        self.assertEqual(twice["inputs"], [str(SNAPSHOT)] * 2)

    def test_picture(self):
        root = self.picture(SNAPSHOT, "--by", "count")
        self.assertEqual(root.find(SVG + "title").text, "tracemalloc-3.12.pickle: memory that Python allocated, by where")
        self.assertIn("Each area is as large", root.find(SVG + "desc").text)
        cells = [group for group in root.iter(SVG + "g") if "t" in group.get("class", "").split()]
        self.assertGreater(len(cells), 20)
        areas = {}
        for cell in cells:
            title, rect = cell.find(SVG + "title").text.split("\n"), cell.find(SVG + "rect")
            areas[tuple(title)] = [float(rect.get(name)) for name in ("x", "y", "width", "height")]
            x, y, width, height = areas[tuple(title)]
            self.assertGreaterEqual(x, 12)
            self.assertLessEqual(x + width, 1188.001)
            self.assertLessEqual(y + height, 66 + 660.001)
        words = " ".join(text.text for text in root.iter(SVG + "text"))
        for word in ("orders.py", "profile_truth.py", "blocks", "stdlib", "(no file)", "%"):
            self.assertIn(word, words)
        # of one file, blocks and square pixels have one ratio
        ratios = [width * height / int(title[1].split()[0].replace(",", "")) for title, (_, _, width, height) in areas.items()
                  if title[0].startswith("line ") and title[2].startswith("/srv/shop/orders.py:")]
        self.assertGreater(len(ratios), 5)
        for ratio in ratios:
            self.assertAlmostEqual(ratio / ratios[0], 1, places=3)
        self.assertFalse(list(root.iter(SVG + "script")))

    def test_short_names(self):
        """Where a name has no room, the part of it that tells most."""
        path = self.folder / "names.prof"
        wide, narrow = "<built-in method posix.stat>", "<method 'append' of 'list' objects>"
        stats = {("~", 0, wide): 60.0, ("~", 0, narrow): 9.0, ("/srv/a/pack/__init__.py", 1, "f"): 2.0,
                 ("/srv/a/pack/__init__.py", 9, "g"): 2.0, ("/srv/a/deep/inside/of/it.py", 1, "h"): 4.0}
        path.write_bytes(marshal.dumps({key: (1, 1, time, time, {}) for key, time in stats.items()}, 2))
        root = self.picture(path)
        words = [text.text for text in root.iter(SVG + "text")]
        titles = "\n".join(title.text for title in root.iter(SVG + "title"))
        self.assertIn(wide, words)
        self.assertIn("list.append", words)
        self.assertIn(narrow, titles)
        self.assertIn("it.py h", words)
        self.assertIn("pack/__init__.py", titles)

    def test_same_bytes_each_time(self):
        first = inquest("flamegraph", SNAPSHOT, "--treemap", "--format", "svg", status=2)
        self.assertIn(b"svg", first.stderr)
        paths = [self.folder / name for name in ("a.svg", "b.svg")]
        for path in paths:
            inquest("flamegraph", SNAPSHOT, "--treemap", "-o", path)
        self.assertEqual(paths[0].read_bytes(), paths[1].read_bytes())

    def test_outline(self):
        text = inquest("flamegraph", SNAPSHOT, "--treemap", "--by", "count").stdout.decode()
        self.assertTrue(text.startswith("100.0 %"))
        self.assertRegex(text, r"\n +[\d.]+ % +\d+ blocks  +shop\n +[\d.]+ % +\d+ blocks +orders.py\n +[\d.]+ % +\d+ blocks +line \d+\n")

    def test_hostile_names(self):
        path = self.folder / "hostile.raw"
        path.write_text(f"main{HOSTILE} (/srv/a{HOSTILE}/x{HOSTILE}.py:1) 30\nother (/srv/b/y.py:3) 10\n")
        root = self.picture(path)
        self.assertFalse(list(root.iter(SVG + "script")))
        data = (self.folder / "x.svg").read_text()
        self.assertNotIn("\x1b", data)
        self.assertNotIn("\u202e", data)
        self.assertEqual(len(re.findall("<script", data)), 0)
        self.assertIn("\\x1b[31m", "".join(root.itertext()))
        page = self.folder / "x.html"
        inquest("report", path, "-o", page)
        self.assertNotIn("<script>alert", page.read_text())

    def test_report(self):
        page = self.folder / "x.html"
        for path, present in ((SNAPSHOT, True), (STATS, False)):
            inquest("report", path, "-o", page)
            self.assertEqual('<section id="treemap">' in page.read_text(), present)
            self.assertEqual('<a href="#treemap">' in page.read_text(), present)
            self.assertLess(page.stat().st_size, 2 << 20)

    def test_nothing(self):
        root = self.picture(PROFILES / "tracemalloc-3.12-empty.pickle")
        self.assertIn("There is nothing to show.", "".join(root.itertext()))

    def test_what_is_wrong_is_said(self):
        cases = [
            ([SNAPSHOT, "--icicle"], "it has no --icicle"),
            ([SNAPSHOT, "--reverse"], "it has no --reverse"),
            ([SNAPSHOT, "--by", "thread"], "--by takes function, line or count with --treemap"),
            ([CORE], "--treemap is for recordings"),
        ]
        for words, message in cases:
            with self.subTest(message):
                self.assertIn(message, inquest("flamegraph", *words, "--treemap", status=2).stderr.decode())
        self.assertIn(b"no option --treemap", inquest("hotspots", SNAPSHOT, "--treemap", status=2).stderr)


if __name__ == "__main__":
    main(__doc__)
