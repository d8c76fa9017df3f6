#!/usr/bin/env python3
"""What inquest says of every object of a zoo against what the process itself said: references and size.

    zoo_check.py --dump build/tests/analyzer/references_dump CORE TRUTH [--no-files] [-v]
    zoo_check.py --inquest build/reports/inquest CORE TRUTH [-v]

The second compares with the tables of an index. There, an object has all references, also those that the collector
does not see: what the process visits must be among them.

An object of a type that inquest has no row for, or a module with a state in C, may have references that are told
from what they look like. Those are accepted as long as the process visits nothing that was not found. Besides, no
object may have more references than it counts. Known not to agree:
- types of ctypes up to 3.12: a dictionary and the type that owns it visit, and have, the same reference;
- the dict of interned strings, where the recording made CPython forget one (its cache of attribute names had it);
- True, False, None and ... in 3.11, which constants of frozen modules do not count;
- without the binaries, some builds' arrays: how big an item is stands in read-only data. That is said: the object is
  damaged.
"""
import argparse
import collections
import csv
import gzip
import pathlib
import subprocess
import sys
import tempfile

import zoo_packed

XZ_MAGIC = b"\xfd7zXZ\0"
IMMORTAL = 1 << 28
UNSURE = ("_ctypes.", "type_at_")  # ctypes, with and without its name
UNCOUNTED = {"bool", "NoneType", "ellipsis"}


class Truth:
    """What a process said of itself: zoo_truth.py's text, or zoo_packed.py's columns."""

    def __init__(self, path):
        self.version, self.absent, self.objects = None, [], {}
        self.tracked, self.freed = {}, {}
        data = pathlib.Path(path).read_bytes()
        if data.startswith(XZ_MAGIC):
            zoo_packed.unpack(data, self)
            return
        with gzip.open(path, "rt") as lines:
            for line in lines:
                if line.startswith("#"):
                    self._head(line[2:].rstrip("\n"))
                    continue
                words = line.split()
                self.objects[int(words[0], 16)] = (int(words[1], 16), words[2] == "1", int(words[3], 16),
                                                   [int(word, 16) for word in words[4:]])

    def _head(self, text):
        name, _, value = text.partition(" ")
        if name == "version":
            self.version = value
        elif name == "absent":
            self.absent.append(value)
        elif name == "tracked":
            words = value.split()
            self.tracked[int(words[0], 16)] = int(words[1]), words[2]
        elif name == "freed":
            kind, _, addresses = value.partition(": ")
            self.freed[kind] = [int(word, 16) for word in addresses.split()]


class Found:
    def __init__(self, line):
        words = line.split()
        self.address, self.size, self.count = int(words[0], 16), int(words[1], 16), int(words[2], 16)
        self.status, self.type = words[3], words[4]
        self.references = collections.defaultdict(list)
        for word in words[5:]:
            kind, _, target = word.partition(":")
            self.references[kind].append(int(target, 16))


def dump(program, core, addresses, options):
    text = "".join("%x\n" % address for address in addresses)
    run = subprocess.run([program, core, *options], input=text, stdout=subprocess.PIPE, text=True, check=True)
    return {found.address: found for found in map(Found, run.stdout.splitlines())}


def compare_references(found, referents):
    """None where they agree, else (missing, superfluous)."""
    visited, truth = collections.Counter(found.references["v"]), collections.Counter(referents)
    if visited == truth:
        return None
    missing, more = truth - visited, visited - truth
    guessed = collections.Counter(found.references["i"])
    if not found.type.startswith("weakref."):  # an evaluation stack is visited, though it may not count what it has
        guessed += collections.Counter(found.references["w"])
    return None if not more and not missing - guessed else (missing, more)


class Report:
    def __init__(self):
        self.count = 0
        self.known = 0
        self.tracked = self.types = self.freed = 0
        self.damaged = set()
        self.inferred = collections.Counter()
        self.wrong = collections.defaultdict(list)

    def add(self, found, size, referents, is_known):
        self.count += 1
        if found.status != "ok" and is_known:
            self.known += 1
            self.damaged.add(found.address)
            return
        if found.status != "ok":
            self.wrong["damaged", found.type].append(hex(found.address))
        if size and found.size != size:
            self.wrong["size", found.type].append("%#x: %d is %d" % (found.address, found.size, size))
        if found.references["i"] and referents and found.references["v"] != referents:
            self.inferred[found.type] += 1
        difference = compare_references(found, referents)
        if difference and (is_known or (is_interned_table(found) and not difference[0])):
            self.known += 1
        elif difference:
            missing, more = difference
            self.wrong["references", found.type].append("%#x: missing %s, superfluous %s" % (
                found.address, [hex(a) for a in missing.elements()], [hex(a) for a in more.elements()]))

    def summary(self):
        text = "%d objects, %d differences and %d known ones" % (self.count, self.wrong_count(), self.known)
        if self.inferred:
            text += ", %d objects with inferred references" % sum(self.inferred.values())
        if self.tracked:
            text += ", %d tracked of %d types as gc.get_objects() counts them, %d addresses of freed objects" % (
                self.tracked, self.types, self.freed)
        return text

    def wrong_count(self):
        return sum(map(len, self.wrong.values()))

    def differences(self, is_verbose=False):
        for (what, type_name), cases in sorted(self.wrong.items(), key=lambda item: (-len(item[1]), item[0])):
            yield "%-10s %6d  %s   %s" % (what, len(cases), type_name, cases[0])
            for case in cases[1:6] if is_verbose else ():
                yield "    " + case

    def print(self, name, is_verbose=False):
        """Returns how many differences there are."""
        print("%s: %s" % (name, self.summary()))
        for line in self.differences(is_verbose):
            print("  " + line)
        if is_verbose:
            print("  inferred:", dict(self.inferred.most_common()))
        return self.wrong_count()

    def add_counts(self, objects):
        """References that count, against the counts of their targets."""
        counts = collections.Counter()
        for found in objects.values():
            if not is_interned_table(found):
                counts.update(found.references["v"])
                counts.update(found.references["h"])
        for address, count in counts.items():
            target = objects.get(address)
            if target is None or target.type.startswith(UNSURE) or target.type in UNCOUNTED:
                continue
            if target.count % (1 << 32) < IMMORTAL and count > target.count:
                self.wrong["count", target.type].append("%#x: %d of %d" % (address, count, target.count))


