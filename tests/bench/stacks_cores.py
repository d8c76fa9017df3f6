# SPDX-License-Identifier: Apache-2.0
"""What the benchmark of stacks works on: a Python, gdb's commands for it, three large cores."""
import os
import pathlib
import shutil
import subprocess
import sys

LIVE = pathlib.Path(__file__).resolve().parent.parent / "live"
sys.path.insert(0, str(LIVE))
sys.dont_write_bytecode = True
import deaths  # noqa: E402
import pythons  # noqa: E402

PROGRAM = LIVE / "programs" / "bench.py"
PREFERRED = ["3.11", "3.12", "3.10", "3.9", "3.8"]  # python-gdb.py of 3.13 on can't read an optimised build
WHERE = """
import os, sys, sysconfig
get = sysconfig.get_config_var
print(os.path.realpath(sys.executable))
print(os.path.join(get('LIBDIR') or '', get('INSTSONAME') or '') if get('Py_ENABLE_SHARED') else '')
print(get('BINDIR'))
"""


class Subject:
    """A Python and, where gdb can read it, the script with py-bt and py-locals (else None)."""

    def __init__(self, python):
        self.version, self.series = python.version, python.series
        self.exe, self.library, self.folder = subprocess.run(
            [python.path, "-c", WHERE], capture_output=True, text=True, check=True).stdout.splitlines()
        self.script = self._script() if shutil.which("gdb") and self._has_symbols() else None

    def _script(self):
        name = "python%s-gdb.py" % self.series
        debian = pathlib.Path("/usr/share/gdb/auto-load/usr/bin") / name  # of the package python3.N-dbg
        places = [pathlib.Path(self.folder) / name, pathlib.Path(self.exe + "-gdb.py"), debian]
        return next((str(place) for place in places if place.exists()), None)

    def _has_symbols(self):
        file = self.library if self.library and os.path.exists(self.library) else self.exe
        run = subprocess.run(["gdb", "-nx", "-batch", "-ex", "info line _PyEval_EvalFrameDefault", file],
                             capture_output=True, text=True)
        return run.stdout.startswith("Line ")

    def gdb(self, core):
        """All threads' stacks and locals; without python-gdb.py the C stacks alone."""
        what = ["thread apply all -q -c py-bt", "thread apply all -q -c py-locals"]
        if self.script is None:
            what = ["thread apply all -q -c bt"]
        command = [shutil.which("gdb"), "-nx", "-batch", "-iex", "set debuginfod enabled off"]
        if self.script:
            command += ["-ex", "source " + self.script]
        for words in what:
            command += ["-ex", words]
        return command + [self.exe, str(core)]


def choose(given):
    """The first Python that gdb can read as Python, else the first."""
    found, _ = pythons.find([given] if given else [])
    if not found:
        raise SystemExit("stacks.py: no Python to make cores with")
    found.sort(key=lambda python: PREFERRED.index(python.series) if python.series in PREFERRED else len(PREFERRED))
    subjects = []
    for python in found:
        subjects.append(Subject(python))
        if subjects[-1].script:
            return subjects[-1]
    return subjects[0]


def make(subject, kind, count, folder):
    """Runs the program until it is dead; its core is in `folder`."""
    folder.mkdir()
    command = [subject.exe, str(PROGRAM), kind, str(count)]
    if deaths.kernel_writes_cores() is None:
        subprocess.run([*deaths.ALLOW_CORES, *command], cwd=folder, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    else:
        gcore(command, folder)
    cores = sorted(folder.glob("core*"))
    if not cores:
        raise SystemExit("stacks.py: %s left no core" % " ".join(command))
    return cores[0]


def gcore(command, folder):
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               env={**os.environ, "WITNESS_WAY": "gcore"})
    try:
        process.stdout.readline()
        subprocess.run(["gcore", "-o", str(folder / "core"), str(process.pid)], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    finally:
        process.kill()
        process.wait()
