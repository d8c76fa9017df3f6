"""Pairs of recordings with a planted change, and what Python's own modules say of them.

    recordings.py FOLDER
"""
import cProfile
import json
import pstats
import sys
import tracemalloc

FOLDER = sys.argv[1]


# ---- tracemalloc: a list that grows, a cache that changes, recursion.

KEPT, CACHE = [], {}


def allocate(depth, count):
    if depth:
        return allocate(depth - 1, count)
    KEPT.extend(bytes(200 + number % 7) for number in range(count))
    return None


def fill(cache, count):
    for number in range(count):
        cache["key %d" % number] = [number, str(number) * 3]


def snapshot(name):
    taken = tracemalloc.take_snapshot()
    taken.dump("%s/%s" % (FOLDER, name))
    return taken


def place(traceback):
    return [[frame.filename, frame.lineno] for frame in traceback]


def compared(new, old, group, cumulative):
    return [{"frames": place(row.traceback), "size": row.size, "size_diff": row.size_diff, "count": row.count,
             "count_diff": row.count_diff} for row in new.compare_to(old, group, cumulative)]


def memory():
    tracemalloc.start(6)
    fill(CACHE, 300)
    allocate(3, 200)
    old = snapshot("old.snapshot")
    CACHE.clear()
    fill(CACHE, 100)
    allocate(1, 900)
    allocate(3, 50)
    new = snapshot("new.snapshot")
    tracemalloc.stop()
    return {"%s %s" % (group, "cumulative" if cumulative else "plain"): compared(new, old, group, cumulative)
            for group in ("lineno", "filename", "traceback") for cumulative in (False, True)
            if not (group == "traceback" and cumulative)}


# ---- cProfile: one function becomes several times slower.

def steady(count):
    return sum(number * number for number in range(count))


def slow(count):
    total = 0
    for number in range(count):
        total += number % 7
    return total


def serve(times, factor):
    for _ in range(times):
        steady(2000)
        slow(3000 * factor)


def profiled(name, factor):
    profile = cProfile.Profile()
    profile.runcall(serve, 30, factor)
    path = "%s/%s" % (FOLDER, name)
    profile.dump_stats(path)
    stats = pstats.Stats(path).stats
    return [{"function": key[2], "file": key[0], "line": key[1], "calls": row[1], "self": row[2], "total": row[3]}
            for key, row in stats.items()]


def main():
    truth = {"memory": memory(), "old": profiled("old.pstats", 1), "new": profiled("new.pstats", 6)}
    with open(FOLDER + "/truth.json", "w") as file:
        json.dump(truth, file)


main()
