"""Wastes memory in every way that inquest counts, tells how much from inside, and dies.

    waste.py TRUTH

The truth is what a forked child counts over its own objects with sys.getsizeof. Runs on CPython 3.8 to 3.15.
"""
import gc
import os
import random
import sys
import tracemalloc

HELD = {}  # what is wasted, by group


class Order:
    def __init__(self, number):
        self.status = "".join(("ship", "ped"))
        self.tags = []
        self.options = {}
        self.seen = set()
        self.number = number


class Slim:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


class Late:
    """One that gets a dictionary of its own, and more attributes than its like."""

    def __init__(self, number):
        for attribute in range(number % 40):
            setattr(self, "a%d" % attribute, number)
        vars(self)


class Row(tuple):
    pass


def strings():
    HELD["words"] = ["".join(("word", str(number % 50))) for number in range(2000)]
    HELD["wide"] = ["".join(("\u0444\u0456\u043d", str(number % 7))) for number in range(200)]
    HELD["faces"] = ["".join(("\U0001f600", "x" * (number % 3 + 1))) for number in range(90)]
    HELD["long"] = ["".join(("z" * 5000, str(number % 2))) for number in range(20)]
    HELD["near"] = ["".join(("a" * 300, chr(97 + number), "b" * 300)) for number in range(20)]
    HELD["bytes"] = [b"".join((b"blob", b"%d" % (number % 9))) for number in range(300)]


def tuples():
    shared = object()
    HELD["points"] = [(1.5 * (number % 10), "".join(("p", str(number % 10))), shared) for number in range(500)]
    HELD["numbers"] = [(10 ** 20 + number % 5, 2.5, complex(number % 5, 1)) for number in range(100)]
    HELD["nested"] = [((number % 3 + 1000, "".join(("n", "n"))), b"".join((b"x", b"y"))) for number in range(60)]
    HELD["other"] = [(object(), number) for number in range(50)]
    HELD["rows"] = [Row((1, 2)) for _ in range(30)]
    HELD["like"] = [(1,), (1.0,), (True,)]


def containers():
    HELD["orders"] = [Order(number) for number in range(1000)]
    HELD["slim"] = [Slim(number) for number in range(100)]
    HELD["late"] = [Late(number) for number in range(100)]
    HELD["grown"] = []
    for number in range(100):
        grown = []
        for item in range(number):
            grown.append(item)
        HELD["grown"].append(grown)
    HELD["exact"] = [[1] * number for number in range(1, 50)]


def emptied():
    for size in (10, 100, 1000, 30000):
        names = {"k%d" % number: number for number in range(size)}
        mixed = {number: number for number in range(size)}
        items = set(range(size))
        for number in range(size - 5):
            del names["k%d" % number], mixed[number]
            items.discard(number)
        HELD["names %d" % size], HELD["mixed %d" % size], HELD["items %d" % size] = names, mixed, items
    HELD["cleared"] = [{1: 1}, {1: 1}]
    for cleared in HELD["cleared"]:
        cleared.clear()


def numbers():
    seeded = random.Random(1)
    HELD["ints"] = [seeded.randrange(10 ** 6, 10 ** 9) for _ in range(5000)]
    HELD["floats"] = [seeded.random() for _ in range(3000)]
    HELD["floats twice"] = [number for number in (seeded.random() for _ in range(1000)) for _ in range(2)]
    HELD["huge"] = [10 ** 30 + number for number in range(2000)]
    HELD["both"] = [seeded.random() if number % 2 else number + 10 ** 6 for number in range(2000)]
    HELD["few"] = [seeded.random() for _ in range(500)]
    kept = HELD["kept"] = HELD["floats"][:1000]
    del kept[500:]


# ---- the truth: of what HELD leads to, and no other way

def everything():
    pending, found = [HELD], {}
    while pending:
        thing = pending.pop()
        if id(thing) in found or isinstance(thing, type):
            continue
        found[id(thing)] = thing
        pending.extend(gc.get_referents(thing))
        if type(thing) is dict:
            pending.extend(thing)  # the keys that the collector does not look at
        if hasattr(thing, "__dict__"):
            pending.extend(vars(thing).values())
    return list(found.values())


