#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes testdata/profiles: recordings of programs/profiled.py by one Python, with what its own modules say of them.

    tests/live/make_profiles.py --python /usr/bin/python3.11 -o testdata/profiles
    tests/live/make_profiles.py --python /usr/bin/python3.15 --all -o testdata/profiles

--all adds the variants: other protocols, limits, filtered snapshots, comparison, stripped and added profiles.
"""
import argparse
import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
LARGEST = 64 << 10


def version_of(python):
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def run(python, version, variants, folder):
    environment = {**os.environ, "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    command = [python, str(PROGRAMS / "profile_truth.py"), version, "all" if variants else "few"]
    subprocess.run(command, check=True, cwd=folder, env=environment)


def keep(folder, output):
    for path in sorted(pathlib.Path(folder).iterdir()):
        target = output / path.name
        if path.name.endswith(".truth.json"):
            target = output / (path.name + ".gz")
            target.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        else:
            shutil.copyfile(path, target)
        if target.stat().st_size > LARGEST:
            raise SystemExit("make_profiles.py: %s is too large to be committed" % target)
        print(target, target.stat().st_size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.gettempdir()) / "shop"  # one name for all: a sampler keeps whole paths
    folder.mkdir()
    try:
        run(options.python, version_of(options.python), options.all, folder)
        keep(folder, options.output)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
