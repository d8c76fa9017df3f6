#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inquest export: what it writes is what the recording says, and reads back as the same.

    tests/cli/test_export.py --inquest BUILD/reports/inquest [FILE...]

Collapsed stacks and speedscope's file are read back by inquest itself; pprof's is taken apart here, field by field.
"""
import collections
import gzip
import json
import pathlib
import tempfile
import unittest

from recordings_line import ROOT, inquest, main

FILES = []

FOLDED = """\
thread (11): main;run (app.py:3);work (lib/b.py:7) 5
thread (11): main;run (app.py:3) 2
thread (12);run (app.py:4);<native> (libc.so);caf\u00e9 (caf\u00e9.py:1) 9
"""


def rows(path, *options):
    answer = json.loads(inquest("hotspots", path, "--format", "json", "--limit", "0", *options).stdout)
    return answer, answer["rows"]


# ---- profile.proto

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            assert tag & 7 == 2, tag
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        yield tag >> 3, value


def packed(data):
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def by_number(data):
    made = collections.defaultdict(list)
    for number, value in fields(data):
        made[number].append(value)
    return made


class Pprof:
    """profile.proto, as far as a recording fills it."""

    def __init__(self, data):
        message = by_number(data)
        strings = [value.decode() for value in message[6]]
        assert strings[0] == ""
        self.types = [tuple(strings[by_number(value)[n][0]] for n in (1, 2)) for value in message[1]]
        functions = {}
        for value in message[5]:
            field = by_number(value)
            assert not field[3], "a system name, which pprof would demangle"
            functions[field[1][0]] = (strings[field[2][0]], strings[field[4][0]] if field[4] else "",
                                      field[5][0] if field[5] else 0)
        locations = {}
        for value in message[4]:
            field = by_number(value)
            line = by_number(field[4][0])
            locations[field[1][0]] = (functions[line[1][0]], line[2][0] if line[2] else 0)
        self.samples = []
        for value in message[2]:
            field = by_number(value)
            stack = [locations[number] for number in reversed(packed(field[1][0]) if field[1] else [])]
            labels = {}
            for label in map(by_number, field[3]):
                labels[strings[label[1][0]]] = strings[label[2][0]] if label[2] else label[3][0]
            self.samples.append((stack, packed(field[2][0]), labels))
        self.comments = [strings[number] for number in message[13]]


class Export(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inquest-export-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folded = self.folder / "a.raw"
        self.folded.write_text(FOLDED)

    def export(self, path, target, name):
        out = self.folder / name
        inquest("export", path, "--to", target, "-o", out)
        return out

    def same_rows(self, first, second):
        for by in ("line", "function", "file", "thread"):
            one, other = rows(first, "--by", by), rows(second, "--by", by)
            self.assertEqual(one[1], other[1], by)
            self.assertEqual(one[0]["total"], other[0]["total"])

    def test_collapsed_reads_back(self):
        out = self.export(self.folded, "collapsed", "b.txt")
        self.assertEqual(sorted(out.read_text().splitlines()), sorted(FOLDED.splitlines()))
        self.same_rows(self.folded, out)

    def test_collapsed_keeps_bytes_that_are_no_text(self):
        path, out, index = self.folder / "bytes.raw", self.folder / "out.raw", self.folder / "bytes.index"
        lines = b"main (/srv/\xff\xfe.py:1);caf\xe9 (b.py:2) 3\nmain (/srv/\xff\xfe.py:1);\xed\xb3\xbf 4\n"
        path.write_bytes(lines)
        inquest("load", path, "-o", index)
        for source in (path, index):
            inquest("export", source, "--to", "collapsed", "-o", out)
            self.assertEqual(sorted(out.read_bytes().splitlines()), sorted(lines.splitlines()))

    def test_the_only_process_or_thread_is_kept(self):
        path = self.folder / "one.raw"
        for text in ('process 4:"python x.py";main (a.py:1) 10\n', "thread (7): worker;main (a.py:1) 3\n"):
            path.write_text(text)
            self.assertEqual(inquest("export", path, "--to", "collapsed").stdout.decode(), text)
        path.write_text("P1;T2;main.py:main:3;main.py:work:5 1500\n")
        self.assertEqual(inquest("export", path, "--to", "collapsed").stdout.decode(),
                         "thread (2): P1:T2;main (main.py:3);work (main.py:5) 1500\n")

    def test_times_are_whole_microseconds(self):
        path = ROOT / "testdata" / "profiles" / "pstats-3.12-cprofile.prof"
        lines = inquest("export", path, "--to", "collapsed").stdout.decode().splitlines()
        total = sum(int(line.rpartition(" ")[2]) for line in lines)
        seconds = rows(path)[0]["total"]
        self.assertAlmostEqual(total / 1e6, seconds, delta=seconds * 0.05)

    def test_speedscope_reads_back(self):
        out = self.export(self.folded, "speedscope", "b.json")
        document = json.loads(out.read_text())
        self.assertEqual(document["$schema"], "https://www.speedscope.app/file-format-schema.json")
        stacks = collections.Counter()
        for profile in document["profiles"]:
            self.assertEqual(len(profile["samples"]), len(profile["weights"]))
            self.assertEqual(sum(profile["weights"]), profile["endValue"])
            for sample, weight in zip(profile["samples"], profile["weights"]):
                stacks[tuple(document["shared"]["frames"][i]["name"] for i in sample)] += weight
        self.assertEqual(stacks, {("run", "work"): 5, ("run",): 2, ("run", "<native>", "caf\u00e9"): 9})
        first, second = rows(self.folded, "--by", "line"), rows(out, "--by", "line")
        self.assertEqual([(row["function"], row["line"], row["self"], row["total"]) for row in first[1]],
                         [(row["function"], row["line"], row["self"], row["total"]) for row in second[1]])

    def test_pprof_is_a_profile(self):
        data = self.export(self.folded, "pprof", "b.pb.gz").read_bytes()
        self.assertEqual(data[:2], b"\x1f\x8b")
        self.assertEqual(data[4:8], bytes(4), "a time would make each file another")
        profile = Pprof(gzip.decompress(data))
        self.assertEqual(profile.types[0], ("samples", "count"))
        found = {tuple(function[0] for function, _ in stack): (values, labels)
                 for stack, values, labels in profile.samples}
        self.assertEqual(found["run", "work"][0][1], 5)
        self.assertEqual(found["run", "work"][1], {"thread": "thread (11): main", "thread_id": 11})
        self.assertEqual(found["run", "<native>", "caf\u00e9"][0][1], 9)
        lines = {stack[-1]: values[1] for stack, values, _ in profile.samples}
        self.assertEqual(lines[("work", "lib/b.py", 0), 7], 5)
        self.assertEqual(profile.comments, [])

    def test_same_bytes_each_time(self):
        for target in ("collapsed", "speedscope", "pprof"):
            first = inquest("export", self.folded, "--to", target).stdout
            self.assertEqual(first, inquest("export", self.folded, "--to", target).stdout)

    def test_an_index_exports_the_same(self):
        index = self.folder / "a.index"
        inquest("load", self.folded, "-o", index)
        for target in ("collapsed", "pprof"):
            self.assertEqual(inquest("export", index, "--to", target).stdout,
                             inquest("export", self.folded, "--to", target).stdout)

    def test_semicolons_do_not_split_frames(self):
        document = {"$schema": "https://www.speedscope.app/file-format-schema.json",
                    "shared": {"frames": [{"name": "a;b\n 7"}]},
                    "profiles": [{"type": "sampled", "name": "x", "unit": "seconds", "startValue": 0, "endValue": 1,
                                  "samples": [[0]], "weights": [0.015]}]}
        path = self.folder / "a.json"
        path.write_text(json.dumps(document))
        self.assertEqual(inquest("export", path, "--to", "collapsed").stdout.decode(), "a:b\\n 7 15000\n")

    def test_what_is_wrong_is_said(self):
        self.assertIn(b"--to FORMAT", inquest("export", self.folded, status=2).stderr)
        self.assertIn(b"takes one of collapsed", inquest("export", self.folded, "--to", "svg", status=2).stderr)

    def test_snapshots(self):
        path = ROOT / "testdata" / "profiles" / "tracemalloc-3.12.pickle"
        profile = Pprof(gzip.decompress(self.export(path, "pprof", "t.pb.gz").read_bytes()))
        self.assertEqual(profile.types, [("objects", "count"), ("space", "bytes")])
        traces, _ = rows(path)
        self.assertEqual(sum(values[0] for _, values, _ in profile.samples), traces["count"])
        ours = {tuple((file, line) for (_, file, _), line in stack): values[0] for stack, values, _ in profile.samples}
        theirs = {tuple((frame["file"], frame["line"]) for frame in row["frames"]): row["count"]
                  for row in rows(path, "--by", "traceback")[1]}
        self.assertEqual(ours, theirs)

    def test_pstats_are_said_to_be_estimated(self):
        path = ROOT / "testdata" / "profiles" / "pstats-3.12-cprofile.prof"
        run = inquest("export", path, "--to", "pprof")
        self.assertIn(b"estimated from caller/callee totals", run.stderr)
        profile = Pprof(gzip.decompress(run.stdout))
        self.assertEqual(profile.comments, ["estimated from caller/callee totals"])
        self.assertEqual(profile.types[1], ("time", "nanoseconds"))
        answer, functions = rows(path)
        seconds = sum(values[1] for _, values, _ in profile.samples) / 1e9
        self.assertAlmostEqual(seconds, answer["total"], delta=answer["total"] * 0.05)


class Real(unittest.TestCase):
    """Recordings that are given: what comes back is what went out."""

    def test_each(self):
        for path in FILES:
            with self.subTest(path), tempfile.TemporaryDirectory() as folder:
                out = pathlib.Path(folder) / "out.txt"
                inquest("export", path, "--to", "collapsed", "-o", out)
                first, second = rows(path), rows(out)
                factor = {"seconds": 1e6, "milliseconds": 1e3}.get(first[0]["unit"], 1)
                total = first[0]["total"] * factor
                self.assertAlmostEqual(total, second[0]["total"], delta=abs(total) * 1e-6 + len(first[1]))
                self.assertEqual(len(first[1]) > 0, len(second[1]) > 0)


if __name__ == "__main__":
    main(__doc__, FILES.extend)
