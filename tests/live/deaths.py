"""Runs a program until it dies and finds its core."""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import time

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
WITNESSES = ("witness.py", "witness_values.py")
TIMEOUT = 120
ALLOW_CORES = ("sh", "-c", 'ulimit -c "$(ulimit -H -c)" && exec "$@"', "sh")


class Failed(Exception):
    """The test's own machinery failed, not the program under test."""


class Death:
    def __init__(self, core, truth, way):
        self.core = core
        self.truth = truth
        self.way = way


def kernel_writes_cores():
    """None, or why the kernel's own cores can't be had here, in words."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if not re.fullmatch(r"core[\w.%-]*", pattern):
        return "core_pattern is '%s'" % pattern
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        return "the hard limit of the core size is 0"
    return None


def environment(truth, way):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **witness_variables(truth, way)}


def witness_variables(truth, way):
    return {"WITNESS_FILE": str(truth), "WITNESS_WAY": way}


def die(command, way, folder, variables=None):
    """Run `command` in `folder`, where its truth and its core will be. Returns a Death, raises Failed."""
    truth, log = folder / "truth.json", folder / "output.txt"
    with open(log, "wb") as output:
        process = subprocess.Popen([*ALLOW_CORES, *map(str, command)], cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output, env=variables or environment(truth, way))
    try:
        core = _gcore(process, truth, folder) if way == "gcore" else _await_core(process, folder)
    except subprocess.TimeoutExpired:
        raise Failed("still alive after %d s" % TIMEOUT) from None
    finally:
        process.kill()
        process.wait()
    if not truth.exists():
        raise Failed("no truth was recorded: " + _why(folder, log))
    if core is None:
        raise Failed("no core was written, exit status %s: %s" % (process.returncode, _why(folder, log)))
    return Death(core, json.loads(truth.read_text()), way)


def _await_core(process, folder):
    process.wait(timeout=TIMEOUT)
    cores = sorted(folder.glob("core*"))
    return cores[0] if cores else None


def _gcore(process, truth, folder):
    end = time.monotonic() + TIMEOUT
    while not truth.exists():
        if process.poll() is not None or time.monotonic() > end or truth.with_name(truth.name + ".error").exists():
            return None
        time.sleep(0.02)
    while _main_state(process.pid) != "S":
        time.sleep(0.02)
    time.sleep(0.1)
    if shutil.which("gcore") is None:
        raise Failed("gcore (of gdb) is absent")
    run = subprocess.run(["gcore", "-o", str(folder / "core"), str(process.pid)], capture_output=True, text=True,
                         timeout=TIMEOUT, stdin=subprocess.DEVNULL)
    core = folder / ("core.%d" % process.pid)
    if not core.exists():
        raise Failed("gcore: " + run.stderr.strip()[-300:])
    return core


def _main_state(pid):
    stat = pathlib.Path("/proc/%d/stat" % pid).read_bytes()
    return chr(stat[stat.rindex(b")") + 2])


def _why(folder, log):
    error = folder / "truth.json.error"
    text = error.read_text() if error.exists() else log.read_text(errors="replace")
    return text.strip()[-1500:] or "(it said nothing)"


def copy_under(folder, program, name):
    """The program and its witnesses under another path; returns the new path of the program."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROGRAMS / program, target)
    for witness in WITNESSES:
        shutil.copy(PROGRAMS / witness, target.parent / witness)
    return target
