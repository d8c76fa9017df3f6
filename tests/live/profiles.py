#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inquest hotspots beside CPython's tracemalloc and pstats: every number, every order, every byte of print_stats.

    tests/live/profiles.py --inquest BUILD/reports/inquest [--live] [testdata/profiles]

The files of testdata/profiles have beside them what the Python that wrote them said of them. With --live, new ones are
made by every Python of INQUEST_PYTHONS (paths with colons between) and by those that are found, and asked the same.
"""
import argparse
import concurrent.futures
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import checks
import pythons
from checks import Result

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKER = pathlib.Path(__file__).resolve().parent / "programs" / "profile_truth.py"
ENVIRONMENT = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}


class Asked:
    def __init__(self, inquest, folder):
        self.inquest, self.folder = inquest, folder

    def text(self, *words):
        run = subprocess.run([self.inquest, *map(str, words)], cwd=self.folder, env=ENVIRONMENT, capture_output=True,
                             stdin=subprocess.DEVNULL)
        if run.returncode:
            raise AssertionError("inquest %s: exit status %d: %s" % (
                " ".join(map(str, words)), run.returncode, run.stderr.decode(errors="replace").strip()[-500:]))
        return run.stdout.decode()

    def rows(self, *words):
        answer = json.loads(self.text("hotspots", *words, "--format", "json", "--limit", "0"))
        assert answer["schema"] == "inquest/hotspots/1", answer["schema"]
        assert answer["row_count"] == len(answer["rows"])
        return answer["rows"]


def shown(name):
    """What is no UTF-8 is shown by its bytes."""
    return name.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")


def same(what, ours, theirs):
    if ours == theirs:
        return []
    for i, (one, other) in enumerate(zip(ours, theirs)):
        if one != other:
            return ["%s: row %d: %r, not %r" % (what, i, one, other)]
    return ["%s: %d rows, not %d" % (what, len(ours), len(theirs))]


# ---- tracemalloc

def statistic(row):
    frames = row["frames"] if "frames" in row else [row]
    return [row["size"], row["count"], [[frame["file"], frame["line"]] for frame in frames]]


def truth_rows(rows):
    return [[size, count, [[shown(file), line] for file, line in frames]] for size, count, frames in rows]


def statistics(asked, name, by, *options):
    return list(map(statistic, asked.rows(name, "--by", by, *options)))


def filter_words(specs):
    """A list of filters as options; None where they have no words for it: a domain of an exclusive pattern, patterns
    or a domain, and filters that differ in all_frames."""
    words = []
    patterns = [spec for spec in specs if spec[0] != "domain"]
    domains = [spec for spec in specs if spec[0] == "domain"]
    if any(spec[1] for spec in domains) and any(spec[0] for spec in patterns):
        return None
    if len({spec[3] for spec in patterns}) > 1:
        return None
    for inclusive, pattern, line, all_frames, domain in patterns:
        if domain is not None and not inclusive:
            return None
        words += ["--filter" if inclusive else "--exclude", pattern + (":%d" % line if line is not None else "")]
        words += ["--domain", domain] if domain is not None else []
        words += ["--all-frames"] if all_frames else []
    for _, inclusive, domain in domains:
        words += ["--domain" if inclusive else "--exclude-domain", domain]
    return words


def once(traces, key):
    """What --cumulative=once says: each thing on a stack once."""
    sums = {}
    for _, size, frames in traces:
        for place in {(file, line if key == "lineno" else 0) for file, line in frames}:
            old = sums.get(place, (0, 0))
            sums[place] = (old[0] + size, old[1] + 1)
    rows = [[size, count, [list(place)]] for place, (size, count) in sums.items()]
    return sorted(rows, key=lambda row: (row[0], row[1], tuple(row[2][0])), reverse=True)


def check_snapshot(asked, name, truth):
    by = {"lineno": "line", "filename": "file", "traceback": "traceback"}
    for key, theirs in truth["statistics"].items():
        yield from same(key, statistics(asked, name, by[key]), truth_rows(theirs))
    for key, theirs in truth["cumulative"].items():
        yield from same(key + " cumulative", statistics(asked, name, by[key], "--cumulative"), truth_rows(theirs))
        yield from same(key + " once", statistics(asked, name, by[key], "--cumulative=once"),
                        truth_rows(once(truth["traces"], key)))
    formatted = [line for limit, first, lines in truth["format"] if limit is None and not first for line in lines]
    text = asked.text("hotspots", name, "--by", "traceback", "--limit", "3")
    yield from same("Traceback.format", [line for line in text.splitlines() if re.match('  File "| {4}', line)],
                    list(map(shown, formatted)))
    for row in truth["filters"]:
        words = filter_words(row["filters"])
        if words is None:
            continue
        what = "filters %s" % row["filters"]
        ours = statistics(asked, name, "line", *words)
        yield from same(what, ours, truth_rows(row["lineno"]))
        yield from same(what + " file cumulative", statistics(asked, name, "file", "--cumulative", *words),
                        truth_rows(row["filename_cumulative"]))
        if sum(count for _, count, _ in ours) != row["count"]:
            yield "%s: not %d traces" % (what, row["count"])


# ---- pstats

METHODS = {"print_stats": [], "print_callers": ["--callers", "."], "print_callees": ["--callees", "."]}


def printed(asked, names, sort, method, *options):
    words = ["--sort", ",".join(map(str, sort))] if sort else []
    text = asked.text("hotspots", *names, "--format", "pstats", *words, *options, *METHODS[method])
    return re.sub(" at 0x[0-9a-f]+", "", text)


def same_text(what, ours, theirs):
    theirs = "\n".join(shown(line) for line in theirs.split("\n"))
    if "<code object" in theirs:  # Python's own width counts an address that is in no file
        ours, theirs = re.sub("  +", "  ", ours), re.sub("  +", "  ", theirs)
    for i, (one, other) in enumerate(zip(ours.split("\n"), theirs.split("\n"))):
        if one != other:
            return ["%s: line %d: %r, not %r" % (what, i + 1, one, other)]
    return [] if ours == theirs else ["%s: %d bytes, not %d" % (what, len(ours), len(theirs))]


def check_method(asked, names, what, row, sort, *options):
    for method in METHODS:
        if isinstance(row[method], str):  # else Python itself has no answer
            yield from same_text("%s %s" % (what, method), printed(asked, names, sort, method, *options), row[method])


def check_numbers(asked, name, truth):
    """JSON has every number as the file has it, in the file's order too."""
    ours = {(row["file"], row["line"] or 0, row["function"]):
            (row["primitive_calls"], row["count"], row["self"], row["total"]) for row in asked.rows(name)}
    theirs = {(shown(file), line, shown(function)): (cc, nc, tt, ct)
              for (file, line, function), cc, nc, tt, ct, _ in truth["entries"]}
    ours = {key: value for key, value in ours.items() if "code object" not in key[2]}
    theirs = {key: value for key, value in theirs.items() if "code object" not in key[2]}
    yield from same("numbers", sorted(ours.items()), sorted(theirs.items()))


