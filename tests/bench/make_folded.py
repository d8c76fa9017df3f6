#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes folded stacks as `py-spy record -f raw` does: distinct lines, in no order,
168 bytes each on average. The same arguments give the same file.

    make_folded.py [--lines 1000000] [--functions 5000] [--seed 1] FILE
"""
import argparse
import random


def labels(functions, random_):
    """Labels of frames as py-spy writes them: `name (package/module.py:line)`."""
    verbs = "get set load parse build send read write find make".split()
    nouns = "user order page table stock query batch frame route token".split()
    files = [f"{random_.choice(nouns)}s/{i}.py" for i in range(functions // 20 + 1)]
    return [f"{random_.choice(verbs)}_{i} ({random_.choice(files)}:{random_.randrange(1, 900)})"
            for i in range(functions)]


def stacks(count, frames, random_):
    """Distinct stacks: walks down a graph in which each frame calls a few others."""
    callees = [[random_.randrange(len(frames)) for _ in range(6)] for _ in frames]
    seen = set()
    while len(seen) < count:
        at, path = 0, [0]
        for _ in range(random_.randrange(2, 8)):
            at = random_.choice(callees[at]) if random_.random() < 0.8 else random_.randrange(len(frames))
            path.append(at)
        key = tuple(path)
        if key not in seen:
            seen.add(key)
            yield key


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--functions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("file")
    arguments = parser.parse_args()
    random_ = random.Random(arguments.seed)
    frames = labels(arguments.functions, random_)
    with open(arguments.file, "w", encoding="ascii") as out:
        for path in stacks(arguments.lines, frames, random_):
            out.write(";".join(frames[i] for i in path))
            out.write(f" {min(int(random_.paretovariate(1.2)), 100_000)}\n")


if __name__ == "__main__":
    main()
