#!/usr/bin/env python3
"""Each Python here fills a zoo and dies; what inquest says of every object must be what that process said itself.

    tests/live/zoo_run.py --inquest build/reports/inquest [--dump build/tests/analyzer/references_dump] [--python …]

With --dump, references are also compared kind by kind, with and without the binaries of the dead process.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import deaths
import pythons
import zoo_check


def die(python, folder):
    """The core and the truth of a zoo; raises deaths.Failed."""
    variables = deaths.environment(folder / "truth.gz", "abort")
    return die_of([python.path, str(deaths.PROGRAMS / "zoo.py")], variables, folder)


def die_of(command, variables, folder):
    """As die(), of a command that fills a zoo: its truth will be `folder`/truth.gz."""
    truth, log = folder / "truth.gz", folder / "output.txt"
    with open(log, "wb") as output:
        process = subprocess.Popen([*deaths.ALLOW_CORES, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output, env=variables)
        try:
            process.wait(timeout=deaths.TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise deaths.Failed("still alive after %d s" % deaths.TIMEOUT) from None
    cores = sorted(folder.glob("core*"))
    if not cores or not truth.exists():
        raise deaths.Failed("no core or no truth: " + log.read_text(errors="replace")[-500:])
    return cores[0], zoo_check.Truth(truth)


def reports(options, core, truth):
    yield "index", zoo_check.check_index(options.inquest, core, truth)
    if options.dump:
        yield "references", zoo_check.check(options.dump, core, truth)
        yield "references without binaries", zoo_check.check(options.dump, core, truth, ["--no-files"])


def check(options, python):
    """How many differences there were, None where no core could be had."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-zoo-"))
    wrong = 0
    try:
        core, truth = die(python, folder)
        for name, report in reports(options, core, truth):
            wrong += report.print("%s %s" % (python.label, name))
    except (deaths.Failed, subprocess.SubprocessError) as error:
        print("%s: FAILED: %s" % (python.label, error))
        wrong = 1
    finally:
        shutil.rmtree(folder)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PROGRAM")
    parser.add_argument("--dump", metavar="PROGRAM")
    parser.add_argument("--python", action="append", default=[], metavar="PATH")
    options = parser.parse_args()
    why = deaths.kernel_writes_cores()
    if why:
        print("skipped: the kernel writes no core into the working folder (%s)" % why)
        return 0
    found, absent = pythons.find(options.python)
    for series in absent:
        print("CPython %s: no such Python here" % series)
    return 1 if sum([check(options, python) for python in found]) else 0


if __name__ == "__main__":
    sys.exit(main())