def is_interned_table(found):
    """The dict of interned strings counts none of them; each is its own value."""
    return found.type == "dict" and len(found.references["v"]) > 500 and found.references["v"] == found.references["h"]


def check(program, core, truth, options=()):
    """A Report of every object that the truth has."""
    report = Report()
    found = dump(program, core, truth.objects, options)
    for address, (size, _, _, referents) in truth.objects.items():
        has_no_size = "--no-files" in options and found[address].status != "ok" and found[address].size
        report.add(found[address], size, referents, has_no_size)
    report.add_counts(found)
    return report


class Index:
    """The tables `object` and `ref` of a core."""

    def __init__(self, program, core):
        self.objects, self.references = {}, collections.defaultdict(list)
        with tempfile.TemporaryDirectory(prefix="inquest-zoo-") as folder:
            path = pathlib.Path(folder, "index")
            subprocess.run([program, "load", core, "-o", path, "-q"], check=True)
            self.types = {row[0]: (int(row[1]), row[2]) for row in self._rows(
                program, path, "select id, address, name from type")}
            self.warnings = [row[0] for row in self._rows(program, path, "select message from warning")]
            addresses = {}
            for row in self._rows(program, path, "select id, address, size, is_tracked, type_id from object"):
                address = addresses[row[0]] = int(row[1], 0)
                self.objects[address] = int(row[2]), row[3] == "1", self.types.get(row[4], (0, "?"))[1], row[4]
            for source, target in self._rows(program, path, "select source_id, target_id from ref"):
                self.references[addresses[source]].append(addresses[target])

    @staticmethod
    def _rows(program, path, statement):
        run = subprocess.run([program, "query", path, statement, "--format", "csv", "--limit", "0", "-q"],
                             stdout=subprocess.PIPE, text=True, check=True)
        return list(csv.reader(run.stdout.splitlines()))[1:]


def check_index(program, core, truth, damaged=()):
    """A Report of every object that the truth has. `damaged`: those whose size inquest is known not to know."""
    index = Index(program, core)
    report = compare_index(index, truth, damaged)
    count_tracked(index, truth, report)
    find_freed(index, truth, report)
    return report


def compare_index(index, truth, damaged=()):
    report = Report()
    for address, (size, is_tracked, type_address, referents) in truth.objects.items():
        report.count += 1
        if address not in index.objects:
            report.wrong["absent", "type %#x" % type_address].append(hex(address))
            continue
        there_size, there_tracked, name, type_id = index.objects[address]
        if index.types[type_id][0] != type_address:
            report.wrong["type", name].append("%#x: %#x" % (address, type_address))
        if size and there_size != size and address in damaged:
            report.known += 1
        elif size and there_size != size:
            report.wrong["size", name].append("%#x: %d is %d" % (address, there_size, size))
        if there_tracked != is_tracked:
            report.wrong["tracked", name].append("%#x: %s" % (address, is_tracked))
        missing = collections.Counter(referents) - collections.Counter(index.references[address])
        if missing:
            report.wrong["references", name].append("%#x: missing %s" % (address, list(map(hex, missing.elements()))))
    return report


def count_tracked(index, truth, report):
    """By type, as many as gc.get_objects() has."""
    counts, names = collections.Counter(), {}
    for address, (_, is_tracked, name, type_id) in index.objects.items():
        if is_tracked:
            key = index.types[type_id][0]
            names[key] = name
            counts[key] += 1
    for key in counts.keys() | truth.tracked.keys():
        difference = counts[key] - truth.tracked.get(key, (0, ""))[0]
        if difference:
            report.wrong["tracked", names.get(key) or truth.tracked[key][1]].append("%+d" % difference)
    report.tracked, report.types = sum(counts.values()), len(counts)


def find_freed(index, truth, report):
    """What was let go is there only where the process itself has something again: an object that it told of, or what
    one of those holds that the collector does not show, as a class its name."""
    held = {target for source in truth.objects for target in index.references.get(source, ())}
    for kind, addresses in truth.freed.items():
        report.freed += len(addresses)
        for address in addresses:
            if address in index.objects and address not in truth.objects and address not in held:
                report.wrong["freed", kind].append("%#x: now %s" % (address, index.objects[address][2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("--dump", metavar="PROGRAM")
    program.add_argument("--inquest", metavar="PROGRAM")
    parser.add_argument("core")
    parser.add_argument("truth")
    parser.add_argument("--no-files", action="store_true", help="without the binaries of the dead process")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    truth = Truth(options.truth)
    if options.inquest:
        report = check_index(options.inquest, options.core, truth)
    else:
        report = check(options.dump, options.core, truth, ["--no-files"] if options.no_files else [])
    return 1 if report.print(truth.version, options.verbose) else 0


if __name__ == "__main__":
    sys.exit(main())
