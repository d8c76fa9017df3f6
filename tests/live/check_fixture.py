#!/usr/bin/env python3
"""Compares inquest's answers about shipped cores with the truth beside them. No Python of their versions is needed.

    tests/live/check_fixture.py --inquest build/inquest testdata/cores/*.core.lz4
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

import checks
import tool

ENDINGS = (".lz4", ".gz", ".zst", ".core")


def truth_beside(core):
    stem = core
    while stem.suffix in ENDINGS:
        stem = stem.with_suffix("")
    return stem.with_name(stem.name + ".truth.json")


def check(inquest, core):
    with tempfile.TemporaryDirectory(prefix="inquest-fixture-") as folder:
        truth = json.loads(truth_beside(core).read_text())
        name = core.name.split(".core")[0]
        yield from checks.of_core(inquest, name, core, truth, pathlib.Path(folder), True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--differences", type=int, default=12, metavar="N", help="shown for each group")
    parser.add_argument("cores", nargs="+", type=pathlib.Path, metavar="CORE")
    options = parser.parse_args()
    began = time.monotonic()
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    results = []
    for core in options.cores:
        for result in check(inquest, core):
            results.append(result)
            print(*result.lines(options.differences), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
