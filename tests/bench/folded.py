#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Folded stacks: makes a million distinct lines, and has them read by bench_folded.

    folded.py --bench BENCH_FOLDED [--lines N] [--rounds N]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", required=True)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    make = pathlib.Path(__file__).with_name("make_folded.py")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "stacks.txt"
        subprocess.run([sys.executable, make, "--lines", str(arguments.lines), file], check=True)
        return subprocess.run([arguments.bench, file, str(arguments.rounds)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