def value_of(thing):
    """Equal for what is the same: the type, and the value or the identity."""
    if type(thing) is tuple:
        return tuple, tuple(map(value_of, thing))
    if type(thing) in (str, bytes, int):
        return type(thing), thing
    if type(thing) in (float, complex):
        return type(thing), repr(thing)
    return type(thing), id(thing)


def duplicates(things, kind):
    groups = {}
    for thing in things:
        if type(thing) is kind and thing != ():
            groups.setdefault(value_of(thing), []).append(thing)
    return [group_of(group) for group in groups.values() if len(group) > 1]


def group_of(group):
    sizes = list(map(sys.getsizeof, group))
    return {"addresses": list(map(id, group)), "bytes": sum(sizes) - max(sizes), "value": repr(group[0])}


def empty(attribute):
    sizes = [sys.getsizeof(getattr(order, attribute)) for order in HELD["orders"]]
    return [len(sizes), sum(sizes)]


def room(things):
    bare = sys.getsizeof([])
    rooms = [sys.getsizeof(thing) - bare - 8 * len(thing) for thing in things if type(thing) is list and thing]
    return [sum(map(bool, rooms)), sum(rooms)]


def sparse(word):
    """What a copy of each that was emptied would not take; those of 10 are not that empty."""
    things = [thing for name, thing in HELD.items() if name.startswith(word) and not name.endswith(" 10")]
    saved = [sys.getsizeof(thing) - sys.getsizeof(type(thing)(thing)) for thing in things]
    return [len(saved), sum(saved)]


def attribute_dicts(name):
    """How many instances, and up to 3.10, where all is in the open, what __slots__ would save."""
    saved = [8 + sys.getsizeof(vars(thing)) - 8 * len(vars(thing)) for thing in HELD[name]]
    return [len(saved), sum(saved) if sys.version_info < (3, 11) else None]


class Twin:
    __slots__ = ("status", "tags", "options", "seen", "number", "__weakref__")


def bytes_each(kind):
    """What tracemalloc sees an instance take, without what its attributes refer to."""
    things = [None] * 2000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(len(things)):
        things[number] = thing = kind.__new__(kind)
        thing.status = thing.tags = thing.options = thing.seen = thing.number = None
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(things)


def saved_by_slots():
    """From 3.12 on an instance that can be weakly referenced keeps the word for a dictionary."""
    return bytes_each(Order) - bytes_each(Twin) + (8 if sys.version_info >= (3, 12) else 0)


def boxed(name, held_elsewhere=0):
    distinct = list({id(number): number for number in HELD[name][held_elsewhere:]}.values())
    return {"address": id(HELD[name]), "count": len(distinct), "bytes": sum(map(sys.getsizeof, distinct))}


def truth():
    things = everything()
    dicts, mixed = sparse("names"), sparse("mixed")
    return {
        "duplicate string": duplicates(things, str), "duplicate bytes": duplicates(things, bytes),
        "duplicate tuple": duplicates(things, tuple),
        "empty list": empty("tags"), "empty dict": empty("options"), "empty set": empty("seen"),
        "over-allocated list": room(things), "sparse set": sparse("items"),
        "sparse dict": [dicts[0] + mixed[0], dicts[1] + mixed[1]],
        "dict per instance": {"Order": attribute_dicts("orders"), "Late": attribute_dicts("late")},
        "saved by slots": saved_by_slots(),
        "boxed numbers": [boxed("ints"), boxed("floats", 500), boxed("floats twice")],
        "unboxed": [id(HELD[name]) for name in ("huge", "both", "few", "kept")],
    }


def main():
    gc.disable()
    for make in (strings, tuples, containers, emptied, numbers):
        make()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os.abort()
    try:
        found = truth()
        import json
        with open(sys.argv[1], "w") as out:
            json.dump(found, out)
    finally:
        os._exit(0)


main()
