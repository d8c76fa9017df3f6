# SPDX-License-Identifier: Apache-2.0
"""Makes the layout tables from the headers of each CPython that is at hand.

    generate.py [--cc CC] INCLUDE_DIR...          writes layouts/cpython_*.inc
    generate.py [--cc CC] --check [INCLUDE_DIR...]  compares with what is committed

INCLUDE_DIR is a pythonX.Y folder that holds Python.h and internal/ beside it.
With none given, --check looks where Python headers usually are (and in the
folders of the colon-separated INQUEST_PYTHON_HEADERS), and names the versions it
did not find. A version that was not checked is no failure; a table that its own
headers contradict is. Headers of another patch release than the table's are
compared too, and what they move is printed: it may need a table of its own.
"""
import argparse
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = os.path.join(HERE, "layouts")
USUAL = ["/usr/include/python3.*", "/usr/local/include/python3.*",
         "~/.pyenv/versions/*/include/python3.*"]


class UnusableHeaders(Exception):
    """Headers whose structs are not what generate_layout.c expects."""


def version_of(include):
    """(major, minor, patch) of the headers, None where they can't be used."""
    if not os.path.isfile(os.path.join(include, "internal", "pycore_pystate.h")):
        return None
    with open(os.path.join(include, "patchlevel.h"), encoding="utf-8") as file:
        text = file.read()
    parts = [re.search(rf"#define\s+PY_{name}_VERSION\s+(\d+)", text)
             for name in ("MAJOR", "MINOR", "MICRO")]
    return tuple(int(part.group(1)) for part in parts)


def generate(compiler, include):
    """The table of the headers in `include`, and the rows of their debug offsets."""
    include = os.path.realpath(include)
    parent, name = os.path.split(include)
    # Debian keeps pyconfig.h by architecture, beside the folder of the headers.
    folders = [include, include + "/internal", include + "/internal/mimalloc"]
    with tempfile.TemporaryDirectory() as scratch:
        program = os.path.join(scratch, "generate_layout")
        command = compiler + ["-std=gnu17", "-w", "-o", program]
        command += ["-I" + folder for folder in folders]
        command += ["-idirafter", parent]
        for machine in glob.glob(os.path.join(parent, "*-linux-gnu")):
            command += ["-idirafter", os.path.join(machine, name)]
        command.append(os.path.join(HERE, "generate_layout.c"))
        built = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if built.returncode != 0:
            raise UnusableHeaders(f"{include}: the headers don't compile:\n{built.stderr}")
        return [subprocess.run([program] + arguments, stdout=subprocess.PIPE, text=True,
                               check=True).stdout for arguments in ([], ["debug"])]


def debug_path(version):
    return os.path.join(TABLES, f"debug_offsets_{version[0]}_{version[1]}.inc")


def committed():
    """The committed tables: {(major, minor, patch): path}."""
    tables = {}
    for path in sorted(glob.glob(os.path.join(TABLES, "cpython_*.inc"))):
        number = int(re.search(r"\.version_hex = 0x([0-9a-f]+)", read(path)).group(1), 16)
        tables[number >> 24, number >> 16 & 0xFF, number >> 8 & 0xFF] = path
    return tables


def rows(text):
    return dict(re.findall(r"\[PY_(\w+)\] = (\d+) \+ 1", text))


def differences(old, new):
    old, new = rows(old), rows(new)
    return [f"{name}: {old.get(name, 'absent')} is {new.get(name, 'absent')}"
            for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def debug_rows(text):
    return re.findall(r"\{.*\}", text)


def check_one(tables, version, include, text, debug):
    """False where the table of this very version is contradicted."""
    name = ".".join(map(str, version))
    same_minor = [other for other in tables if other[:2] == version[:2]]
    if not same_minor:
        print(f"{name} ({include}): no table of that version is committed")
        return True
    nearest = max([other for other in same_minor if other <= version] or [min(same_minor)])
    old = read(tables[nearest])
    changes = differences(old, text)
    if version == nearest and old != text:
        print(f"{name} ({include}): {os.path.basename(tables[nearest])} differs: "
              + ("; ".join(changes) or "in words, not in numbers"))
        return False
    if debug and debug_rows(debug) != debug_rows(read(debug_path(version))):
        print(f"{name} ({include}): {os.path.basename(debug_path(version))} differs")
        return False
    note = "agrees" if not changes else "moves " + "; ".join(changes)
    print(f"{name} ({include}): {note} (table of {'.'.join(map(str, nearest))})")
    return True


def check(compiler, includes):
    if not includes:
        usual = os.environ.get("INQUEST_PYTHON_HEADERS", "").split(":") + USUAL
        includes = sorted(path for pattern in usual if pattern
                          for path in glob.glob(os.path.expanduser(pattern)))
    tables, seen, good = committed(), set(), True
    for include in includes:
        version = version_of(include)
        # "python3.13t" and "python3.11d" are builds of another kind.
        usual = re.fullmatch(r"python3\.\d+", os.path.basename(include.rstrip("/")))
        if not usual or not version or version < (3, 8) or os.path.realpath(include) in seen:
            continue
        seen.add(os.path.realpath(include))
        seen.add(version)
        try:
            good &= check_one(tables, version, include, *generate(compiler, include))
        except UnusableHeaders as problem:
            print(problem)
            good &= version not in tables
    absent = [".".join(map(str, version)) for version in sorted(tables) if version not in seen]
    if absent:
        print("headers not at hand, tables not checked: " + ", ".join(absent))
    return good


def write(compiler, includes):
    """The newest patch release of each minor is cpython_3_N.inc, older ones
    carry their patch number: cpython_3_13_0.inc."""
    found = {version_of(include): include for include in includes}
    if None in found:
        sys.exit(f"generate.py: {found[None]}: no internal/pycore_pystate.h there")
    for version in found:
        newest = max(other for other in found if other[:2] == version[:2])
        name = "_".join(map(str, version[:2] if version == newest else version))
        path = os.path.join(TABLES, f"cpython_{name}.inc")
        text, debug = generate(compiler, found[version])
        files = {path: text}
        if debug and version == newest:
            files[debug_path(version)] = debug
        for path, content in files.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            print(f"{path}: CPython {'.'.join(map(str, version))}")


def main():
    parser = argparse.ArgumentParser(description="layout tables from CPython's headers")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("includes", nargs="*", metavar="INCLUDE_DIR")
    options = parser.parse_args()
    compiler = shlex.split(options.cc)
    if options.check:
        return 0 if check(compiler, options.includes) else 1
    if not options.includes:
        parser.error("which headers? give their folders")
    try:
        write(compiler, options.includes)
    except UnusableHeaders as problem:
        sys.exit(f"generate.py: {problem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
