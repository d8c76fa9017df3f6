# SPDX-License-Identifier: Apache-2.0
"""Run by make_profiles.py on each Python: writes recordings of profiled.py into the current folder, and beside each,
as JSON, what this Python's own modules say of it."""
import cProfile
import ctypes
import io
import json
import linecache
import os
import pathlib
import pickle
import pickletools
import pstats
import re
import subprocess
import sys
import _thread
import tracemalloc
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import profile

HERE = pathlib.Path(__file__).resolve().parent
WRITTEN = 1700000000  # the mtime that print_stats shows
DOMAIN = 389047
SORTS = [["calls"], ["ncalls"], ["cumtime"], ["cumulative"], ["filename"], ["module"], ["line"], ["name"], ["nfl"],
         ["pcalls"], ["stdname"], ["time"], ["tottime"], ["cum"], ["cumu"], ["pc"], ["cumulative", "name"], ["calls", "stdname"],
         ["file", "line", "calls"], [-1], [0], [1], [2]]
RESTRICTIONS = [[5], [0.25], ["fact"], ["factorial", 1], [10, "work"], ["builtin", 0.5], [r"\(<|walk"], ["nothing"], [0],
                [r"profiled.py:\d+\(e"]]
FILTERS = [
    [[True, "/srv/shop/orders.py", None, False, None]],
    [[False, "/srv/shop/orders.py", None, False, None]],
    [[True, "/srv/*", 34, False, None]],
    [[True, "/srv/*", 34, True, None]],
    [[False, "/srv/*", 34, True, None]],
    [[True, "*/caf?*", None, False, None], [True, "*.py", 8, False, None]],
    [[True, "/srv/*", None, True, None], [False, "*/lib/*", None, False, None]],
    [[False, "*.py", None, False, None], [False, "*/old*", None, True, None]],
    [[True, "*", None, False, DOMAIN]],
    [[False, "*/orders.py", None, False, DOMAIN]],
    [["domain", True, DOMAIN]],
    [["domain", False, 0]],
    [["domain", True, 0], [True, "*/[oc]*.py", None, False, None]],
    [[True, "*/old.pyc", None, False, None]],
    [],
]


def compiled(name):
    """The functions of profiled.py as if their file had that name."""
    space = {"__name__": "shop"}
    exec(compile((HERE / "profiled.py").read_bytes(), name, "exec"), space)
    return space


def write_truth(name, truth):
    truth["python"] = ".".join(map(str, sys.version_info[:3]))
    pathlib.Path(name + ".truth.json").write_text(json.dumps(truth, separators=(",", ":")), encoding="ascii")


# ---- tracemalloc

def allocate(keep):
    for name in ("/srv/shop/orders.py", "/srv/shop/café.py", "/srv/shop/lib/b\udce9b.py", "/srv/shop/old.pyc",
                 "<string>"):
        keep.append(compiled(name)["work"]())
    keep.append(compiled("/srv/shop/orders.py")["load"](10))
    track = ctypes.pythonapi.PyTraceMalloc_Track
    track.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
    for i, size in enumerate((1, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 40, 2 ** 62 + 1, 3, 0)):
        track(DOMAIN if i % 2 else 4294967295, 4096 * (i + 1), size)


def take_snapshot(limit):
    """In a thread, whose stacks begin with the code that is named, not with this file."""
    done, keep = _thread.allocate_lock(), []
    done.acquire()

    space = {"allocate": allocate, "keep": keep, "done": done}
    code = compile("def start():\n    try:\n        allocate(keep)\n    finally:\n        done.release()\n",
                   "/srv/shop/app.py", "exec")
    exec(code, space)
    tracemalloc.start(limit)
    _thread.start_new_thread(space["start"], ())
    done.acquire()
    snapshot = tracemalloc.take_snapshot()
    tracemalloc.stop()
    hide = str(HERE)
    return rename(snapshot, hide)


