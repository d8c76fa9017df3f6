#!/usr/bin/env python3
"""Each Python here runs a small service that leaks in one of the known ways, and dies; inquest must name what leaks.

    tests/live/leaks.py --inquest build/reports/inquest [--python PATH] [--only SCENARIO] [--quick] [--keep FOLDER]

The bytes that it keeps were computed by the service itself, by a search that goes around it (programs/leaks/truth.py).
"""
import argparse
import concurrent.futures
import json
import pathlib
import shutil
import sys
import tempfile
import time

import checks
import deaths
import leaks_check
import leaks_forms
import pythons
import tool

SCENARIOS = ("module_dict module_list module_set class_attribute lru_unbounded lru_bounded closure thread_local "
             "frame_variable logging_handler at_exit signal_handler event_loop_ready event_loop_scheduled "
             "traceback_frames gc_garbage queue_items instance_attribute chain blob coroutine context_variable "
             "shared_by_two many_holders extension garbage interned two_leaks healthy").split()
TRIES = 3
QUICK = "module_dict lru_bounded shared_by_two extension garbage healthy".split()


def check(inquest, python, scenario, keep):
    name = "%s %s" % (python.label, scenario)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-leaks-"))
    try:
        command = [python.path, str(deaths.PROGRAMS / "leaks" / "main.py"), scenario, str(folder / "truth.json")]
        for _ in range(TRIES):
            for core in folder.glob("core*"):
                core.unlink()
            death = deaths.die(command, "abort", folder)
            answer = inquest.json("leaks", death.core)
            differences = list(leaks_check.differences(death.truth, answer))
            # a stale word of C memory can seem to hold some of the objects too: another process has it elsewhere
            if not differences or not all(leaks_check.is_size(one) for one in differences):
                break
        if scenario == "module_dict" and not differences:
            differences += leaks_forms.differences(inquest, death.core, folder, answer)
        if keep:
            shutil.copytree(folder, keep / name.replace("/", "_").replace(" ", "-"))
        fingerprints = {row["fingerprint"] for row in answer["rows"] if row["kind"] in ("single", "group")}
        return scenario, fingerprints, checks.Result(name, "%d suspects" % len(answer["rows"]), differences)
    except (deaths.Failed, tool.Refused, ValueError) as error:
        return scenario, None, checks.Result(name, "no answer", [str(error)])
    finally:
        shutil.rmtree(folder)


def stability(fingerprints):
    """A suspect's fingerprint is the same under each Python."""
    for scenario, found in sorted(fingerprints.items()):
        different = {frozenset(one) for _, one in found}
        if len(different) > 1:
            yield checks.Result("fingerprint %s" % scenario, "", ["%s: %s" % (label, sorted(one)) for label, one in found])
        else:
            yield checks.Result("fingerprint %s" % scenario, "the same in %d" % len(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--python", action="append", default=[], metavar="PATH")
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO")
    parser.add_argument("--quick", action="store_true", help="the scenarios that the test command runs")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    why = deaths.kernel_writes_cores()
    if why:
        print("skipped: the kernel writes no core into the working folder (%s)" % why)
        return 0
    began = time.monotonic()
    found, absent = pythons.find(options.python)
    results = [checks.Result("CPython %s" % series, "", skipped="no such Python here") for series in absent]
    for result in results:
        print(*result.lines(0), sep="\n")
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    scenarios = options.only or (QUICK if options.quick else SCENARIOS)
    fingerprints = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [(python, pool.submit(check, inquest, python, scenario, options.keep))
                for scenario in scenarios for python in found]
        for python, job in jobs:
            scenario, prints, result = job.result()
            if prints is not None:
                fingerprints.setdefault(scenario, []).append((python.label, prints))
            results.append(result)
            print(*result.lines(12), sep="\n", flush=True)
    for result in stability(fingerprints):
        results.append(result)
        if result.differences:
            print(*result.lines(12), sep="\n")
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
