"""Finds the Pythons that the live tests run on."""
import os
import pathlib
import shutil
import subprocess

VERSIONS = ["3.%d" % minor for minor in range(8, 16)]
PROBE = ("import sys, sysconfig, platform\n"
         "print(platform.python_version(), sys.implementation.name, "
         "bool(sysconfig.get_config_var('Py_GIL_DISABLED')), hasattr(sys, 'gettotalrefcount'))")


class Python:
    def __init__(self, path, version):
        self.path = path
        self.version = version
        self.series = ".".join(version.split(".")[:2])
        self.label = version

    def __repr__(self):
        return "%s (%s)" % (self.label, self.path)


def find(given):
    """(the Pythons, the series that are absent). One Python of a build counts once, however many names it has."""
    candidates = list(given) if given else list(_everywhere())
    found, seen = [], set()
    for candidate in candidates:
        path = shutil.which(str(candidate))
        if path is None:
            if given:
                raise SystemExit("run.py: %s: no such Python" % candidate)
            continue
        real = os.path.realpath(path)
        python = None if real in seen else probe(path)
        seen.add(real)
        if python:
            found.append(python)
    found.sort(key=lambda python: [int(part) for part in python.version.split("rc")[0].split(".")[:3]
                                   if part.isdigit()])
    versions = [python.version for python in found]
    for python in found:
        if versions.count(python.version) > 1:
            python.label = "%s %s" % (python.version, python.path)
    absent = [] if given else [series for series in VERSIONS if series not in {p.series for p in found}]
    return found, absent


def _everywhere():
    for series in VERSIONS:
        yield "python" + series
    yield from filter(None, os.environ.get("INQUEST_PYTHONS", "").split(":"))
    for folder in sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin")):
        yield from sorted(folder.glob("python3.[0-9]*[0-9]"))
    for series in VERSIONS:  # what a shim on PATH may hide
        yield "/usr/bin/python" + series


def probe(path):
    """A CPython release build of a known series, or None."""
    try:
        run = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = run.stdout.split()
    if run.returncode or len(words) != 4 or words[1:] != ["cpython", "False", "False"]:
        return None
    python = Python(str(path), words[0])
    return python if python.series in VERSIONS else None
