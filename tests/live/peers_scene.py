"""One Python, a scratch folder and inquest: what every test of the peers' failures needs."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import deaths
from checks import Result

STRACE = shutil.which("strace")
HELPERS = ("peers_death.py",)


class Scene:
    def __init__(self, inquest, python, folder, way):
        self.inquest, self.python, self.folder = inquest, python, folder
        self.way = way  # of death where any will do: "abort", or "gcore" where the kernel writes no cores
        self.by_kernel = way != "gcore"

    def result(self, name, counted, differences):
        return Result("%s %s" % (self.python.label, name), counted, differences)

    def skipped(self, name, why):
        return Result("%s %s" % (self.python.label, name), "", skipped=why)

    def new_folder(self):
        return pathlib.Path(tempfile.mkdtemp(prefix="scene-", dir=self.folder))

    def die(self, program, *arguments, way=None, interpreter=None, variables=None, name=None):
        """A core of tests/live/programs/PROGRAM, run under `name` where that is given."""
        folder = self.new_folder()
        source = deaths.PROGRAMS / program
        if name:
            source = folder / name
            source.parent.mkdir(parents=True)
            for helper in (program, *HELPERS):
                shutil.copy(deaths.PROGRAMS / helper, source if helper == program else source.parent / helper)
        way = "gcore" if not self.by_kernel else way or self.way
        environment = {**deaths.environment(folder / "truth.json", way), **(variables or {})}
        death = deaths.die([interpreter or self.python.path, source, *map(str, arguments)], way, folder, environment)
        death.program = source
        return death

    def threads(self, core, *options):
        answer = self.inquest.threads(core, *options)
        return {row["name"]: row for row in answer["rows"]}, answer["warnings"]

    def traced(self, *arguments):
        """The system calls that open or run a file, as strace tells them."""
        log = self.folder / "strace"
        subprocess.run([STRACE, "-f", "-qq", "-s", "4096", "-e", "trace=execve,execveat,fork,vfork,open,openat,openat2",
                        "-o", log, self.inquest.path, *map(str, arguments)], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)
        return log.read_text(errors="replace").splitlines()


def functions(row):
    return [frame["function"] for frame in row["frames"] if frame["kind"] == "python"]


def local_values(row, function):
    """{name: value} of the innermost frame of a function, by the last part of its name."""
    for frame in row["frames"]:
        if frame["function"].split(".")[-1] == function:
            return {variable["name"]: variable["value"] for variable in frame["locals"]}
    return {}


def unlike(expected, actual):
    for name, value in expected.items():
        if actual.get(name) != value:
            yield "%s is %s, not %s" % (name, actual.get(name), value)


PROBE = ("import json, os, sys, sysconfig; print(json.dumps([os.path.realpath(sys.executable), "
         "sysconfig.get_path('stdlib'), sysconfig.get_config_var('LIBDIR'), sysconfig.get_config_var('INSTSONAME')]))")
LEFT_OUT = shutil.ignore_patterns("test", "tests", "site-packages", "dist-packages", "__pycache__", "config-*", "idlelib",
                                  "lib2to3", "ensurepip", "tkinter", "turtledemo", "pydoc_data", "*.a")


class Copy:
    """A Python installation of its own, which can be spoilt or deleted."""

    def __init__(self, scene):
        run = subprocess.run([scene.python.path, "-c", PROBE], capture_output=True, text=True, check=True)
        executable, library, libdir, shared = json.loads(run.stdout)
        self.folder = scene.new_folder() / "python"
        self.original = pathlib.Path(executable)
        self.executable = self.folder / "bin" / ("python" + scene.python.series)
        self.libpython = self.folder / "lib" / shared if os.path.exists(os.path.join(libdir, shared)) else None
        self.executable.parent.mkdir(parents=True)
        shutil.copy(executable, self.executable)
        shutil.copytree(library, self.folder / "lib" / os.path.basename(library), ignore=LEFT_OUT,
                        ignore_dangling_symlinks=True)
        if self.libpython:
            shutil.copy(os.path.join(libdir, shared), self.libpython)
        self.variables = {"LD_LIBRARY_PATH": str(self.folder / "lib"), "PYTHONHOME": str(self.folder)}

    def delete(self):
        shutil.rmtree(self.folder)