def rename(snapshot, folder):
    """This file's own folder and Python's would tell of the machine."""
    def place(name):
        name = name.replace(folder, "/srv/live")
        return re.sub(r"^.*/(lib|usr)/python3?\.?\d*/", "/usr/lib/python3/", name)
    frames, stacks = {}, {}
    def stack(old):
        if old not in stacks:
            stacks[old] = tuple((frames.setdefault(place(name), place(name)), line) for name, line in old)
        return stacks[old]
    snapshot.traces._traces = [trace[:2] + (stack(trace[2]),) + trace[3:] for trace in snapshot.traces._traces]
    return snapshot


def rows(statistics):
    return [[s.size, s.count, [[f.filename, f.lineno] for f in s.traceback]] for s in statistics]


def make_filter(spec):
    if spec[0] == "domain":
        return tracemalloc.DomainFilter(spec[1], spec[2])
    inclusive, pattern, line, all_frames, domain = spec
    return tracemalloc.Filter(inclusive, pattern, line, all_frames, domain)


def format_rows(snapshot):
    made = []
    for statistic in snapshot.statistics("traceback")[:3]:
        for limit in (None, 1, 2, -2, 0):
            for first in (False, True):
                made.append([limit, first, statistic.traceback.format(limit, first)])
    return made


def snapshot_truth(name):
    snapshot = tracemalloc.Snapshot.load(name)
    linecache.clearcache()
    truth = {
        "limit": snapshot.traceback_limit,
        "traces": [[t.domain, t.size, [[f.filename, f.lineno] for f in t.traceback]] for t in snapshot.traces],
        "statistics": {key: rows(snapshot.statistics(key)) for key in ("lineno", "filename", "traceback")},
        "cumulative": {key: rows(snapshot.statistics(key, True)) for key in ("lineno", "filename")},
        "text": [str(s) for s in snapshot.statistics("lineno")],
        "format": format_rows(snapshot),
        "filters": [],
    }
    for specs in FILTERS:
        filtered = snapshot.filter_traces([make_filter(spec) for spec in specs])
        truth["filters"].append({"filters": specs, "count": len(filtered.traces),
                                 "lineno": rows(filtered.statistics("lineno")),
                                 "filename_cumulative": rows(filtered.statistics("filename", True))})
    return truth


def write_snapshots(version, variants):
    snapshot = take_snapshot(8)
    made = ["tracemalloc-%s.pickle" % version]
    snapshot.dump(made[0])
    if variants:
        for protocol in (2, 3, 4):
            made.append("tracemalloc-%s-protocol%d.pickle" % (version, protocol))
            with open(made[-1], "wb") as file:
                pickle.dump(snapshot, file, protocol)
        made.append("tracemalloc-%s-optimized.pickle" % version)
        pathlib.Path(made[-1]).write_bytes(pickletools.optimize(pathlib.Path(made[1]).read_bytes()))
        made.append("tracemalloc-%s-limit1.pickle" % version)
        take_snapshot(1).dump(made[-1])
        made.append("tracemalloc-%s-filtered.pickle" % version)
        snapshot.filter_traces([tracemalloc.Filter(True, "*/orders.py")]).dump(made[-1])
        made.append("tracemalloc-%s-empty.pickle" % version)
        snapshot.filter_traces([tracemalloc.Filter(True, "nothing")]).dump(made[-1])
    for name in made:
        if "protocol" not in name and "optimized" not in name:  # theirs is that of the first
            write_truth(name, snapshot_truth(name))
    if variants:
        with open(made[0], "rb") as one, open(made[-3], "rb") as other:
            new, old = pickle.load(one), pickle.load(other)
        compared = {"old": made[-3], "new": made[0]}
        for key in ("lineno", "filename", "traceback"):
            for cumulative in (False, True)[:1 + (key != "traceback")]:
                statistics = new.compare_to(old, key, cumulative)
                compared[key + " cumulative" * cumulative] = [
                    [s.size, s.size_diff, s.count, s.count_diff, [[f.filename, f.lineno] for f in s.traceback], str(s)]
                    for s in statistics]
        write_truth("tracemalloc-%s.compare" % version, compared)


# ---- pstats

def printed(stats, method, restrictions):
    stats.stream = io.StringIO()
    getattr(stats, method)(*restrictions)
    return re.sub(" at 0x[0-9a-f]+", "", stats.stream.getvalue())


