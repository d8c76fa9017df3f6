#!/usr/bin/env python3
"""Damages structures of the heap in copies of the shipped cores. inquest must answer in time and say so; what it says
of all objects that were not damaged must be what their process said.

    tests/live/damage_heap.py --inquest build/reports/inquest [testdata/cores/zoo-3.12.core.zst …]

Of each core: one of every structure at once (dict and set tables, sizes, types, chains, pools' free lists), the
collector's lists, words of 400 objects overwritten by chance, the same chance each time, and lists that each claim the
same large piece of memory. Sizes may never add up to more than the process could write to.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import check_fixture
import damage_core
import tool
import zoo_check
from checks import Result, close

CORES = pathlib.Path(__file__).resolve().parents[2] / "testdata/cores"
DEFAULT = ("zoo-3.8", "zoo-3.15")
SECONDS_MAX = 60
STRAY = 400
OVERLAPS = 200
NOWHERE = 0x123456789000
SMALL = 480  # bytes: larger objects are in no pool, and found only through what refers to them
ONES = (1 << 64) - 1


class Case:
    def __init__(self, inquest, packed, folder):
        self.inquest, self.name, self.path = inquest, packed.name.split(".core")[0], folder / "core"
        subprocess.run(["zstd", "-d", "-q", "-f", packed, "-o", self.path], check=True)
        self.truth = zoo_check.Truth(check_fixture.beside(packed, ".heap.xz"))
        series = ".".join(self.truth.version.split(".")[:2])
        self.minor = int(series.split(".")[1])
        self.fields = damage_core.fields(series)
        self.core = damage_core.Core(self.path.read_bytes())
        self.chance = random.Random(series)
        self.whole = zoo_check.Index(inquest.path, self.path)
        # arrays whose item size stands in read-only data that the core has not
        self.unknown = {address for address, (size, *_) in self.truth.objects.items()
                        if size and self.whole.objects.get(address, (size,))[0] != size}
        self.by_type = collections.defaultdict(list)
        names = dict(self.whole.types.values())
        for address, (_, _, type_address, _) in self.truth.objects.items():
            self.by_type[names.get(type_address)].append(address)
        self.type_addresses = self.types()
        self.referrers = collections.defaultdict(list)
        for address, row in self.truth.objects.items():
            for target in row[3]:
                self.referrers[target].append(address)
        self.shaping = self.shaping_objects()
        self.written, self.victims = {}, set()

    def pick(self, type_name, accept=lambda address: True):
        """Some object of the type that is intact so far, None where there is none."""
        members = [each for each in self.by_type[type_name] if each not in self.victims and self.is_harmless(each)]
        self.chance.shuffle(members)
        return next((each for each in members if accept(each)), None)

    def pick_class(self):
        """A class with instances and without subclasses."""
        classes = [each for each in self.by_type["type"] if each in self.type_addresses and each not in self.victims and
                   not self.subclasses(each) and len(self.truth.objects[each][3]) < 60]
        return self.chance.choice(sorted(classes)) if classes else None

    def is_harmless(self, address):
        """Not one that the interpreter is found by, or that gives other objects their shape or types their name."""
        return len(self.truth.objects[address][3]) < 60 and address not in self.shaping

    def shaping_objects(self):
        """Modules, dictionaries of modules and of types, and what is in those, but for functions."""
        owners = self.type_addresses | set(self.by_type["module"])
        dicts = {each for each in self.by_type["dict"] if any(owner in owners for owner in self.referrers[each])}
        functions = set(self.by_type["function"])
        return owners | dicts | {target for each in dicts for target in self.truth.objects[each][3]} - functions

    def set(self, address, word, victim=None):
        """Overwrites a word in the file; `victim` is the object that is hurt by it."""
        offset = self.core.offset(address)
        self.written.setdefault(offset, bytes(self.core.bytes[offset:offset + 8]))
        with open(self.path, "r+b") as file:
            os.pwrite(file.fileno(), (word & ONES).to_bytes(8, "little"), offset)
        if victim:
            self.victims.add(victim)

    def restore(self):
        with open(self.path, "r+b") as file:
            for offset, data in self.written.items():
                os.pwrite(file.fileno(), data, offset)
        self.written, self.victims = {}, set()

    def affected(self):
        """The victims, what refers to them, their instances, and what only they may lead to."""
        found = set(self.victims)
        for victim in self.victims:
            found.update(self.referrers[victim])
            row = self.truth.objects.get(victim)
            found.update(each for each in (row[3] if row else ()) if self.truth.objects[each][0] > SMALL)
        bases = {each for each in self.victims if each in self.type_addresses}
        while bases:
            found.update(bases)
            for address, row in self.truth.objects.items():
                if row[2] in bases:
                    found.add(address)
                    found.update(self.referrers[address])
            bases = {each for base in bases for each in self.subclasses(base)} - found
        return found

    def types(self):
        return {row[2] for row in self.truth.objects.values()}

    def subclasses(self, base):
        return [each for each in self.referrers[base] if each in self.type_addresses]

    def field(self, name):
        return self.fields.get(name)

    def answer(self, warnings_wanted, check_tracked=True):
        """Differences of the answer to the damaged core, and how many objects were compared."""
        began, differences = time.monotonic(), []
        index = zoo_check.Index(self.inquest.path, self.path)
        seconds = time.monotonic() - began
        if seconds > SECONDS_MAX:
            differences.append("%d s" % seconds)
        for wanted in warnings_wanted:
            if not any(re.search(wanted, text) for text in index.warnings):
                differences.append("no warning '%s': %s" % (wanted, index.warnings))
        affected = self.affected()
        objects = {address: row for address, row in self.truth.objects.items() if address not in affected}
        left = zoo_check.Truth.__new__(zoo_check.Truth)
        left.__dict__.update(self.truth.__dict__, objects=objects)
        for key, cases in sorted(zoo_check.compare_index(index, left, self.unknown).wrong.items()):
            if key[0] != "tracked" or check_tracked:
                differences.append("%s of %s: %d: %s" % (*key, len(cases), cases[0]))
        strangers = index.objects.keys() - self.whole.objects.keys()
        if len(strangers) > len(self.victims):
            differences.append("%d objects that the whole core has not" % len(strangers))
        total = sum(row[0] for row in index.objects.values())
        if total > self.core.writable:
            differences.append("sizes add up to %d bytes of %d" % (total, self.core.writable))
        return differences, len(objects), len(affected)

    def run(self, name, damage, warnings_wanted, **options):
        count = damage(self)
        differences, compared, affected = self.answer(warnings_wanted, **options)
        self.restore()
        return Result("%s %s" % (self.name, name), "%d damages, %d objects as they were, %d touched" % (
            count, compared, affected), differences)


def structures(case):
    """One of each; how many."""
    count = 0
    for type_name, field, word in FIELD_DAMAGES:
        offset, victim = case.field(field), case.pick(type_name)
        if offset is not None and victim:
            case.set(victim + offset, word(victim) if callable(word) else word, victim)
            count += 1
    for field, word in KEYS_DAMAGES:
        victim = case.pick("dict", lambda address: has_own_keys(case, address))
        if victim and case.field(field) is not None:
            keys = case.core.word(victim + case.field("dict_keys"))
            case.set(keys + case.field(field), word, victim)
            count += 1
    for damage in (class_damages, chain_damages, pool_damages):
        count += damage(case)
    return count


def has_own_keys(case, address):
    return len(case.truth.objects[address][3]) > 4 and not case.core.word(address + case.field("dict_values"))


FIELD_DAMAGES = (
    ("dict", "dict_keys", NOWHERE), ("dict", "dict_keys", ONES), ("dict", "dict_used", 1 << 60),
    ("dict", "dict_values", NOWHERE), ("dict", "dict_keys", lambda victim: victim),
    ("list", "list_items", NOWHERE), ("list", "var_size", 1 << 61), ("list", "var_size", -5),
    ("list", "list_allocated", 1 << 61), ("list", "list_items", ONES - 7),
    ("tuple", "var_size", 1 << 40), ("tuple", "var_size", 70), ("tuple", "var_size", -1),
    ("set", "set_mask", (1 << 60) - 1), ("set", "set_table", NOWHERE), ("set", "set_fill", ONES),
    ("str", "unicode_length", 1 << 50), ("str", "unicode_length", 500), ("str", "unicode_state", ONES),
    ("bytes", "var_size", 1 << 50), ("bytes", "var_size", 600), ("bytes", "var_size", -1),
    ("int", "var_size", 1 << 59), ("int", "var_size", 1000 << 3),
    ("function", "function_code", NOWHERE), ("function", "function_closure", ONES),
    ("function", "object_type", NOWHERE), ("cell", "cell_contents", NOWHERE), ("list", "object_type", 3),
    ("dict", "object_type", lambda victim: victim), ("tuple", "object_refcnt", ONES >> 1),
    ("cell", "object_type", lambda victim: victim + 16), ("list", "object_refcnt", 0),
)
KEYS_DAMAGES = (("keys_size_or_log2", ONES), ("keys_nentries", 1 << 58), ("keys_usable", ONES),
                ("keys_size_or_log2", 0x3F3F3F3F3F3F3F3F), ("keys_nentries", ONES))


def class_damages(case):
    """Types that point nowhere, each a class of its own that few things hang on."""
    count = 0
    for field, word in (("type_basicsize", -8), ("type_basicsize", 1 << 50), ("type_dictoffset", 1 << 40),
                        ("type_mro", NOWHERE), ("type_base", None), ("type_name", NOWHERE), ("object_type", NOWHERE),
                        ("type_members", NOWHERE), ("type_flags", ONES), ("type_itemsize", ONES >> 1),
                        ("type_dict", NOWHERE), ("type_subclasses", 12345), ("heaptype_slots", NOWHERE),
                        ("heaptype_cached_keys", NOWHERE)):
        victim = case.pick_class()
        if victim and case.field(field) is not None:
            case.set(victim + case.field(field), victim if word is None else word, victim)
            count += 1
    return count


def chain_damages(case):
    """Chains that are loops."""
    count = 0
    deque = case.pick("collections.deque", lambda address: case.core.word(address + case.field("var_size")) > 1)
    ordered = case.pick("collections.OrderedDict", lambda address: case.core.word(address + case.field("odict_first")))
    trace = case.pick("traceback")
    if deque:
        block = case.core.word(deque + case.field("deque_left_block"))
        case.set(block + case.field("deque_block_right"), block, deque)
        case.set(deque + case.field("var_size"), 1 << 55, deque)
    if ordered:
        node = case.core.word(ordered + case.field("odict_first"))
        case.set(node + case.field("odictnode_next"), node, ordered)
    if trace:
        case.set(trace + case.field("traceback_next"), trace, trace)
    return count + bool(deque) * 2 + bool(ordered) + bool(trace)


def pool_damages(case):
    """Free lists: a loop, an end outside, a block in use, counts that lie. Pools of one class are found by their
    small objects; no object is hurt.
    """
    size = 4096 if case.minor < 10 else 16384
    pools = sorted({address & -size for address in case.by_type["tuple"]})
    case.chance.shuffle(pools)
    count = 0
    for pool in pools:
        try:
            first = case.core.word(pool + 8)
            second = case.core.word(first) if pool < first < pool + size else 0
            free_again = case.core.word(second) if pool < second < pool + size else 0
        except KeyError:
            continue
        if not pool < free_again < pool + size:
            continue
        if count == 0:
            case.set(second, first)
        elif count == 1:
            case.set(second, pool + 10 * size)
        elif count == 2:
            case.set(second, pool + 48 + 8)
        elif count == 3:
            case.set(second, 0)
        else:
            break
        count += 1
    return count


def rings(case):
    """The collector's lists: one that turns back on itself, one that leads nowhere."""
    head = case.field("gc_head_size")
    members = [address for address, row in case.truth.objects.items() if row[1] and row[0] < SMALL]
    for number, word in enumerate((None, NOWHERE)):
        victim = case.chance.choice(members)
        case.set(victim - head, victim - head if word is None else word)
    return 2


