#!/usr/bin/env python3
"""Damages copies of the shipped cores: cuts off their ends, ties their chains into loops. What inquest still shows
must be right, and what it leaves out must be said.

    tests/live/damage.py --inquest build/inquest [testdata/cores/*.core.lz4]
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import damage_core
import tool
from checks import Result, close

CORES = pathlib.Path(__file__).resolve().parents[2] / "testdata/cores"
SECONDS_MAX = 10
UNKNOWN = ("?", None)
GONE = re.compile(r"not in the core|unreadable|damaged|…")
ALL_FRAMES_AT = {1}  # per cent that can go without costing a frame: the main thread's C stack


class Case:
    """One shipped core: its plain bytes, and what inquest says of it whole."""

    def __init__(self, inquest, packed, folder):
        self.inquest, self.folder = inquest, folder
        self.name = packed.name.split(".core")[0]
        self.series = re.match(r"cpython-(3\.\d+)", self.name).group(1)
        plain = folder / "whole"
        subprocess.run(["lz4", "-d", "-q", "-f", packed, plain], check=True)
        self.plain = plain.read_bytes()
        self.elsewhere = folder / "no files"  # as if the dead process's files were on another machine
        self.elsewhere.mkdir()
        self.whole = self.ask(self.plain)
        self.fields = damage_core.fields(self.series)
        connection = inquest.load(plain, folder / "index")
        self.states = [row[0] for row in connection.execute(
            "SELECT state_address FROM thread WHERE is_python ORDER BY id")]
        connection.close()

    def ask(self, core):
        path = self.folder / "core"
        path.write_bytes(core)
        began = time.monotonic()
        answer = self.inquest.threads(path, "--sysroot", self.elsewhere)
        answer["seconds"] = time.monotonic() - began
        return answer

    def core(self):
        return damage_core.Core(self.plain)

    def result(self, name, counted, differences):
        return Result("%s %s" % (self.name, name), counted, differences)


# ---- What is shown of a damaged core must be in the answer to the whole one.

def thread_differences(row, whole):
    """Frames may lack, and words in them; none may be another."""
    remaining = iter(python_frames(whole))
    for frame in python_frames(row):
        twin = next((other for other in remaining if agree(frame, other)), None)
        if twin is None:
            yield "thread %s: %s line %s is no frame of it, or not in its place" % (
                row["os_tid"], frame["function"], frame["line"])
            return
        for text in local_differences(frame, twin):
            yield "thread %s: %s: %s" % (row["os_tid"], frame["function"], text)


def python_frames(row):
    return [frame for frame in row["frames"] if frame["kind"] == "python"]


def agree(frame, other):
    return all(frame[key] == other[key] or frame[key] in UNKNOWN
               for key in ("function", "file", "line", "column"))


def local_differences(frame, whole):
    values = {}
    for variable in whole.get("locals") or []:
        values.setdefault(variable["name"], []).append(variable)
    for variable in frame.get("locals") or []:
        twins = values.get(variable["name"], [])
        if variable["name"] == "?":
            continue
        if not twins:
            yield "%s is no variable of it" % variable["name"]
        elif not any(same_value(variable["value"], twin["value"]) for twin in twins):
            yield "%s is %s, not %s" % (variable["name"], variable["value"], twins[0]["value"])


def same_value(value, whole):
    return value == whole or GONE.search(value) or "?" in value or re.search(r"at 0x", value)


def frames_of(answer):
    return sum(len(python_frames(row)) for row in answer["rows"])


def answer_differences(case, answer):
    whole = {row["os_tid"]: row for row in case.whole["rows"]}
    for row in answer["rows"]:
        if row["os_tid"] in whole:
            yield from thread_differences(row, whole[row["os_tid"]])
        else:
            yield "there is no thread %s" % row["os_tid"]
    if answer["seconds"] > SECONDS_MAX:
        yield "it took %.1f s" % answer["seconds"]


# ---- Cuts.

def cuts(case):
    for percent in (1, 5, 50):
        core = case.plain[:len(case.plain) * (100 - percent) // 100]
        answer = case.ask(core)
        had, all_frames = frames_of(answer), frames_of(case.whole)
        differences = list(answer_differences(case, answer))
        if not any("cut short" in text for text in answer["warnings"]):
            differences.append("no warning says that it is cut short: %s" % answer["warnings"])
        if percent in ALL_FRAMES_AT and had != all_frames:
            differences.append("%d of %d frames" % (had, all_frames))
        if had and not all(row["frames"] or row.get("stack_note") or not row.get("is_python", True)
                           for row in answer["rows"]):
            differences.append("a thread without frames does not say why")
        yield case.result("without its last %d %%" % percent, "%d of %d frames" % (had, all_frames), differences)


# ---- Loops.

def previous_field(case):
    return case.fields["iframe_previous" if "iframe_previous" in case.fields else "frame_back"]


def looped(case, core, row, depth, back_to):
    """The frame at `depth` called by the one at `back_to`, which it called."""
    frames = python_frames(row)
    address = int(frames[depth]["address"], 16)
    core.set_word(address + previous_field(case), int(frames[back_to]["address"], 16))


def frame_loops(case):
    row = max(case.whole["rows"], key=lambda row: len(row["frames"]))
    last = len(python_frames(row)) - 1
    for depth, back_to in ((0, 0), (3, 3), (4, 1), (last, 0), (last, last), (last, last - 1)):
        core = case.core()
        looped(case, core, row, depth, back_to)
        answer = case.ask(core.bytes)
        differences = list(answer_differences(case, answer))
        shown = next(other for other in answer["rows"] if other["os_tid"] == row["os_tid"])
        names = [(frame["function"], frame["line"]) for frame in python_frames(shown)]
        wanted = [(frame["function"], frame["line"]) for frame in python_frames(row)[:depth + 1]]
        if names != wanted:
            differences.append("frames %s, not %s" % (names, wanted))
        if "circle" not in str(shown.get("stack_note")) or not any("circle" in text for text in answer["warnings"]):
            differences.append("it does not say that they run in a circle")
        if frames_of(answer) - len(names) != frames_of(case.whole) - len(python_frames(row)):
            differences.append("other threads have lost frames")
        yield case.result("frame %d called by frame %d" % (depth, back_to), "%d frames" % len(names), differences)


def thread_loop(case):
    core = case.core()
    core.set_word(case.states[0] + case.fields["thread_next"], case.states[0])
    answer = case.ask(core.bytes)
    differences = list(answer_differences(case, answer))
    if not any("threads" in text and "circle" in text for text in answer["warnings"]):
        differences.append("no warning: %s" % answer["warnings"])
    yield case.result("list of threads that is a loop", "%d frames" % frames_of(answer), differences)


def exception_loops(case):
    row = max(case.whole["rows"], key=lambda row: len(row["exceptions"]))
    first = int(row["exceptions"][0]["address"], 16)
    for field in ("exception_context", "exception_cause"):
        for position in range(len(row["exceptions"])):
            core = case.core()
            core.set_word(int(row["exceptions"][position]["address"], 16) + case.fields[field], first)
            answer = case.ask(core.bytes)
            differences = list(answer_differences(case, answer))
            shown = next(other for other in answer["rows"] if other["os_tid"] == row["os_tid"])["exceptions"]
            addresses = [item["address"] for item in shown]
            if len(set(addresses)) != len(addresses):
                differences.append("exceptions are there twice: %s" % addresses)
            if addresses[:1] != [row["exceptions"][0]["address"]]:
                differences.append("the first exception is gone")
            yield case.result("%s of %s is the first" % (field, row["exceptions"][position]["type"]),
                              "%d exceptions" % len(shown), differences)


def traceback_loop(case):
    row = max(case.whole["rows"], key=lambda row: len(row["exceptions"]))
    item = max(row["exceptions"], key=lambda item: len(item["traceback"]))
    core = case.core()
    first = core.word(int(item["address"], 16) + case.fields["exception_traceback"])
    second = core.word(first + case.fields["traceback_next"])
    core.set_word((second or first) + case.fields["traceback_next"], first)
    answer = case.ask(core.bytes)
    differences = list(answer_differences(case, answer))
    shown = next(other for row in answer["rows"] for other in row["exceptions"]
                 if other["address"] == item["address"])
    if len(shown["traceback"]) != (2 if second else 1):
        differences.append("%d entries" % len(shown["traceback"]))
    if not any("traceback" in text and "circle" in text for text in answer["warnings"]):
        differences.append("no warning: %s" % answer["warnings"])
    yield case.result("traceback that is a loop", "%d entries" % len(shown["traceback"]), differences)


CHECKS = (cuts, frame_loops, thread_loop, exception_loops, traceback_loop)


def check(inquest, packed):
    with tempfile.TemporaryDirectory(prefix="inquest-damage-") as folder:
        try:
            case = Case(inquest, packed, pathlib.Path(folder))
        except tool.Refused as error:
            yield Result(packed.name, "no answer", [str(error)])
            return
        for function in CHECKS:
            try:
                yield from function(case)
            except tool.Refused as error:
                yield case.result(function.__name__, "no answer", [str(error)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("cores", nargs="*", type=pathlib.Path, metavar="CORE")
    options = parser.parse_args()
    began = time.monotonic()
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    results = []
    for packed in options.cores or sorted(CORES.glob("*.core.lz4")):
        for result in check(inquest, packed):
            results.append(result)
            print(*result.lines(6), sep="\n", flush=True)
    return close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
