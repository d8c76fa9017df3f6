#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Remakes corpus/stacks: lists of patches (see fuzz_stacks.c) that spoil what the analyzer follows in a real core.

    tests/fuzz/make_stacks.py --inquest build/inquest tests/fuzz/corpus/stacks
"""
import argparse
import pathlib
import sqlite3
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/live"))
import damage_core  # noqa: E402

CORES = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15", "3.11-debian"]  # as in fuzz_stacks.c
WORD, PLACE, SELF, ADD, FLIP, HALF, COPY, ANYWHERE = range(8)
FOLLOWED_MAX, WORDS_AT_ONCE, PLACES_MAX = 400, 40, 65536
QUERIES = ("SELECT state_address FROM thread ORDER BY id", "SELECT address FROM frame ORDER BY id",
           "SELECT address FROM exception ORDER BY id", "SELECT code_address FROM frame ORDER BY id",
           "SELECT address FROM local", "SELECT waits_for_address FROM thread")
HUGE, MINUS_ONE, ABSENT = 1 << 60, (1 << 64) - 1, 0x7A0000001000


class Base:
    """One core as the fuzzer sees it: its numbered places, and what is where."""

    def __init__(self, inquest, number, folder):
        self.number, self.name = number, CORES[number]
        plain, index = folder / "core", folder / "index"
        subprocess.run(["lz4", "-d", "-q", "-f", ROOT / ("testdata/cores/cpython-%s.core.lz4" % self.name), plain],
                       check=True)
        index.unlink(missing_ok=True)
        subprocess.run([inquest, "load", plain, "-q", "-o", index, "--sysroot", folder / "none"], check=True)
        self.core = damage_core.Core(plain.read_bytes())
        self.fields = damage_core.fields(self.name.split("-")[0])
        self.index = sqlite3.connect(index)
        self.places, self.numbers = [], {}
        for query in QUERIES:
            for row in self.index.execute(query):
                self.add(row[0])
        first = 0
        for _ in range(2):
            end = len(self.places)
            for place in self.places[first:min(end, FOLLOWED_MAX)]:
                for word in range(WORDS_AT_ONCE):
                    if self.stored(place + word * 8):
                        self.add(self.core.word(place + word * 8))
            first = min(end, FOLLOWED_MAX)

    def stored(self, address):
        try:
            self.core.offset(address)
            return True
        except KeyError:
            return False

    def add(self, address):
        address = (address or 0) & ~7
        if address and address not in self.numbers and len(self.places) < PLACES_MAX and self.stored(address):
            self.numbers[address] = len(self.places)
            self.places.append(address)

    def one(self, query):
        return [row[0] for row in self.index.execute(query)]

    def has(self, field):
        return field in self.fields

    def at(self, address, field):
        """The word in a field."""
        return self.core.word(address + self.fields[field])

    def patch(self, kind, address, value=0):
        """Of the word that holds `address`: named by the nearest place at or below it."""
        address &= ~7
        place = max(place for place in self.places if place <= address)
        words = (address - place) // 8
        if words > 127:
            raise LookupError("%#x is not near a place" % address)
        return struct.pack("<BbHQ", kind, words, self.numbers[place], value & MINUS_ONE)

    def field(self, kind, address, field, value=0):
        return self.patch(kind, address + self.fields[field], value)


def frames(base):
    previous, code, begin = (("frame_back", "frame_code", "frame_localsplus") if "iframe_previous" not in base.fields
                             else ("iframe_previous", "iframe_code", "iframe_localsplus"))
    running = base.one("SELECT address FROM frame ORDER BY id LIMIT 9")
    yield "frame_loop", base.field(PLACE, running[4], previous, base.numbers[running[1]])
    yield "frame_absent", base.field(WORD, running[2], previous, ABSENT)
    yield "frame_odd", base.field(ADD, running[2], previous, 3)
    yield "frame_code_other", base.field(PLACE, running[1], code, base.numbers[running[0] & ~7])
    yield "frame_code_none", base.field(WORD, running[0], code, 0)
    yield "local_is_frame", base.field(PLACE, running[3], begin, base.numbers[running[3] & ~7])
    if base.has("thread_datastack_chunk"):
        state = base.one("SELECT state_address FROM thread WHERE is_python ORDER BY id")[0]
        chunk = base.at(state, "thread_datastack_chunk")
        yield "chunk_loop", (base.field(WORD, running[1], previous, ABSENT) +
                             base.field(WORD, state, "thread_datastack_top", MINUS_ONE - 7) +
                             base.field(PLACE, chunk, "stackchunk_previous", base.numbers.get(chunk, 0)))


def codes(base):
    code = base.one("SELECT code_address FROM frame ORDER BY id LIMIT 1")[0]
    names = "code_localsplusnames" if base.has("code_localsplusnames") else "code_varnames"
    table = "code_lnotab" if base.has("code_lnotab") else "code_linetable"
    yield "names_huge", base.field(WORD, base.at(code, names), "var_size", HUGE)
    yield "names_negative", base.field(WORD, base.at(code, names), "var_size", MINUS_ONE)
    yield "names_many", base.field(WORD, base.at(code, names), "var_size", 60000)
    yield "table_huge", base.field(WORD, base.at(code, table), "var_size", HUGE)
    yield "table_other", base.field(PLACE, code, table, base.numbers[code])
    yield "file_is_code", base.field(SELF, code, "code_filename") + base.field(PLACE, code, "code_name",
                                                                              base.numbers[code])
    yield "counts_flipped", base.field(FLIP, code, "code_argcount", MINUS_ONE)
    yield "first_line", base.field(FLIP, code, "code_firstlineno", 0x7FFFFFFF7FFFFFFF)
    yield "code_type_self", base.field(PLACE, code, "object_type", base.numbers[code])


def types(base):
    code = base.one("SELECT code_address FROM frame ORDER BY id LIMIT 1")[0]
    local = base.one("SELECT l.address FROM local l WHERE l.type LIKE 'shop.%' LIMIT 1")[0]
    for name, type_ in (("code", base.at(code, "object_type")), ("class", base.at(local, "object_type"))):
        yield name + "_metatype_self", base.field(PLACE, type_, "object_type", base.numbers[type_])
        yield name + "_flags", base.field(FLIP, type_, "type_flags", MINUS_ONE)
        yield name + "_base_self", base.field(PLACE, type_, "type_base", base.numbers[type_])
        yield name + "_sizes", base.field(WORD, type_, "type_basicsize", MINUS_ONE)
        yield name + "_dictoffset", base.field(WORD, type_, "type_dictoffset", 1 << 63)
        yield name + "_name", base.field(WORD, type_, "type_name", ABSENT)


def values(base):
    def local(type_name):
        return base.one("SELECT address FROM local WHERE type = '%s' LIMIT 1" % type_name)[0]
    a_dict, a_str, a_tuple, an_int = local("dict"), local("str"), local("tuple"), local("int")
    a_list = local("list")
    keys = base.at(a_dict, "dict_keys")
    yield "dict_used", base.field(WORD, a_dict, "dict_used", HUGE)
    yield "dict_keys_self", base.field(SELF, a_dict, "dict_keys")
    yield "dict_log2", base.field(WORD, keys, "keys_size_or_log2", 0x3F3F3F)
    yield "dict_entries", base.field(WORD, keys, "keys_nentries", HUGE)
    yield "str_length", base.field(WORD, a_str, "unicode_length", HUGE)
    yield "str_state", base.field(FLIP, a_str, "unicode_state", 0xFFFFFFFF)
    yield "int_size", base.field(WORD, an_int, "long_tag" if base.has("long_tag") else "var_size", HUGE)
    yield "tuple_of_itself", base.field(PLACE, a_tuple, "tuple_items", base.numbers[a_tuple & ~7])
    yield "list_of_itself", base.patch(PLACE, base.at(a_list, "list_items"), base.numbers[a_list & ~7])
    yield "list_huge", base.field(WORD, a_list, "var_size", HUGE)
    yield "list_far", base.field(WORD, a_list, "list_items", ABSENT)


def threads(base):
    state = base.one("SELECT state_address FROM thread WHERE is_python ORDER BY id")[0]
    yield "thread_loop", base.field(SELF, state, "thread_next")
    yield "thread_is_frame", base.field(PLACE, state, "thread_next", len(base.places) // 3)
    yield "thread_ident", base.field(WORD, state, "thread_id", 0)
    yield "handlers_loop", base.field(PLACE, state, "thread_exc_info", base.numbers[state])


def exceptions(base):
    first = base.one("SELECT address FROM exception ORDER BY id LIMIT 1")[0]
    traceback = base.at(first, "exception_traceback")
    yield "context_self", base.field(PLACE, first, "exception_context", base.numbers[first])
    yield "cause_self", base.field(PLACE, first, "exception_cause", base.numbers[first])
    yield "arguments_huge", base.field(WORD, base.at(first, "exception_args"), "var_size", HUGE)
    yield "traceback_loop", base.field(PLACE, traceback, "traceback_next", base.numbers[traceback])
    yield "traceback_frame", base.field(PLACE, traceback, "traceback_frame", base.numbers[traceback])
    yield "traceback_other", base.field(PLACE, first, "exception_traceback", base.numbers[first])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for number, name in enumerate(CORES):
        with tempfile.TemporaryDirectory(prefix="inquest-seeds-") as folder:
            (pathlib.Path(folder) / "none").mkdir()
            base = Base(options.inquest, number, pathlib.Path(folder))
            for case, (spoilt, patches) in enumerate(cases(base)):
                if (case + number) % 3 == 0:  # each case on three cores
                    redacts = 0x80 if case % 4 == 0 else 0
                    (options.folder / ("%s_%s" % (name, spoilt))).write_bytes(bytes([number | redacts]) + patches)
                    count += 1
    print("%d lists of patches" % count)


def cases(base):
    for function in (frames, codes, types, values, threads, exceptions):
        try:
            yield from function(base)
        except (LookupError, IndexError) as error:
            print("cpython-%s: %s ends early: %r" % (base.name, function.__name__, error))


if __name__ == "__main__":
    main()
