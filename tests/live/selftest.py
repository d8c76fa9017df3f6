#!/usr/bin/env python3
"""Tests the comparison itself on shipped truths: what agrees passes, and each single change is found."""
import copy
import json
import pathlib
import sys
import unittest

import compare
from match import matches

TRUTHS = sorted((pathlib.Path(__file__).resolve().parents[2] / "testdata/cores").glob("*.truth.json"))


def agreeing_answer(truth):
    """What a faultless inquest would print."""
    rows = []
    for thread in truth["threads"]:
        frames = [dict(frame, depth=depth, kind="python", locals=[
            {"name": v["name"], "kind": v["kinds"][0], "type": v["type"], "address": v["address"],
             "value": v["values"][0].replace("\0", " ")} for v in frame["locals"]])
            for depth, frame in enumerate(thread["frames"])]
        exceptions = [dict(item, position=position, traceback=[
            dict(entry, depth=depth) for depth, entry in enumerate(item["traceback"])])
            for position, item in enumerate(thread["exceptions"])]
        rows.append({"os_tid": thread["native_id"], "ident": thread["ident"], "name": thread["name"],
                     "is_main": thread["is_main"], "holds_gil": thread["holds_gil"],
                     "is_crashed": thread["is_dying"] and truth["way"] != "gcore",
                     "frames": frames, "exceptions": exceptions})
    return copy.deepcopy({"rows": rows})


def differences(truth, answer):
    return [text for _, _, texts in compare.groups(truth, answer) for text in texts]


class Agreement(unittest.TestCase):
    def test_agreement(self):
        self.assertTrue(TRUTHS)
        for path in TRUTHS:
            truth = json.loads(path.read_text())
            self.assertEqual(differences(truth, agreeing_answer(truth)), [])

    def test_every_change_is_found(self):
        truth = json.loads(TRUTHS[0].read_text())
        count = 0
        for place, key in places(agreeing_answer(truth)):
            answer = agreeing_answer(truth)
            holder = answer
            for step in place:
                holder = holder[step]
            holder[key] = changed(holder[key])
            self.assertTrue(differences(truth, answer), (place, key))
            count += 1
        self.assertGreater(count, 100)


def places(node, place=()):
    """Every leaf of the last thread (the dying one) that is compared."""
    for row_key, row in list(enumerate(node["rows"]))[-1:]:
        base = place + ("rows", row_key)
        yield from ((base, key) for key in ("os_tid", "name", "is_main", "is_crashed", "holds_gil", "ident"))
        for f, frame in enumerate(row["frames"]):
            yield from ((base + ("frames", f), key) for key in ("function", "file", "line", "column"))
            for v, _ in enumerate(frame["locals"]):
                yield from ((base + ("frames", f, "locals", v), key)
                            for key in ("name", "kind", "type", "value", "address"))
        for e, item in enumerate(row["exceptions"]):
            yield from ((base + ("exceptions", e), key) for key in ("relation", "type", "message", "notes"))
            for t, _ in enumerate(item["traceback"]):
                yield from ((base + ("exceptions", e, "traceback", t), key)
                            for key in ("function", "file", "line", "column"))


def changed(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "x"
    return ["x"] if isinstance(value, list) else 12345678


class Matching(unittest.TestCase):
    def test_equal_and_not(self):
        self.assertTrue(matches("'a…'", "'a…'"))
        self.assertFalse(matches("'ab'", "'a'"))

    def test_gaps(self):
        self.assertTrue(matches("<\0lock\0 at 0x1\0>", "<_thread.lock at 0x1>"))
        self.assertFalse(matches("<\0at 0x1\0>", "<lock at 0x2>"))
        self.assertTrue(matches("[\0, 2]", "[anything, 2]"))

    def test_cuts(self):
        long = str(list(range(500)))
        self.assertTrue(matches(long, long[:200] + "…"))
        self.assertTrue(matches(long, long[:200] + "…]"))
        self.assertTrue(matches(long, long[:100] + "…" + long[-100:]))
        self.assertFalse(matches(long, long[:200] + "9…]"))
        self.assertFalse(matches(long, long[:200]))

    def test_short_values_are_never_cut(self):
        self.assertFalse(matches("[1, 2, 3]", "[1, …]"))
        self.assertTrue(matches("[[[[[[1]]]]]]", "[[[[[…]]]]]"))


if __name__ == "__main__":
    sys.exit(unittest.main())
