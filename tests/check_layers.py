#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an include that points up a floor, and on a library used outside the
rooms that may use it."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOORS = ["formats", "analyzer", "reports"]  # from the lowest up
ROOMS = {  # header -> the only folders whose files may include it
    "sqlite3.h": ["analyzer/index"],
    "sqlite3ext.h": ["analyzer/index"],
    "libelf.h": ["formats/core"],
    "gelf.h": ["formats/core"],
    "zlib.h": ["formats/input"],
    "lz4.h": ["formats/input", "analyzer/index"],  # wrapped dumps; packed chunks
    "lz4frame.h": ["formats/input"],
    "zstd.h": ["formats/input"],
    "yajl/yajl_parse.h": ["formats/profiles"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def floor_of(path):
    parts = path.split("/")
    if parts[:2] == ["include", "inquest"] or parts[0] == "inquest":
        name = parts[2] if parts[0] == "include" else parts[1]
        return 0 if name == "base" else FLOORS.index(name) if name in FLOORS else None
    return FLOORS.index(parts[0]) if parts[0] in FLOORS else None


def main():
    wrong = []
    files = [f for top in (*FLOORS, "include") for f in sorted((ROOT / top).rglob("*.[ch]"))]
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        for include in INCLUDE.findall(file.read_text()):
            own, target = floor_of(name), floor_of(include)
            if target is not None and target > own:
                wrong.append(f"{name} includes {include}, a floor up")
            rooms = ROOMS.get(include, [])
            if rooms and not any(name.startswith(room + "/") for room in rooms):
                wrong.append(f"{name} includes {include}, which only {' and '.join(rooms)} may")
    for line in wrong:
        print(line)
    print(f"{len(files)} files looked at, {len(wrong)} wrong includes")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