def attempt(name, sort, method, restrictions=(), strip=False, reverse=False):
    stats = pstats.Stats(name)
    try:
        if strip:
            stats.strip_dirs()
        stats.sort_stats(*sort)
        if reverse:
            stats.reverse_order()
        return printed(stats, method, restrictions)
    except (TypeError, KeyError) as error:  # a code object among strings; an ambiguous key
        return {"error": repr(error)}


def key_of(function):
    file, line, name = function
    if not isinstance(name, str):
        name = re.sub(" at 0x[0-9a-f]+", "", repr(name))
    return [file, line, name]


def entries(name):
    import marshal
    with open(name, "rb") as file:
        raw = marshal.load(file)
    raw.pop(("__sampled__",), None)
    made = []
    for function, (cc, nc, tt, ct, callers) in raw.items():
        calls = [[key_of(caller)] + (list(value) if isinstance(value, tuple) else [value])
                 for caller, value in callers.items()]
        made.append([key_of(function), cc, nc, tt, ct, calls])
    return made


def stats_truth(name):
    os.utime(name, (WRITTEN, WRITTEN))
    methods = ("print_stats", "print_callers", "print_callees")
    truth = {"mtime": WRITTEN, "entries": entries(name)}
    truth["sorted"] = [{"sort": sort, **{m: attempt(name, sort, m) for m in methods}} for sort in SORTS]
    truth["restricted"] = [{"sort": ["cumtime"], "restrictions": some, **{m: attempt(name, ["cumtime"], m, some)
                                                                          for m in methods}} for some in RESTRICTIONS]
    truth["stripped"] = {m: attempt(name, ["cumtime", "nfl"], m, (), True) for m in methods}
    truth["reversed"] = {m: attempt(name, ["time", "nfl"], m, (), False, True) for m in methods}
    return truth


def write_added(version, names):
    truth = {"mtime": WRITTEN, "files": names, "sorted": []}
    for sort in (["cumtime", "nfl"], ["stdname"], ["calls", "nfl"]):
        row = {"sort": sort}
        for method in ("print_stats", "print_callers", "print_callees"):
            stats = pstats.Stats(*names)
            stats.sort_stats(*sort)
            row[method] = printed(stats, method, ())
        truth["sorted"].append(row)
    write_truth("pstats-%s.added" % version, truth)


def write_profiles(version, variants):
    names = ["cprofile", "profile"]
    made = ["pstats-%s-%s.prof" % (version, name) for name in names]
    orders = compiled("/srv/shop/orders.py")
    recorder = cProfile.Profile()
    recorder.runcall(orders["work"])
    recorder.dump_stats(made[0])
    recorder = profile.Profile(bias=0)
    recorder.runcall(orders["work"])
    recorder.dump_stats(made[1])
    script = "profiled.py"
    pathlib.Path(script).write_bytes((HERE / "profiled.py").read_bytes())
    tools = {"profile-m": ["-W", "ignore", "-m", "profile"]}
    if variants or sys.version_info >= (3, 15):
        tools["cprofile-m"] = ["-W", "ignore", "-m", "cProfile"]
    if sys.version_info >= (3, 15):
        tools["tracing"] = ["-m", "profiling.tracing"]
    for tool, options in tools.items():
        made.append("pstats-%s-%s.prof" % (version, tool))
        subprocess.run([sys.executable, *options, "-o", made[-1], script], check=True)
    if variants:
        made.append("pstats-%s-stripped.prof" % version)
        pstats.Stats(made[0]).strip_dirs().dump_stats(made[-1])
    if sys.version_info >= (3, 15):
        made.append("pstats-%s-sampling.prof" % version)
        subprocess.run([sys.executable, "-m", "profiling.sampling", "run", "--pstats", "-o", made[-1], "-r", "2khz",
                        script, "20000"], check=True, stdout=subprocess.DEVNULL)
    for name in made:
        write_truth(name, stats_truth(name))
    os.utime(made[0], (WRITTEN, WRITTEN))
    if variants:
        write_added(version, [made[0], "pstats-%s-cprofile-m.prof" % version, made[0]])
    os.unlink(script)


def main():
    version, variants = sys.argv[1], sys.argv[2] == "all"
    write_snapshots(version, variants)
    write_profiles(version, variants)


if __name__ == "__main__":
    main()
