# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line share: a run, what it must give, and where it leaves nothing."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

INQUEST = ""
CORE = ""  # one real core, wrapped in lz4
TIMEOUT = 60


class CommandLine(unittest.TestCase):
    """A folder, a cache and an environment of its own for each test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="inquest-test-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.output = self.folder / "output"
        self.output.mkdir()
        self.cache = self.folder / "cache" / "inquest"
        self.environment = {key: value for key, value in os.environ.items()
                            if key not in ("NO_COLOR", "COLUMNS", "HOME")}
        self.environment.update(XDG_CACHE_HOME=str(self.folder / "cache"), TERM="xterm", LC_ALL="C.UTF-8")

    def run_inquest(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL) if "input" not in options else None
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([INQUEST, *map(str, arguments)], stderr=subprocess.PIPE, timeout=TIMEOUT,
                              env=self.environment, cwd=self.folder, **options)

    def answer(self, *arguments, **options):
        """Standard output of a run that must succeed."""
        run = self.run_inquest(*arguments, **options)
        self.assertEqual(run.returncode, 0, run.stderr.decode())
        return (run.stdout or b"").decode("utf-8")

    def refused(self, status, *arguments, **options):
        """Standard error of a run that must fail: one line, and nothing on stdout."""
        run = self.run_inquest(*arguments, **options)
        error = run.stderr.decode("utf-8")
        self.assertEqual(run.returncode, status, error)
        self.assertTrue(error.startswith("inquest: "), error)
        self.assertEqual(error.count("\n"), 1, error)
        self.assertFalse(run.stdout)
        return error

    def index(self):
        path = self.folder / "made.index"
        if not path.exists():
            self.answer("load", CORE, "-o", path, "-q")
        return path

    def assert_nothing_left(self):
        self.assertEqual(os.listdir(self.output), [])

    def core_copy(self):
        copy = self.folder / "copy.core"
        shutil.copyfile(CORE, copy)
        return copy

    def small_core(self):
        """A plain ELF core with one note and no memory: nothing needs unwrapping."""
        note = b"CORE\0\0\0\0" + bytes(336)
        header = (b"\x7fELF\x02\x01\x01" + bytes(9) + (4).to_bytes(2, "little") + (62).to_bytes(2, "little") +
                  (1).to_bytes(4, "little") + bytes(8) + (64).to_bytes(8, "little") + bytes(12) +
                  (64).to_bytes(2, "little") + (56).to_bytes(2, "little") + (1).to_bytes(2, "little") +
                  bytes(6))
        notes = (5).to_bytes(4, "little") + (336).to_bytes(4, "little") + (1).to_bytes(4, "little") + note
        program = ((4).to_bytes(4, "little") + bytes(4) + (120).to_bytes(8, "little") + bytes(16) +
                   len(notes).to_bytes(8, "little") + bytes(8) + (4).to_bytes(8, "little"))
        path = self.folder / "small.core"
        path.write_bytes(header + program + notes)
        return path


class Result(unittest.TextTestResult):
    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print("skipped: %s: %s" % (test.id().removeprefix("__main__."), reason))


def main(module, arguments):
    """Runs the tests of a module on `INQUEST FOLDER_OF_CORES [NAME…]`."""
    global INQUEST, CORE
    INQUEST = os.path.abspath(arguments[1])
    cores = sorted(pathlib.Path(arguments[2]).resolve().glob("*3.11*.core.lz4"))
    if not cores:
        sys.exit("no core of CPython 3.11 in %s" % arguments[2])
    CORE = str(cores[0])
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    if len(arguments) > 3:
        suite = unittest.defaultTestLoader.loadTestsFromNames(arguments[3:], module)
    result = unittest.TextTestRunner(resultclass=Result, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (result.testsRun - failed - len(result.skipped), failed))
    sys.exit(failed != 0)
