#!/usr/bin/env python3
"""Makes a small real core of one Python, with the truth about it, for testdata/cores.

    tests/live/make_fixture.py --python /opt/python3.9/bin/python3.9 --way segv -o testdata/cores
    tests/live/make_fixture.py --python /usr/bin/python3.15 --root FOLDER --way abort -o testdata/cores
    tests/live/make_fixture.py --python /opt/python3.9/bin/python3.9 --program zoo -o testdata/cores

The program is programs/shop, run as /srv/shop/app.py with a bare environment, so that the core shows nothing of the
machine it was made on. --root runs it under chroot in an unpacked system (as root). Writes cpython-3.N.core.lz4 and
cpython-3.N.truth.json. Needs lz4, and gdb for --way gcore.

--program zoo is programs/zoo.py, one of every kind of object, as /srv/zoo/zoo.py; it aborts. Writes zoo-3.N.core.zst
and zoo-3.N.heap.xz, which has every object of that process (see zoo_packed.py). Needs zstd.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

import deaths
import zoo_check
import zoo_packed
import zoo_run

LARGEST = 4 << 20
LZ4 = ("lz4", "lz4", "-9")
ZSTD = ("zst", "zstd", "-19")
VARIABLES = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
FILTER = ("sh", "-c", 'echo 0x33 >/proc/self/coredump_filter && exec "$@"', "sh")
WITH_PROC = ("unshare", "-m", "sh", "-c", 'mount -t proc proc "$0/proc" && exec "$@"')
ENTER = """import json, os, sys
root, variables, *command = sys.argv[1:]
variables = json.loads(variables)
if root != "/":
    os.chroot(root)
os.chdir(variables["HOME"])
os.execve(command[0], command, variables)
"""


def command_under(root, variables, command):
    """Runs it in its HOME under the root, with these variables alone."""
    entered = [sys.executable, "-c", ENTER, root, json.dumps(variables), *command]
    if root != pathlib.Path("/"):
        (root / "proc").mkdir(exist_ok=True)
        entered = [*WITH_PROC, root, *entered]
    return [*map(str, FILTER), *map(str, entered)]


def copy_program(root, home, files):
    folder = root / home
    if folder.exists():
        raise SystemExit("make_fixture.py: %s exists: move it away" % folder)
    folder.mkdir(parents=True)
    for path in files:
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, folder)
    return folder


def run_shop(python, root, way):
    shop = deaths.PROGRAMS / "shop"
    folder = copy_program(root, "srv/shop", [path for path in shop.iterdir() if path.name != "__pycache__"] +
                          [deaths.PROGRAMS / witness for witness in deaths.WITNESSES])
    variables = {**VARIABLES, "HOME": "/srv/shop", "SHOP_MODE": "production",
                 **deaths.witness_variables("/srv/shop/truth.json", way)}
    if way == "gcore":
        variables["MALLOC_ARENA_MAX"] = "1"  # gcore writes the 64 MB that an arena reserves
    command = [python, "-E", "-s", "-S", "-B", "app.py", "order-7"]
    try:
        death = deaths.die(command_under(root, variables, command), way, folder)
        return death.truth, death.core.read_bytes()
    finally:
        shutil.rmtree(folder)


def run_zoo(python, root):
    folder = copy_program(root, "srv/zoo", deaths.PROGRAMS.glob("zoo*.py"))
    variables = {**VARIABLES, "HOME": "/srv/zoo", "ZOO_IS_SMALL": "1", "MALLOC_ARENA_MAX": "1",
                 "WITNESS_FILE": "/srv/zoo/truth.gz"}
    command = [python, "-E", "-s", "-S", "-B", "-OO", "-X", "no_debug_ranges", "zoo.py"]
    try:
        core, truth = zoo_run.die_of(command_under(root, variables, command), variables, folder)
        return truth, core.read_bytes()
    finally:
        shutil.rmtree(folder)


def write_core(plain, core, packer, version):
    """Packs it beside `plain`, which is left out."""
    packed = plain.with_name(plain.name + "." + packer[0])
    plain.write_bytes(core)
    try:
        with open(plain, "rb") as data, open(packed, "wb") as out:
            subprocess.run([*packer[1:], "-q", "-c"], stdin=data, stdout=out, check=True)
    finally:
        plain.unlink()
    size = packed.stat().st_size
    if size > LARGEST:
        raise SystemExit("make_fixture.py: %s has %d bytes, over %d" % (packed, size, LARGEST))
    print("%s: CPython %s, %d bytes, %d unpacked" % (packed, version, size, len(core)))


def write_shop(output, name, truth, core):
    name = name or "cpython-" + series(truth["version"])
    write_core(output / (name + ".core"), core, LZ4, truth["version"])
    (output / (name + ".truth.json")).write_text(json.dumps(truth, indent=1) + "\n")


def write_zoo(output, name, truth, core):
    name = name or "zoo-" + series(truth.version)
    write_core(output / (name + ".core"), core, ZSTD, truth.version)
    packed = output / (name + ".heap.xz")
    packed.write_bytes(zoo_packed.pack(truth))
    if not say_same(zoo_check.Truth(packed), truth):
        raise SystemExit("make_fixture.py: %s does not give back the truth" % packed)
    print("%s: %d objects, %d bytes" % (packed, len(truth.objects), packed.stat().st_size))


def say_same(one, other):
    """Whether two truths are one; in which order references are visited is not kept."""
    return (vars(one).keys() == vars(other).keys() and
            all(vars(one)[name] == vars(other)[name] for name in vars(one) if name != "objects") and
            one.objects.keys() == other.objects.keys() and
            all(row[:3] == other.objects[address][:3] and sorted(row[3]) == sorted(other.objects[address][3])
                for address, row in one.objects.items()))


def series(version):
    return ".".join(version.split(".")[:2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, metavar="PATH", help="as seen within --root")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), metavar="FOLDER")
    parser.add_argument("--program", choices=("shop", "zoo"), default="shop")
    parser.add_argument("--way", choices=("abort", "segv", "fatal", "gcore"), default="segv")
    parser.add_argument("--name", help="instead of cpython-3.N or zoo-3.N")
    parser.add_argument("-o", dest="output", type=pathlib.Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    refused = deaths.kernel_writes_cores()
    if refused and options.way != "gcore":
        raise SystemExit("make_fixture.py: no core can be had here: %s" % refused)
    options.output.mkdir(parents=True, exist_ok=True)
    root = options.root.resolve()
    try:
        if options.program == "zoo":
            write_zoo(options.output, options.name, *run_zoo(options.python, root))
        else:
            write_shop(options.output, options.name, *run_shop(options.python, root, options.way))
    except deaths.Failed as error:
        raise SystemExit("make_fixture.py: %s" % error) from None


if __name__ == "__main__":
    sys.exit(main())
