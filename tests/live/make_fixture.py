#!/usr/bin/env python3
"""Makes a small real core of one Python, with the truth about it, for testdata/cores.

    tests/live/make_fixture.py --python /opt/python3.9/bin/python3.9 --way segv -o testdata/cores
    tests/live/make_fixture.py --python /usr/bin/python3.15 --root FOLDER --way abort -o testdata/cores

The program is programs/shop, run as /srv/shop/app.py with a bare environment, so that the core shows nothing of the
machine it was made on. --root runs it under chroot in an unpacked system (as root). Writes cpython-3.N.core.lz4 and
cpython-3.N.truth.json. Needs lz4, and gdb for --way gcore.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

import deaths

HOME = "srv/shop"
LARGEST = 3 << 20
VARIABLES = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/srv/shop", "SHOP_MODE": "production"}
FILTER = ("sh", "-c", 'echo 0x33 >/proc/self/coredump_filter && exec "$@"', "sh")
WITH_PROC = ("unshare", "-m", "sh", "-c", 'mount -t proc proc "$0/proc" && exec "$@"')
ENTER = """import json, os, sys
root, variables, *command = sys.argv[1:]
if root != "/":
    os.chroot(root)
os.chdir("/srv/shop")
os.execve(command[0], command, json.loads(variables))
"""


def run(python, root, way):
    folder = root / HOME
    if folder.exists():
        raise SystemExit("make_fixture.py: %s exists: move it away" % folder)
    shutil.copytree(deaths.PROGRAMS / "shop", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for witness in deaths.WITNESSES:
        shutil.copy(deaths.PROGRAMS / witness, folder)
    variables = {**VARIABLES, **deaths.witness_variables("/%s/truth.json" % HOME, way)}
    if way == "gcore":
        variables["MALLOC_ARENA_MAX"] = "1"  # gcore writes the 64 MB that an arena reserves
    command = [sys.executable, "-c", ENTER, root, json.dumps(variables),
               python, "-E", "-s", "-S", "-B", "app.py", "order-7"]
    if root != pathlib.Path("/"):
        (root / "proc").mkdir(exist_ok=True)
        command = [*WITH_PROC, root, *command]
    try:
        death = deaths.die([*FILTER, *command], way, folder)
        return death.truth, death.core.read_bytes()
    finally:
        shutil.rmtree(folder)


def write(output, name, truth, core):
    plain = output / (name + ".core")
    packed = output / (name + ".core.lz4")
    plain.write_bytes(core)
    try:
        subprocess.run(["lz4", "-9", "-q", "-f", plain, packed], check=True)
    finally:
        plain.unlink()
    (output / (name + ".truth.json")).write_text(json.dumps(truth, indent=1) + "\n")
    if packed.stat().st_size > LARGEST:
        raise SystemExit("make_fixture.py: %s has %d bytes, over %d" % (packed, packed.stat().st_size, LARGEST))
    print("%s: CPython %s, %s, %d bytes, %d unpacked" % (packed, truth["version"], truth["way"],
                                                         packed.stat().st_size, len(core)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, metavar="PATH", help="as seen within --root")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), metavar="FOLDER")
    parser.add_argument("--way", choices=("abort", "segv", "fatal", "gcore"), default="segv")
    parser.add_argument("--name", help="instead of cpython-3.N")
    parser.add_argument("-o", dest="output", type=pathlib.Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    refused = deaths.kernel_writes_cores()
    if refused and options.way != "gcore":
        raise SystemExit("make_fixture.py: no core can be had here: %s" % refused)
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        truth, core = run(options.python, options.root.resolve(), options.way)
    except deaths.Failed as error:
        raise SystemExit("make_fixture.py: %s" % error) from None
    series = ".".join(truth["version"].split(".")[:2])
    write(options.output, options.name or "cpython-" + series, truth, core)


if __name__ == "__main__":
    sys.exit(main())