def check_edges(asked, name, truth):
    for (file, line, function), *_, callers in truth["entries"]:
        if file == "~" or "code object" in function or not callers:
            continue
        rows = asked.rows(name, "--callers", "%s:%d(%s)" % (file, line, function))
        ours = {(row["file"], row["line"] or 0, row["function"]): row["calls"] for row in rows}
        theirs = {tuple(key): value[0] for key, *value in callers if "code object" not in key[2]}
        ours = {key: value for key, value in ours.items() if "code object" not in key[2]}
        yield from same("callers of %s" % function, sorted(ours.items()), sorted(theirs.items()))


def check_stats(asked, name, truth):
    thorough = name.endswith(("-cprofile.prof", "-sampling.prof"))
    for row in truth["sorted"] if thorough else truth["sorted"][::4]:
        yield from check_method(asked, [name], "sort %s" % row["sort"], row, row["sort"])
    for row in truth["restricted"]:
        restrictions = [word for some in row["restrictions"] for word in ("--restrict", some)]
        yield from check_method(asked, [name], "restrictions %s" % row["restrictions"], row, row["sort"], *restrictions)
    yield from check_method(asked, [name], "strip_dirs", truth["stripped"], ["cumtime", "nfl"], "--strip-dirs")
    yield from check_method(asked, [name], "reverse_order", truth["reversed"], ["time", "nfl"], "--reverse-order")
    yield from check_numbers(asked, name, truth)
    yield from check_edges(asked, name, truth)


