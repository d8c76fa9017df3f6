#!/usr/bin/env python3
"""Compares inquest's answers about shipped cores with the truth beside them. No Python of their versions is needed.

    tests/live/check_fixture.py --inquest build/reports/inquest [--dump build/tests/analyzer/references_dump] \\
        testdata/cores/*.core.*

Beside a core is NAME.truth.json (what the program did, see witness.py) or NAME.heap.xz (every object, see
zoo_packed.py). With --dump, references are also compared kind by kind.
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

import checks
import tool
import zoo_check

ENDINGS = (".lz4", ".gz", ".zst", ".core")


def beside(core, ending):
    stem = core
    while stem.suffix in ENDINGS:
        stem = stem.with_suffix("")
    return stem.with_name(stem.name + ending)


def check(inquest, dump, core):
    name = core.name.split(".core")[0]
    heap = beside(core, ".heap.xz")
    if heap.exists():
        yield from check_heap(inquest, dump, name, core, zoo_check.Truth(heap))
        return
    with tempfile.TemporaryDirectory(prefix="inquest-fixture-") as folder:
        truth = json.loads(beside(core, ".truth.json").read_text())
        yield from checks.of_core(inquest, name, core, truth, pathlib.Path(folder), True)


def check_heap(inquest, dump, name, core, truth):
    reports, damaged = [], set()
    if dump:
        reports.append(("references", zoo_check.check(dump, core, truth, ["--no-files"])))
        damaged = reports[0][1].damaged
    reports.append(("index", zoo_check.check_index(inquest.path, core, truth, damaged)))
    for what, report in reports:
        yield checks.Result("%s %s" % (name, what), report.summary(), list(report.differences()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--dump", metavar="PATH", help="the test program references_dump")
    parser.add_argument("--differences", type=int, default=12, metavar="N", help="shown for each group")
    parser.add_argument("cores", nargs="+", type=pathlib.Path, metavar="CORE")
    options = parser.parse_args()
    began = time.monotonic()
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    results = []
    for core in options.cores:
        for result in check(inquest, options.dump, core):
            results.append(result)
            print(*result.lines(options.differences), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
