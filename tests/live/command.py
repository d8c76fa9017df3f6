"""The command line that tests of one core a Python have in common."""
import argparse
import pathlib
import time

import checks
import deaths
import pythons
import tool


def run(document, what, check_python, add_arguments=None):
    """Runs `check_python(inquest, python, options)`, which yields Results, for each Python here; the exit status.

    `what` names the test where the kernel writes no core; `document` is its --help. `options.pythons` are all that
    were found."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", action="append", default=[], metavar="PATH")
    parser.add_argument("--differences", type=int, default=12, metavar="N", help="shown for each group")
    if add_arguments:
        add_arguments(parser)
    options = parser.parse_args()
    began = time.monotonic()
    options.pythons, absent = pythons.find(options.python)
    results = [checks.Result("CPython %s" % series, "", skipped="no such Python here") for series in absent]
    reason = deaths.kernel_writes_cores()
    if reason:
        results.append(checks.Result(what, "", skipped="the kernel writes no core here: %s" % reason))
        options.pythons = []
    for result in results:
        print(*result.lines(0), sep="\n")
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    for python in options.pythons:
        for result in check_python(inquest, python, options):
            results.append(result)
            print(*result.lines(options.differences), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)
