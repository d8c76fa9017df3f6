# SPDX-License-Identifier: Apache-2.0
"""What the tests of recordings on the command line share: a run with an exit status that must be, and main()."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROFILES = ROOT / "testdata" / "profiles"
CORE = ROOT / "testdata" / "cores" / "cpython-3.12.core.lz4"
INQUEST = ""


def inquest(*words, status=0, given=None):
    """One run, with a cache of this test program's own; `given` is its standard input."""
    cache = {**os.environ, "XDG_CACHE_HOME": tempfile.gettempdir() + "/inquest-" + pathlib.Path(sys.argv[0]).stem}
    run = subprocess.run([INQUEST, *map(str, words)], capture_output=True, input=given or b"", env=cache)
    assert run.returncode == status, (words, run.returncode, run.stderr)
    return run


def main(document, take_files=None):
    """`take_files`: what to do with files named behind the options."""
    global INQUEST
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True)
    if take_files:
        parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    INQUEST = str(pathlib.Path(options.inquest).resolve())
    if take_files:
        take_files(options.files)
    unittest.main(argv=[sys.argv[0]])
