"""Values, names, paths, threads and chains of calls: one core of programs/peers_values.py, many questions."""
import ast
import os
import signal
import time

import deaths
from peers_scene import STRACE, functions, local_values, unlike

SCRIPT = "скрипты 測試/имя ✨ שם.py"
BIG = {"big": str(2**90), "negative": str(-2**90), "huge": str(7**300), "edge": str(2**63), "carry": str(2**30)}
FLOATS = {"third": "0.3333333333333333", "tenth": "0.1", "large": "1e+22", "tiny": "5e-324", "exact": "2.5",
          "whole": "1e+16", "infinite": "-inf", "minus_zero": "-0.0"}
SETS = {"some": "{'один'}", "frozen": "frozenset({(1, 2)})", "nothing": "set()"}
DEQUES = {"queue": "deque([1, 'two', None])", "bounded": "deque([3], maxlen=4)"}
CELLS = {"held": "'in a cell'", "counter": "[41, 'in a cell']"}
CALLS = ["die", "<module>", "Initialised.__init__", "through_init", "generated", "through_generator",
         "through_callback.<locals>.<lambda>", "through_callback", "through_reduce", "through_map", "through_sort",
         "величины.<locals>.inner", "величины", "数える", "main", "<module>"]


def bare(names, series):
    """Before 3.11 code objects have no qualified names."""
    return names if int(series.split(".")[1]) >= 11 else [name.split(".")[-1] for name in names]


def check(scene):
    death = scene.die("peers_values.py", name=SCRIPT)
    rows, _ = scene.threads(death.core)
    row = rows.get("MainThread")
    if row is None:
        yield scene.result("values", "no answer", ["there is no MainThread: %s" % list(rows)])
        return
    values = local_values(row, "величины")
    inner = local_values(row, "inner")
    for name, expected, actual in (
            ("big integers", BIG, values), ("floats in their shortest form", FLOATS, values), ("sets", SETS, values),
            ("deques", DEQUES, values), ("cell contents", CELLS, values), ("contents of free variables", CELLS, inner)):
        yield scene.result(name, "%d values" % len(expected), unlike(expected, actual))
    named = local_values(row, "数える")
    yield scene.result("names outside Latin-1", "functions and variables",
                       unlike({"残り": "0", "δείκτης": "'όνομα'", "имя": "'локальная'", "ключ_2": "[1, 2]"}, named))
    yield scene.result("script under a path outside Latin-1", SCRIPT, paths(row, str(death.program)))
    expected = bare(CALLS, scene.python.series)
    yield scene.result("calls through C and back", "%d frames" % len(expected),
                       [] if functions(row) == expected else ["%s, not %s" % (functions(row), expected)])
    yield scene.result("names and states of threads", "3 threads", states(rows, scene.by_kernel))
    yield from signals(scene, death)


def paths(row, script):
    # since 3.9 __main__ has its absolute path
    files = {frame["file"] for frame in row["frames"] if frame["function"] not in ("die", "<module>")}
    if files != {script}:
        yield "%s, not %s" % (files, script)


def states(rows, by_kernel):
    expected = {"MainThread": "crashed" if by_kernel else "sleeping", "спящий": "sleeping",
                "waiter 測": "waiting on a lock"}
    found = {name: row["state"] for name, row in rows.items()}
    if found != expected:
        yield "%s, not %s" % (found, expected)


def signals(scene, death):
    if scene.by_kernel:
        for way, name in (("abort", "SIGABRT"), ("segv", "SIGSEGV")):
            core = death.core if way == "abort" else scene.die("peers_values.py", way=way).core
            lacking = [command for command in ("info", "threads", "postmortem")
                       if name not in scene.inquest.text(command, core, "--no-cache", "--sysroot", scene.new_folder())]
            yield scene.result("%s is told without any file of the process" % name, "info, threads, postmortem",
                               ["%s does not say it" % command for command in lacking])
    yield from sets_of_many(scene, death)


def sets_of_many(scene, death):
    """A set's order is the process's own, but its members are known."""
    row = scene.threads(death.core)[0]["MainThread"]
    value = local_values(row, "величины").get("some", "")
    if ast.literal_eval(value or "None") != {"один"}:
        yield scene.result("a set reads back", value, ["it does not"])


# ---- Facts are the core's own, not the analysing host's.

def later(scene):
    """While the process lives on and is renamed, the answer stays what the core says."""
    folder = scene.new_folder()
    truth = folder / "truth.json"
    death = LivingDeath(scene, folder, truth)
    try:
        before = scene.inquest.text("threads", death.core, "--no-cache", "--format", "json")
        death.rename()
        during = scene.inquest.text("threads", death.core, "--no-cache", "--format", "json")
        opened = scene.traced("postmortem", death.core, "--no-cache") if STRACE else []
    finally:
        death.end()
    after = scene.inquest.text("threads", death.core, "--no-cache", "--format", "json")
    differences = [] if before == during == after else ["the answer changes with the living process"]
    names = set(scene.threads(death.core)[0])
    if names != {"MainThread", "as it was"}:
        differences.append("names are %s" % names)
    # a thread's malloc asks whether memory is overcommitted before it gives some back: no process is in that file
    no_process = ("/proc/self/", "/proc/sys/vm/overcommit_memory")
    differences += ["it opened %s" % line for line in opened
                    if "/proc/" in line and not any(path in line for path in no_process)]
    yield scene.result("facts of the core, not of this host's processes", "a process renamed after its core was taken",
                       differences)


class LivingDeath:
    def __init__(self, scene, folder, truth):
        import subprocess
        self.truth = truth
        self.process = subprocess.Popen([scene.python.path, deaths.PROGRAMS / "peers_renamed.py"], cwd=folder,
                                        env=deaths.environment(truth, "gcore"), stdin=subprocess.DEVNULL)
        self.core = deaths._gcore(self.process, truth, folder)

    def rename(self):
        self.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 20
        while not os.path.exists(str(self.truth) + ".renamed"):
            if time.monotonic() > end:
                raise deaths.Failed("the process does not rename itself")
            time.sleep(0.02)

    def end(self):
        self.process.kill()
        self.process.wait()