def stray_words(case):
    """Words of objects overwritten by chance."""
    everything = sorted(address for address, row in case.truth.objects.items()
                        if address not in case.types() and case.is_harmless(address) and 16 < row[0] <= SMALL)
    samples = [0, 1, 7, ONES, 1 << 62, NOWHERE, 1 << 31, 0x7FFFFFFFFFFFFFFF, 0x20]
    count = 0
    while count < STRAY:
        victim = case.chance.choice(everything)
        if victim in case.victims:
            continue
        size, _, type_address, _ = case.truth.objects[victim]
        body = min(case.core.word(type_address + case.field("type_basicsize")), size - 16)
        kept = case.chance.choice(everything)
        word = case.chance.choice(samples + [kept, kept + 8, kept + 16, victim, victim + 16])
        address = victim + 8 * case.chance.randrange(max(2, body // 8))
        try:
            case.set(address, word, victim)
        except KeyError:
            continue
        count += 1
    return count


def overlaps(case):
    """Lists whose items and room are all of the largest piece of memory: each alone could be."""
    start, stored, _ = max(case.core.segments, key=lambda segment: segment[1])
    lists = [each for each in case.by_type["list"] if case.is_harmless(each)][:OVERLAPS]
    for each in lists:
        for field, word in (("list_items", start), ("var_size", stored // 8), ("list_allocated", stored // 8)):
            case.set(each + case.field(field), word, each)
    return len(lists)


def check(inquest, packed):
    with tempfile.TemporaryDirectory(prefix="inquest-damage-") as folder:
        case = Case(inquest, packed, pathlib.Path(folder))
        yield case.run("structures", structures, ["free lists that contradict", "read in part only"])
        yield case.run("collector's lists", rings, ["list of the garbage collector"], check_tracked=False)
        yield case.run("stray words", stray_words, ["read in part only"])
        yield case.run("overlapping tables", overlaps, ["read in part only"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PATH")
    parser.add_argument("cores", nargs="*", type=pathlib.Path, metavar="CORE")
    options = parser.parse_args()
    began, results = time.monotonic(), []
    inquest = tool.Inquest(pathlib.Path(options.inquest).resolve())
    for packed in options.cores or [CORES / (name + ".core.zst") for name in DEFAULT]:
        for result in check(inquest, packed):
            results.append(result)
            print(*result.lines(10), sep="\n", flush=True)
    return close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