def check_added(asked, _, truth):
    for row in truth["sorted"]:
        yield from check_method(asked, truth["files"], "added, sort %s" % row["sort"], row, row["sort"])


# ---- An index gives the same answers.

def check_index(asked, name, by):
    index = name + ".index"
    asked.text("load", name, "-o", index)
    try:
        for options in ([], ["--by", "module"], ["--by", by]):
            yield from same("index %s" % options, asked.rows(index, *options), asked.rows(name, *options))
        if by == "function":
            one = printed(asked, [index], ["cumtime", "nfl"], "print_callees").replace(index, name)
            yield from same_text("index", one, printed(asked, [name], ["cumtime", "nfl"], "print_callees"))
    finally:
        (asked.folder / index).unlink()


# ---- Files.

def truth_of(folder, name):
    """Protocols and optimisation change a pickle's form, not what it says."""
    made = re.sub(r"-(protocol\d|optimized)\.pickle$", ".pickle", name)
    for path in (folder / (made + ".truth.json.gz"), folder / (made + ".truth.json")):
        if path.exists():
            with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="ascii") as file:
                return json.load(file)
    return None


def check_file(asked, folder, name):
    truth = truth_of(folder, name)
    if truth is None:
        return
    if name.endswith(".added"):
        yield from check_added(asked, name, truth)
        return
    snapshot = name.endswith(".pickle")
    yield from (check_snapshot if snapshot else check_stats)(asked, name, truth)
    yield from check_index(asked, name, "traceback" if snapshot else "function")


def check_one(asked, folder, name, label):
    try:
        differences = list(check_file(asked, folder, name))
    except (AssertionError, ValueError, KeyError) as error:
        differences = [repr(error)]
    return Result("%s%s" % (label, name), "the same as Python", differences)


def check_folder(inquest, folder, label):
    with tempfile.TemporaryDirectory(prefix="inquest-profiles-") as scratch:
        scratch = pathlib.Path(scratch)
        names = sorted(path.name for path in folder.iterdir() if path.suffix in (".pickle", ".prof"))
        names += sorted(re.sub(r"\.truth\.json(\.gz)?$", "", path.name) for path in folder.glob("*.added.truth.json*"))
        for name in names:
            if (folder / name).exists():
                shutil.copyfile(folder / name, scratch / name)
                os.utime(scratch / name, (1700000000, 1700000000))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            yield from pool.map(lambda name: check_one(Asked(inquest, scratch), folder, name, label), names)


def check_live(inquest, python):
    with tempfile.TemporaryDirectory(prefix="inquest-profiles-") as made:
        environment = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        run = subprocess.run([python.path, WORKER, python.series, "all"], cwd=made, env=environment,
                             capture_output=True, text=True)
        if run.returncode:
            yield Result("%s: profiles" % python.label, "none made", [run.stderr[-500:]])
            return
        yield from check_folder(inquest, pathlib.Path(made), python.label + " ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "testdata" / "profiles")
    options = parser.parse_args()
    began, results = time.monotonic(), []
    inquest = str(pathlib.Path(options.inquest).resolve())

    def take(made):
        for result in made:
            results.append(result)
            print(*result.lines(6), sep="\n", flush=True)

    take(check_folder(inquest, options.folder, ""))
    if options.live:
        found, absent = pythons.find([])
        take(Result("CPython %s" % series, "", skipped="no such Python here") for series in absent)
        for python in found:
            take(check_live(inquest, python))
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
