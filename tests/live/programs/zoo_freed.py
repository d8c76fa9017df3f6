"""Objects that are made and let go: their addresses, which no answer may show unless something new stands there.

Freed memory keeps much of what stood in it. CPython's free lists keep even more: the type and most fields.
"""
import array
import contextvars
import functools
import itertools
import sys
import weakref

COUNT = 150  # of each: more than any free list takes, so that some are really freed
LEAD = itertools.count(10 ** 6)
FOUND = {}  # where the collector sees it


class Plain:
    pass


class Attributes:
    def __init__(self, n):
        self.number = n
        self.items = []


class Slots:
    __slots__ = ("a", "b", "__weakref__")


class Sized(list):
    pass


class Closed:
    def method(self):
        return self


def generate(n):
    yield n


async def await_nothing(n):
    return n


async def generate_slowly(n):
    yield n


def frame(n):
    return sys._getframe()


def raised(n):
    try:
        raise ValueError(n)
    except ValueError as error:
        return error


def trace(n):
    return raised(n).__traceback__


def begun(n):
    generator = generate(n)
    next(generator)
    return generator


def slotted(n):
    made = Slots()
    made.a, made.b = [n], str(n)
    return made


def in_a_cell(n):
    return (lambda: n).__closure__[0]


KINDS = {
    "float": lambda n: n + 0.5,
    "int": lambda n: n << 40,
    "large int": lambda n: n << 400,
    "complex": lambda n: complex(n, 1),
    "str": lambda n: "freed %d" % n,
    "wide str": lambda n: "\u0394%d" % n,
    "bytes": lambda n: b"%d" % n,
    "large bytes": lambda n: b"%d" % n * 200,
    "bytearray": lambda n: bytearray(b"%d" % n),
    "list": lambda n: [n],
    "empty list": lambda n: [],
    "large list": lambda n: [n] * 300,
    "dict": lambda n: {"n": n},
    "empty dict": lambda n: {},
    "large dict": lambda n: dict.fromkeys(range(60), n),
    "set": lambda n: {n, n + 1},
    "frozenset": lambda n: frozenset((n,)),
    "slice": lambda n: slice(n),
    "range": lambda n: range(n),
    "range iterator": lambda n: iter(range(n)),
    "list iterator": lambda n: iter([n]),
    "tuple iterator": lambda n: iter((n,)),
    "dict items": lambda n: {n: n}.items(),
    "enumerate": lambda n: enumerate([n]),
    "zip": lambda n: zip([n], [n]),
    "map": lambda n: map(str, [n]),
    "chain": lambda n: itertools.chain([n]),
    "function": lambda n: lambda: n,
    "cell": in_a_cell,
    "method": lambda n: Closed().method,
    "builtin method": lambda n: [n].append,
    "partial": lambda n: functools.partial(max, n),
    "generator": generate,
    "begun generator": begun,
    "coroutine": await_nothing,
    "asynchronous generator": generate_slowly,
    "asend": lambda n: generate_slowly(n).asend(None),
    "frame": frame,
    "exception": raised,
    "memory error": lambda n: MemoryError(n),
    "traceback": trace,
    "instance": lambda n: Plain(),
    "instance with attributes": Attributes,
    "instance with slots": slotted,
    "list subclass": lambda n: Sized([n]),
    "weak reference": lambda n: weakref.ref(Slots),
    "weak reference with callback": lambda n: weakref.ref(Slots, lambda ref: n),
    "memoryview": lambda n: memoryview(b"%d" % n),
    "context": lambda n: contextvars.copy_context(),
    "class": lambda n: type("Freed%d" % n, (), {}),
    "array": lambda n: array.array("q", [n]),
}
for length in (1, 2, 3, 5, 19, 20, 21, 40):
    KINDS["tuple of %d" % length] = lambda n, length=length: (n,) * length


def addresses():
    """Of what was let go, by kind."""
    for name, make in KINDS.items():
        things = [make(next(LEAD)) for _ in range(COUNT if name != "class" else 3)]
        FOUND[name] = array.array("Q", map(id, things))
        for thing in things:
            if hasattr(thing, "close"):
                thing.close()
        thing = things = None
    return FOUND
