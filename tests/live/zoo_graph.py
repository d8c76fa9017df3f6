#!/usr/bin/env python3
"""Reachability, dominators, retained sizes and shortest paths of an index against a slow and plain reckoning.

    tests/live/zoo_graph.py --inquest build/reports/inquest [--dump build/tests/analyzer/references_dump] \\
        testdata/cores/zoo-*.core.*

The reckoning has the index's own tables `object`, `ref` and `root`. With --dump it is done once more over the
references that the process itself told (NAME.heap.xz beside the core), and what the collector does not visit of those
that references_dump finds. A few objects, besides, are taken away for a try: what can't be reached then is what they
retain. Paths of `largest` must be among the shortest, and what `show` tells must be that path.
"""
import argparse
import collections
import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import check_fixture
import checks
import plain_graph
import zoo_check

TRIES = 12
SHOWN = 60
MOST_PATHS = 20000
KINDS = ("module", "builtins", "frame", "thread", "type", "interpreter", "static", "interned", "extension")

Row = collections.namedtuple("Row", "address size retained dominator is_reachable type_id")


class Tables:
    """What an index says, by object id."""

    def __init__(self, program, core, folder):
        self.program, self.path = program, folder / "index"
        subprocess.run([program, "load", core, "-o", self.path, "-q"], check=True)
        rows = self.query("select id, address, size, retained, dominator_id, is_reachable, type_id from object")
        self.objects = {int(row[0]): Row(*map(int, row[1:4]), int(row[4] or 0), row[5] == "1", row[6]) for row in rows}
        self.edges, self.labels = collections.defaultdict(list), {}
        for source, target, label in self.query("select source_id, target_id, label from ref"):
            if not label.startswith("weak"):
                self.edges[int(source)].append(int(target))
                self.labels.setdefault((int(source), int(target)), []).append(label)
        self.shared = {int(number): int(size) for number, size in self.query("select * from shared_size")}
        rows = self.query("select object_id, kind, label from root order by rowid")
        self.roots = sorted(((KINDS.index(kind), int(number), label) for number, kind, label in rows),
                            key=lambda root: root[0])
        self.dicts = {number for number, in self.query("select id from type where name = 'dict'")}

    def own(self, sizes):
        """Each byte once: without those that sys.getsizeof counts with two objects."""
        return {number: size - self.shared.get(number, 0) for number, size in sizes.items()}

    def query(self, statement):
        run = subprocess.run([self.program, "query", self.path, statement, "--format", "csv", "--limit", "0", "-q"],
                             stdout=subprocess.PIPE, text=True, check=True)
        return list(csv.reader(run.stdout.splitlines()))[1:]

    def show(self, address):
        run = subprocess.run([self.program, "show", self.path, hex(address), "--format", "json", "-q"],
                             stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(run.stdout)


def check_graph(tables, edges, sizes=None):
    """Differences between the columns and a reckoning over these edges."""
    sizes = tables.own(sizes or {number: row.size for number, row in tables.objects.items()})
    roots = [number for _, number, _ in tables.roots]
    reached = plain_graph.reach(edges, roots)
    for number, row in tables.objects.items():
        if row.is_reachable != (number in reached):
            yield "%#x: is_reachable is %d" % (row.address, row.is_reachable)
    garbage = plain_graph.garbage_roots(edges, tables.objects.keys() - reached)
    dominators = plain_graph.dominators(edges, roots, reached)
    dominators.update(plain_graph.dominators(edges, garbage, tables.objects.keys() - reached))
    retained = plain_graph.retained(dominators, sizes)
    for number, row in tables.objects.items():
        if row.dominator != dominators[number]:
            yield "%#x: dominator is #%d, not #%d" % (row.address, row.dominator, dominators[number])
        if row.retained != retained[number]:
            yield "%#x: %d bytes retained, not %d" % (row.address, row.retained, retained[number])


def check_shared(tables):
    """What is counted with an object is the size of one that it alone refers to."""
    referrers = collections.Counter(target for targets in tables.edges.values() for target in targets)
    for number, size in tables.shared.items():
        parts = [target for target in tables.edges[number] if tables.objects[target].size == size]
        if not any(referrers[part] == 1 for part in parts):
            yield "%#x: %d of its bytes are said to be another's" % (tables.objects[number].address, size)


def check_tries(tables, choice):
    """By the definition: what goes with an object is what no root leads to without it."""
    sizes = tables.own({number: row.size for number, row in tables.objects.items()})
    roots = [number for _, number, _ in tables.roots]
    reached = plain_graph.reach(tables.edges, roots)
    large = sorted((number for number in reached if tables.objects[number].retained > tables.objects[number].size),
                   key=lambda number: tables.objects[number].retained)
    for number in large[-TRIES // 2:] + choice.sample(large, min(TRIES // 2, len(large))):
        left = plain_graph.reach(tables.edges, roots, without=number)
        gone = sum(sizes[each] for each in reached - left)
        if gone != tables.objects[number].retained:
            yield "%#x: %d bytes go with it, retained says %d" % (
                tables.objects[number].address, gone, tables.objects[number].retained)


def true_edges(tables, dump, core, truth):
    """References as the process told them, with those that its collector does not see."""
    numbers = {row.address: number for number, row in tables.objects.items()}
    found = zoo_check.dump(dump, core, [row.address for row in tables.objects.values()], ["--no-files"])
    interned = {address for address, each in found.items() if zoo_check.is_interned_table(each)}
    edges, told = collections.defaultdict(list), 0
    for address, number in numbers.items():
        each = found[address]
        targets = each.references["v"] + each.references["h"] + each.references["i"]
        if address in interned:
            targets = []
        elif address in truth.objects and not zoo_check.compare_references(each, truth.objects[address][3]):
            told += 1
            if collections.Counter(each.references["v"]) == collections.Counter(truth.objects[address][3]):
                targets = truth.objects[address][3] + each.references["h"] + each.references["i"]
        edges[number] = [numbers[target] for target in targets if target in numbers]
    sizes = {number: row.size for number, row in tables.objects.items()}
    sizes.update((number, truth.objects[address][0]) for address, number in numbers.items()
                 if address in truth.objects and truth.objects[address][0] and found[address].status == "ok")
    return edges, sizes, told


def check_paths(tables, choice):
    """(how many were compared, how many had too many shortest paths, differences)"""
    shortest = plain_graph.Shortest(tables.edges, [number for _, number, _ in tables.roots])
    writer = plain_graph.PathWriter(tables)
    rows = [(int(number), path) for number, path in tables.query("select object_id, path from largest")]
    differences, compared, skipped = [], 0, 0
    for number, path in rows:
        if tables.objects[number].is_reachable != bool(path):
            differences.append("%#x: largest.path is %r" % (tables.objects[number].address, path))
        elif path:
            ways = shortest.ways(number, MOST_PATHS)
            if ways is None:
                skipped += 1
                continue
            compared += 1
            if not any(path in writer.texts(way) for way in ways):
                differences.append("%#x: %s is no shortest path" % (tables.objects[number].address, path))
    for number, path in choice.sample(rows, min(SHOWN, len(rows))):
        shown = tables.show(tables.objects[number].address)
        compared += 1
        if (shown["path"] or "") != path:
            differences.append("%#x: show says %r, largest %r" % (tables.objects[number].address,
                                                                 shown["path"], path))
    return compared, skipped, differences


def check(options, core):
    name = core.name.split(".core")[0]
    choice = random.Random(name)
    with tempfile.TemporaryDirectory(prefix="inquest-graph-") as folder:
        tables = Tables(options.inquest, core, pathlib.Path(folder))
        counted = "%d objects, %d references, %d roots" % (
            len(tables.objects), sum(map(len, tables.edges.values())), len(tables.roots))
        yield checks.Result(name + " graph", counted, list(check_graph(tables, tables.edges)))
        yield checks.Result(name + " sizes", "%d share bytes" % len(tables.shared), list(check_shared(tables)))
        yield checks.Result(name + " taken away", "%d objects" % TRIES, list(check_tries(tables, choice)))
        compared, skipped, differences = check_paths(tables, choice)
        yield checks.Result(name + " paths", "%d paths, %d with too many of their length" % (compared, skipped),
                            differences)
        heap = check_fixture.beside(core, ".heap.xz")
        if options.dump and heap.exists():
            edges, sizes, told = true_edges(tables, options.dump, core, zoo_check.Truth(heap))
            yield checks.Result(name + " graph as the process told it", "%d objects' references" % told,
                                list(check_graph(tables, edges, sizes)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inquest", required=True, metavar="PROGRAM")
    parser.add_argument("--dump", metavar="PROGRAM")
    parser.add_argument("cores", nargs="+", type=pathlib.Path, metavar="CORE")
    options = parser.parse_args()
    began = time.monotonic()
    results = []
    for core in options.cores:
        for result in check(options, core):
            results.append(result)
            print(*result.lines(6), sep="\n", flush=True)
    return checks.close(results, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
