#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the seeds of fuzz_pickle and fuzz_marshal: tests/fuzz/make_profiles.py FOLDER, where corpus/ is."""
import marshal
import os
import pathlib
import pickle
import sys
import tracemalloc


class Evil:
    def __reduce__(self):
        return os.system, ("id",)


def traces(count, with_total):
    stacks = [tuple(("/srv/%s.py" % "abc"[(i + j) % 3], 10 * i + j) for j in range(1 + i % 5)) for i in range(7)]
    for i in range(count):
        stack = stacks[i * 5 % 7]
        yield (i % 3 * 7, 100 ** (i % 7), stack) + (len(stack) + i % 2,) * with_total


def pickles():
    old = tracemalloc.Snapshot(list(traces(20, False)), 1)
    new = tracemalloc.Snapshot(list(traces(40, True)), 5)
    new.note = {"when": 1.5, "who": [None, True, b"x", {1, 2}, frozenset("a"), (1, "b"), 1 << 80]}
    for protocol in (2, 3, 4, 5):
        yield "new%d" % protocol, pickle.dumps(new, protocol)
    yield "old", pickle.dumps(old, 5)
    yield "tuple", pickle.dumps(tracemalloc.Snapshot(tuple(traces(3, True)), 5), 4)
    yield "wide", pickle.dumps(tracemalloc.Snapshot([(4294967295, 2 ** 64 - 1, (("\udc80é", 2 ** 31 - 1),), 1)], 5), 5)
    yield "evil", pickle.dumps(Evil(), 4)
    yield "text", pickle.dumps(old, 0)
    yield "deep", b"\x80\x04" + b"(" * 300 + b"t" * 300 + b"."
    yield "memo", b"\x80\x02Nr\xff\xff\xff\x7f."
    yield "later", b"\x80\x04]\x94(X\x01\0\0\0ah\0K\1K\1h\0K\1t\x94e."


def profiles():
    f, g, h = ("a.py", 1, "f"), ("a.py", 2, "g"), ("~", 0, "<built-in method builtins.len>")
    calls = {f: (1, 1, .5, .75), g: (3, 2, .25, .25)}
    plain = {f: (1, 2, .5, .75, calls), g: (2, 2, 1.5, 3.0, {f: (2, 1, 1.0, 2.0)}), h: (5, 5, .1, .1, {g: (5, 5, .1, .1)})}
    for version in range(5):
        yield "plain%d" % version, marshal.dumps(plain, version)
    yield "shared", marshal.dumps({f: (1, 1, .5, .5, calls), g: (1, 1, .5, .5, calls)})
    yield "counts", marshal.dumps({("profile", 0, "profiler"): (0, 0, 0, 0, {}), f: (1, 1, 0.5, 1, {g: 1, h: 40000})})
    code = compile("def f():\n    return [i for i in (1, 2.5, 'x', b'y', 3j, ...)]", "a.py", "exec")
    yield "code", marshal.dumps({("profile", 0, code): (1, 1, .5, .5, {}), f: (1, 1, .5, .5, {("profile", 0, code): 1})})
    yield "sampled", marshal.dumps({("__sampled__",): True, f: (1, 2, .1, .2, {g: 3})})
    yield "wide", marshal.dumps({f: (1 << 62, -(1 << 63), 1 << 70, -1.5, {})})
    yield "other", marshal.dumps({f: (1, 1, 1.0, 1.0, {}), g: [1, {2}, frozenset((3,)), {4: 5}]})
    yield "empty", marshal.dumps({})


def main():
    folder = pathlib.Path(sys.argv[1]) / "corpus"
    for name, rows in (("pickle", pickles()), ("marshal", profiles())):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for seed, data in rows:
            (folder / name / seed).write_bytes(data)


if __name__ == "__main__":
    main()
